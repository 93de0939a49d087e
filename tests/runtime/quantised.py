"""Writes the built-in model as MLX tools publish models: quantised, by any kind, in any layout."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import mlx.core as mx

from gemma_tui.runtime.gemma4.weights import mlx_name

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kind:
    """How a folder is quantised.

    `layers` maps a part of a layer's name to what differs there; None leaves it plain. Towers are
    left plain unless `towers`.
    """

    group_size: int = 32
    bits: int = 8
    mode: str = "affine"
    layers: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    towers: bool = False
    key: str = "quantization"
    hugging_face_names: bool = False

    @property
    def default(self) -> dict[str, Any]:
        return {"group_size": self.group_size, "bits": self.bits, "mode": self.mode}

    def of(self, layer: str) -> dict[str, Any] | None:
        """What holds for a layer, by its name in the MLX layout."""
        for part, entry in self.layers.items():
            if part in layer:
                return None if entry is None else {"mode": "affine", **entry}
        is_tower = layer.startswith(("vision_tower", "audio_tower", "embed_"))
        return self.default if self.towers or not is_tower else None


KINDS = {
    "2 bits": Kind(32, 2),
    "3 bits": Kind(64, 3),
    "4 bits": Kind(64, 4),
    "5 bits": Kind(128, 5),
    "6 bits": Kind(32, 6),
    "8 bits": Kind(128, 8),
    "mxfp4": Kind(32, 4, "mxfp4"),
    "mxfp8": Kind(32, 8, "mxfp8"),
    "nvfp4": Kind(16, 4, "nvfp4"),
    "alias": Kind(key="quantization_config"),
    "Hugging Face names": Kind(hugging_face_names=True),
    "towers": Kind(32, 6, towers=True),
    "mxfp8 towers": Kind(32, 8, "mxfp8", towers=True),
    "plain per-layer embeddings": Kind(64, 4, layers={"embed_tokens_per_layer": None}),
    "a mix": Kind(
        64,
        4,
        layers={
            "embed_tokens_per_layer": {"group_size": 32, "bits": 8},
            "mlp.": {"group_size": 64, "bits": 8},
            "self_attn.v_proj": {"group_size": 32, "bits": 4, "mode": "mxfp4"},
            "layers.1.": None,
        },
    ),
}


def stored_tensors(folder: Path) -> dict[str, mx.array]:
    """All tensors of a model folder with one file."""
    stored = mx.load(str(folder / "model.safetensors"))
    assert isinstance(stored, dict)
    return stored


def write_quantised(source: Path, target: Path, kind: Kind) -> tuple[Path, Path]:
    """Two folders: a quantised copy of `source`, and a plain one with the same values."""
    quantised, plain = target / "quantised", target / "plain"
    for folder in (quantised, plain):
        shutil.copytree(source, folder)
    packed: dict[str, mx.array] = {}
    dequantised: dict[str, mx.array] = {}
    section: dict[str, Any] = dict(kind.default)
    for original, stored in stored_tensors(source).items():
        name = original if kind.hugging_face_names else mlx_name(original)
        values = stored.astype(mx.float32)
        layer = mlx_name(original).removesuffix(".weight")
        options = kind.of(layer) if _is_layer(original, values) else None
        if options is None or values.shape[-1] % options["group_size"]:
            packed[name] = dequantised[name] = values
            continue
        if options != kind.default:
            section[name.removesuffix(".weight")] = options
        parts = mx.quantize(values, **options)
        dequantised[name] = mx.dequantize(*parts, **options, dtype=mx.float32)
        for suffix, part in zip(("weight", "scales", "biases"), parts, strict=False):
            packed[name.removesuffix("weight") + suffix] = part
    mx.save_safetensors(str(quantised / "model.safetensors"), packed)
    mx.save_safetensors(str(plain / "model.safetensors"), dequantised)
    config = json.loads((source / "config.json").read_text("utf-8"))
    config[kind.key] = section
    (quantised / "config.json").write_text(json.dumps(config), "utf-8")
    return quantised, plain


def _is_layer(name: str, values: mx.array) -> bool:
    return name.endswith(".weight") and values.ndim == 2
