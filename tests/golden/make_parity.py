"""Makes the golden files of the networks with the reference implementation.

Needs what the tests do not: torch, torchvision and transformers >= 5.23 (eager attention, float32,
CPU). Run it from the root of the checkout with the interpreter that has them; it takes about two
minutes and 4 GB. Names of sizes may follow, to make only their files again:

    python -m tests.golden.make_parity

The checkpoints, the pictures and the clips come from `recipe` and `sizes`; features come from the
reference's own image processor and feature extractors. Stored for each size and case: the tokens,
the most probable token after every position, some of its logits, and some components of every soft
token; for all sizes the config that transformers writes, and the shapes of the tensors it saves.
Prints how far the reference's own cached run is from its full run, and the closest call between two
best tokens.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found]
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file
from transformers import AutoConfig, AutoModelForImageTextToText
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil
from transformers.models.gemma4_unified.feature_extraction_gemma4_unified import (
    Gemma4UnifiedAudioFeatureExtractor,
)
from transformers.models.gemma4_unified.image_processing_gemma4_unified import patches_merge

from tests.golden import recipe, sizes

FOLDER = Path(__file__).parent
TOKEN_TYPES = {recipe.IMAGE: 1, recipe.AUDIO: 3}
"""What the reference's processors call them."""


def build(size: str) -> tuple[Any, dict[str, Any], dict[str, list[int]]]:
    """The network with the recipe's weights, its config as saved, the shape of every tensor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.json").write_text(json.dumps(sizes.CONFIGS[size]))
        config = AutoConfig.from_pretrained(folder)
        empty: Any = AutoModelForImageTextToText
        empty.from_config(config).save_pretrained(folder)
        saved = json.loads((folder / "config.json").read_text())
        (file,) = folder.glob("*.safetensors")
        with safe_open(file, "np") as tensors:
            names = [name for name in tensors.keys() if name != "lm_head.weight"]  # noqa: SIM118
            shapes = {name: tensors.get_slice(name).get_shape() for name in names}
        weights = {name: recipe.tensor(name, shape) for name, shape in shapes.items()}
        save_file(weights, file, {"format": "pt"})
        model: Any = AutoModelForImageTextToText.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager"
        )
    for part in (model, model.model.language_model):
        assert part.config._attn_implementation == "eager"
    embedding = model.get_input_embeddings().weight
    assert model.lm_head.weight.data_ptr() == embedding.data_ptr()
    expected = weights["model.language_model.embed_tokens.weight"]
    assert np.array_equal(embedding.detach().numpy(), expected)
    return model.eval(), saved, shapes


def prepare(size: str, name: str) -> tuple[list[list[int]], dict[str, Any]]:
    """The tokens of each segment, and the media as the reference's processors make them."""
    segments = recipe.CASES[name]
    pictures = [(i, s) for i, s in enumerate(segments) if isinstance(s, recipe.Picture)]
    clips = [(i, s) for i, s in enumerate(segments) if isinstance(s, recipe.Clip)]
    counts: dict[int, int] = {}
    media: dict[str, Any] = {}
    if pictures:
        found, media = see([(recipe.seed_of(name, i), s) for i, s in pictures], size)
        counts |= zip((i for i, _ in pictures), found, strict=True)
    if clips:
        found, heard = hear([(recipe.seed_of(name, i), s) for i, s in clips], size)
        counts |= zip((i for i, _ in clips), found, strict=True)
        media |= heard
    ids = [recipe.segment_ids(name, i, int(counts.get(i, 0))) for i in range(len(segments))]
    return ids, media


def see(pictures: list[tuple[int, recipe.Picture]], size: str) -> tuple[list[int], dict[str, Any]]:
    """Soft tokens of each picture, and what the network is given.

    The reference resizes pictures for 12B with torchvision only, whose bicubic filter is up to two
    levels of 255 from Pillow's in less than 1 % of the values; here all sizes see the same pixels.
    """
    budgets = {picture.budget for _, picture in pictures}
    batches = []
    for seed, picture in pictures:
        processor = Gemma4ImageProcessorPil(max_soft_tokens=max(budgets))
        if len(budgets) > 1:
            processor = Gemma4ImageProcessorPil(max_soft_tokens=picture.budget)
        image = Image.fromarray(recipe.pixels(picture, seed))
        made = processor(image, return_tensors="pt")
        pixels, places = made["pixel_values"][0], made["image_position_ids"][0]
        count = int(made["num_soft_tokens_per_image"][0])
        if size == "12b":
            valid = places[:, 0] >= 0
            pixels, places = patches_merge(pixels[valid][None], places[valid][None], count)
            pixels, places = pixels[0], places[0]
        batches.append((count, pixels, places))
    longest = max(len(pixels) for _, pixels, _ in batches)
    pad = torch.nn.functional.pad
    return [count for count, _, _ in batches], {
        "pixel_values": torch.stack([pad(p, (0, 0, 0, longest - len(p))) for _, p, _ in batches]),
        "image_position_ids": torch.stack(
            [pad(p, (0, 0, 0, longest - len(p)), value=-1) for _, _, p in batches]
        ),
    }


def hear(clips: list[tuple[int, recipe.Clip]], size: str) -> tuple[list[int], dict[str, Any]]:
    """Soft tokens of each clip, and what the network is given."""
    sounds = [recipe.samples(clip, seed).astype(np.float32) / 32768 for seed, clip in clips]
    made: Any
    if size == "12b":
        made = Gemma4UnifiedAudioFeatureExtractor()(sounds, return_tensors="pt")
        counts = made["input_features_mask"].sum(-1)
    else:
        extractor = Gemma4AudioFeatureExtractor()
        made = extractor(sounds, sampling_rate=recipe.SAMPLE_RATE, return_tensors="pt")
        counts = made["input_features_mask"][:, ::2][:, ::2].sum(-1)
    names = ("input_features", "input_features_mask")
    return counts.tolist(), {name: made[name] for name in names}


def run(model: Any, size: str, name: str, store: dict[str, np.ndarray]) -> None:
    """One case: the full forward pass, and the reference against its own cache."""
    ids, media = prepare(size, name)
    tokens = torch.tensor([[recipe.BOS, *(token for segment in ids for token in segment)]])
    kinds = [TOKEN_TYPES.get(token, 0) for token in tokens[0].tolist()]
    logit_columns, feature_columns = sizes.stored_columns(size)
    with torch.no_grad():
        made = model(
            input_ids=tokens, mm_token_type_ids=torch.tensor([kinds]), **media, use_cache=False
        )
        logits = made.logits[0].float()
        if "pixel_values" in media:
            features = model.model.get_image_features(
                media["pixel_values"], media["image_position_ids"], return_dict=True
            )
            store[f"{name}/image"] = torch.cat(features.pooler_output)[:, feature_columns].numpy()
        if "input_features" in media:
            output = model.model.get_audio_features(
                media["input_features"], media["input_features_mask"], return_dict=True
            )
            heard = output.pooler_output[output.attention_mask]
            store[f"{name}/audio"] = heard[:, feature_columns].numpy()
        noise = cached_noise(model, tokens, logits) if not media else float("nan")
    store[f"{name}/ids"] = tokens[0].numpy().astype(np.int16)
    store[f"{name}/best"] = logits.argmax(-1).numpy().astype(np.int16)
    store[f"{name}/logits"] = logits[:, logit_columns].numpy()
    top = logits.topk(2).values
    closest = float((top[:, 0] - top[:, 1]).min())
    sys.stdout.write(
        f"{size:8} {name:18} {tokens.shape[1]:5} tokens"
        f"  closest call {closest:.1e}  noise {noise:.1e}\n"
    )


def cached_noise(model: Any, tokens: torch.Tensor, logits: torch.Tensor) -> float:
    """Largest difference between one pass and token by token, inside the reference."""
    past, steps = None, []
    for position in range(tokens.shape[1]):
        step = model(
            input_ids=tokens[:, position : position + 1], past_key_values=past, use_cache=True
        )
        past = step.past_key_values
        steps.append(step.logits[0, -1])
    return float((torch.stack(steps) - logits).abs().max())


def main() -> None:
    """Write the files next to this one."""
    index = FOLDER / "parity_sizes.json"
    described = json.loads(index.read_text()) if index.exists() else {}
    for size in sys.argv[1:] or sizes.CONFIGS:
        model, config, shapes = build(size)
        described[size] = {"config": config, "tensors": shapes}
        store: dict[str, np.ndarray] = {}
        for name in sizes.CASES[size]:
            run(model, size, name, store)
        np.savez_compressed(FOLDER / f"parity_{size}.npz", allow_pickle=False, **store)
    index.write_text(json.dumps(described, indent=0) + "\n")


if __name__ == "__main__":
    main()
