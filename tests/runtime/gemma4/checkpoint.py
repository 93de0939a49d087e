"""Writes the small checkpoints of `tests.golden` as model folders, whole or damaged."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.golden import recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

GOLDEN = Path(__file__).parents[2] / "golden"


def recipe_tensors(size: str = "e2b") -> dict[str, NDArray[np.float32]]:
    """Every tensor of a checkpoint by its name in the Hugging Face layout."""
    shapes = json.loads((GOLDEN / "parity_sizes.json").read_text())[size]["tensors"]
    return {name: recipe.tensor(name, shape) for name, shape in shapes.items()}


def saved_config(size: str) -> dict[str, Any]:
    """The config that transformers 5.23 writes for a checkpoint."""
    config: dict[str, Any] = json.loads((GOLDEN / "parity_sizes.json").read_text())[size]["config"]
    return config


def safetensors_bytes(tensors: Mapping[str, NDArray[np.float32]]) -> bytes:
    """A safetensors file with these tensors, in float32."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, values in tensors.items():
        start, end = end, end + values.nbytes
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [start, end]}
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + b"".join(v.tobytes() for v in tensors.values())


def write_folder(
    folder: Path,
    tensors: Mapping[str, NDArray[np.float32]],
    config: Mapping[str, Any] = recipe.CONFIG,
) -> Path:
    """A model folder; its tokenizer is empty, since networks need none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [1, 179]}))
    (folder / "model.safetensors").write_bytes(safetensors_bytes(tensors))
    return folder
