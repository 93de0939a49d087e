"""Makes `parity.npz` and `parity_tensors.json` with the reference implementation.

Needs what the tests do not: torch and transformers >= 5.23 (eager attention, float32, CPU). Run it
from the root of the checkout with the interpreter that has them; it takes about a minute and 4 GB:

    python -m tests.golden.make_parity

The checkpoint, the pictures and the clips come from `recipe`; features come from the reference's
own image processor and feature extractor. Stored for each case: the tokens, the most probable token
after every position, some of its logits, and some components of every soft token. Prints how far
the reference's own cached run is from its full run, and the closest call between two best tokens.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found]
from PIL import Image
from transformers import Gemma4Config, Gemma4ForConditionalGeneration
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

from tests.golden import recipe


def build() -> tuple[Any, dict[str, list[int]]]:
    """The reference's network with the recipe's weights, and the shape of every tensor."""
    config: Any = Gemma4Config(**copy.deepcopy(recipe.CONFIG))
    config._attn_implementation = "eager"
    for part in (config.text_config, config.vision_config, config.audio_config):
        part._attn_implementation = "eager"
    model: Any = Gemma4ForConditionalGeneration(config)
    model.eval().float()
    shapes = {
        name: list(value.shape)
        for name, value in model.state_dict().items()
        if name != "lm_head.weight"
    }
    weights = {name: torch.from_numpy(recipe.tensor(name, shape)) for name, shape in shapes.items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert missing in ([], ["lm_head.weight"]), missing
    assert not unexpected, unexpected
    model.tie_weights()
    assert (
        model.lm_head.weight.data_ptr() == model.model.language_model.embed_tokens.weight.data_ptr()
    )
    return model, shapes


def prepare(name: str) -> tuple[list[list[int]], dict[str, Any]]:
    """The tokens of each segment, and the media as the reference's processors make them."""
    segments = recipe.CASES[name]
    pictures = [(i, s) for i, s in enumerate(segments) if isinstance(s, recipe.Picture)]
    clips = [(i, s) for i, s in enumerate(segments) if isinstance(s, recipe.Clip)]
    counts: dict[int, int] = {}
    media: dict[str, Any] = {}
    if pictures:
        images = [Image.fromarray(recipe.pixels(s, recipe.seed_of(name, i))) for i, s in pictures]
        processor = Gemma4ImageProcessorPil(max_soft_tokens=pictures[0][1].budget)
        made = processor(images, return_tensors="pt")
        media["pixel_values"] = made["pixel_values"]
        media["image_position_ids"] = made["image_position_ids"]
        counts |= zip((i for i, _ in pictures), made["num_soft_tokens_per_image"], strict=True)
    if clips:
        sounds = [
            recipe.samples(s, recipe.seed_of(name, i)).astype(np.float32) / 32768 for i, s in clips
        ]
        heard = Gemma4AudioFeatureExtractor()(
            sounds, sampling_rate=recipe.SAMPLE_RATE, return_tensors="pt"
        )
        media["input_features"] = heard["input_features"]
        media["input_features_mask"] = heard["input_features_mask"]
        for row, (i, _) in enumerate(clips):
            mask = heard["input_features_mask"][row]
            counts[i] = int(mask[::2][::2].sum())
    ids = [recipe.segment_ids(name, i, int(counts.get(i, 0))) for i in range(len(segments))]
    return ids, media


def run(model: Any, name: str, store: dict[str, np.ndarray]) -> None:
    """One case: the full forward pass, and the reference against its own cache."""
    ids, media = prepare(name)
    tokens = torch.tensor([[recipe.BOS, *(token for segment in ids for token in segment)]])
    with torch.no_grad():
        made = model(input_ids=tokens, **media, use_cache=False)
        logits = made.logits[0].float()
        if "pixel_values" in media:
            features = model.model.get_image_features(
                media["pixel_values"], media["image_position_ids"], return_dict=True
            )
            store_features(store, f"{name}/image", torch.cat(features.pooler_output))
        if "input_features" in media:
            output = model.model.get_audio_features(
                media["input_features"], media["input_features_mask"], return_dict=True
            )
            store_features(store, f"{name}/audio", output.pooler_output[output.attention_mask])
        noise = cached_noise(model, tokens, logits) if not media else float("nan")
    store[f"{name}/ids"] = tokens[0].numpy().astype(np.int16)
    store[f"{name}/best"] = logits.argmax(-1).numpy().astype(np.int16)
    store[f"{name}/logits"] = logits[:, recipe.LOGIT_COLUMNS].numpy()
    top = logits.topk(2).values
    closest = float((top[:, 0] - top[:, 1]).min())
    sys.stdout.write(
        f"{name:18} {tokens.shape[1]:5} tokens  closest call {closest:.1e}  noise {noise:.1e}\n"
    )


def store_features(store: dict[str, np.ndarray], key: str, features: torch.Tensor) -> None:
    """Some components of soft tokens [count, hidden]."""
    store[key] = features[:, recipe.FEATURE_COLUMNS].float().numpy()


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
    """Write both files next to this one."""
    folder = Path(__file__).parent
    model, shapes = build()
    (folder / "parity_tensors.json").write_text(json.dumps(shapes, indent=0) + "\n")
    store: dict[str, np.ndarray] = {}
    for name in recipe.CASES:
        run(model, name, store)
    np.savez_compressed(folder / "parity.npz", allow_pickle=False, **store)


if __name__ == "__main__":
    main()
