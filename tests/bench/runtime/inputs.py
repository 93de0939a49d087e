"""What the sides are compared on: model folders, a picture, a sound and prompts."""

from __future__ import annotations

import copy
import json
import re
import shutil
import wave
from typing import TYPE_CHECKING, Any

from PIL import Image

from gemma_tui.paths import builtin_model
from tests.golden import recipe
from tests.runtime.gemma4.checkpoint import GOLDEN, safetensors_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HIDDEN, INTERMEDIATE, HEADS, HEAD, GLOBAL_HEAD, PER_LAYER, WINDOW = 384, 1152, 6, 64, 128, 32, 512
POSITIONS = 10_240
"""Rows of the vision tower's position table, as published: what one-hot products pay for."""

CONTROL_IDS = range(24)
"""Never drawn, so that every token of a reply is text and no reply ends by itself."""


def endless_copy(folder: Path) -> Path:
    """The built-in model, which says text and nothing else until it is stopped."""
    shutil.copytree(builtin_model(), folder)
    _prepare(folder, json.loads((folder / "config.json").read_text("utf-8")))
    return folder


def larger_checkpoint(folder: Path) -> Path:
    """A random checkpoint of the E2B architecture in float32, with the built-in vocabulary.

    Its decoder has 25 million weights besides the embeddings: 10 ms a token where memory gives
    10 GB/s. The towers are those of the recipe, but for the size of the position table.
    """
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "processor_config.json"):
        shutil.copy(builtin_model() / name, folder)
    builtin = json.loads((builtin_model() / "config.json").read_text("utf-8"))
    config = copy.deepcopy(recipe.CONFIG)
    config |= {
        name: value for name, value in builtin.items() if re.fullmatch(r"\w+_token_i\w+", name)
    }
    size = builtin["text_config"]["vocab_size"]
    config["text_config"] |= {
        "vocab_size": size,
        "vocab_size_per_layer_input": size,
        "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE,
        "num_attention_heads": HEADS,
        "head_dim": HEAD,
        "global_head_dim": GLOBAL_HEAD,
        "hidden_size_per_layer_input": PER_LAYER,
        "sliding_window": WINDOW,
    }
    config["vision_config"]["position_embedding_size"] = POSITIONS
    shapes = json.loads((GOLDEN / "parity_sizes.json").read_text("utf-8"))["e2b"]["tensors"]
    tensors = {
        name: recipe.tensor(name, _shape(name, shape, config["text_config"]))
        for name, shape in shapes.items()
    }
    (folder / "model.safetensors").write_bytes(safetensors_bytes(tensors))
    _prepare(folder, config)
    return folder


def picture(folder: Path) -> Path:
    """Two megapixels, in a format that costs nothing to decode: all sides decode with Pillow."""
    path = folder / "picture.bmp"
    Image.fromarray(recipe.pixels(recipe.Picture(1600, 1200, 0), 1)).save(path)
    return path


def sound(folder: Path, seconds: float = 30.0) -> Path:
    """The longest clip."""
    path = folder / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(recipe.SAMPLE_RATE)
        file.writeframes(recipe.samples(recipe.Clip(seconds), 1).tobytes())
    return path


def question(number: int, words: int) -> str:
    """A text that no other number gives, so that nothing of it is in a prompt cache."""
    return f"{number}: " + " ".join(f"word {number * place % 97}" for place in range(words))


def _prepare(folder: Path, config: dict[str, Any]) -> None:
    """Write what makes the model endless, and its config as every side understands it."""
    config["vocab_size"] = config["text_config"]["vocab_size"]  # mlx-lm looks for it here only
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    settings = {"eos_token_id": [1], "suppress_tokens": list(CONTROL_IDS)}
    (folder / "generation_config.json").write_text(json.dumps(settings), "utf-8")


def _shape(name: str, shape: Sequence[int], text: dict[str, Any]) -> list[int]:
    """The larger shape of a tensor of the recipe."""
    leaf = name.removesuffix(".weight").rsplit(".", 1)[-1]
    if leaf == "embedding_projection":
        return [HIDDEN, *shape[1:]]
    if leaf == "position_embedding_table":
        return [2, POSITIONS, shape[2]]
    if "language_model" not in name:
        return list(shape)
    found = re.search(r"layers\.(\d+)\.", name)
    layer = int(found[1]) if found else 0
    full = text["layer_types"][layer] == "full_attention"
    head = GLOBAL_HEAD if full else HEAD
    shares = layer >= text["num_hidden_layers"] - text["num_kv_shared_layers"]
    inner = INTERMEDIATE * (2 if shares else 1)
    all_layers = text["num_hidden_layers"] * PER_LAYER
    sizes = {
        "embed_tokens": [text["vocab_size"], HIDDEN],
        "embed_tokens_per_layer": [text["vocab_size"], all_layers],
        "per_layer_model_projection": [all_layers, HIDDEN],
        "per_layer_projection_norm": [PER_LAYER],
        "q_proj": [HEADS * head, HIDDEN],
        "k_proj": [head, HIDDEN],
        "v_proj": [head, HIDDEN],
        "o_proj": [HIDDEN, HEADS * head],
        "q_norm": [head],
        "k_norm": [head],
        "gate_proj": [inner, HIDDEN],
        "up_proj": [inner, HIDDEN],
        "down_proj": [HIDDEN, inner],
        "per_layer_input_gate": [PER_LAYER, HIDDEN],
        "per_layer_projection": [HIDDEN, PER_LAYER],
        "layer_scalar": [1],
    }
    return sizes.get(leaf, [HIDDEN])
