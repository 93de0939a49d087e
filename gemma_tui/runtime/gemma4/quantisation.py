"""Quantised layers as MLX tools publish them: affine, mxfp4, mxfp8 and nvfp4, one kind a layer.

The tensors say how a layer is quantised (shapes and types leave one reading); config.json says
that it is, and must not contradict them. Knows nothing of files or tensor layouts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
from mlx import nn

from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.json_fields import Fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gemma_tui.runtime.gemma4.model import Gemma4

AFFINE_BITS: Final = frozenset((2, 3, 4, 5, 6, 8))
AFFINE_GROUPS: Final = frozenset((32, 64, 128))
"""What the kernels of mlx 0.32 multiply with."""

_FLOAT_MODES: Final = {(4, 32): "mxfp4", (8, 32): "mxfp8", (4, 16): "nvfp4"}
"""(bits, group size) to the mode whose scales are 8-bit floats; each exists in one form only."""

_MLX_METHODS: Final = frozenset(("", "mlx", "affine", *_FLOAT_MODES.values()))

_HINT = "Download the model again."


@dataclass(frozen=True, slots=True)
class LayerQuantisation:
    """How one layer is quantised."""

    group_size: int
    """Neighbouring weights of a row that share a scale."""
    bits: int
    mode: str
    """`affine`, `mxfp4`, `mxfp8` or `nvfp4`."""

    def __str__(self) -> str:
        return f"{self.mode}, {self.bits} bits in groups of {self.group_size}"


@dataclass(frozen=True, slots=True)
class Quantisation:
    """What config.json says about quantised layers."""

    layers: dict[str, LayerQuantisation]
    """Layers with an entry of their own, by their name in the MLX layout."""


def read_quantisation(
    content: Mapping[str, Any], mlx_name: Callable[[str], str]
) -> Quantisation | None:
    """The `quantization` section of a parsed config.json, or its alias `quantization_config`.

    Args:
        content: The parsed file.
        mlx_name: Brings a layer's name into the MLX layout.

    Returns:
        None when the file does not speak of quantisation.

    Raises:
        ModelError: The section is malformed, or belongs to a format of another library.
    """
    fields = Fields(dict(content), "config.json")
    text = fields.section("text_config")
    for owner, raw in ((fields, content), (text, content.get("text_config"))):
        for name in ("quantization", "quantization_config"):
            section = owner.section(name) if owner else None
            if section is not None and isinstance(raw, dict):
                return _read_section(section, raw[name], mlx_name)
    return None


def _read_section(
    section: Fields, raw: Mapping[str, Any], mlx_name: Callable[[str], str]
) -> Quantisation:
    method = section.text("quant_method", default="")
    if method not in _MLX_METHODS:
        raise ModelError(
            f"The weights are quantised by {method[:40]}, which this program does not read.",
            "Choose an unquantised or an MLX-quantised copy of the model.",
        )
    layers = {}
    for name in raw:
        if isinstance(raw[name], dict):
            entry = section.section(name)
            assert entry is not None
            layers[mlx_name(name)] = _read_entry(entry)
    return Quantisation(layers)


def _read_entry(entry: Fields) -> LayerQuantisation:
    """An entry; like MLX, it fills in what a mode leaves no choice about."""
    mode = entry.text("mode", default="affine")
    defaults = {name: (group, bits) for (bits, group), name in _FLOAT_MODES.items()}
    group_size, bits = defaults.get(mode, (64, 4))
    return LayerQuantisation(
        group_size=entry.positive("group_size", default=group_size),
        bits=entry.positive("bits", default=bits),
        mode=mode,
    )


def quantised_names(tensors: Mapping[str, object]) -> set[str]:
    """Names of the layers that a checkpoint stores quantised."""
    return {name.removesuffix(".scales") for name in tensors if name.endswith(".scales")}


def quantise_layers(
    model: Gemma4, tensors: Mapping[str, mx.array], quantisation: Quantisation | None
) -> None:
    """Give `model` quantised layers where the checkpoint has them.

    Raises:
        ModelError: The checkpoint has quantised layers but does not say so, says something else
            about one of them, or has one that MLX cannot multiply with; names the layer.
    """
    quantised = quantised_names(tensors)
    if not quantised:
        return
    if quantisation is None:
        raise ModelError("The weights are quantised, but config.json does not say how.", _HINT)

    def choose(path: str, module: nn.Module) -> bool | dict[str, Any]:
        if path not in quantised or not hasattr(module, "to_quantized"):
            return False
        found = _infer(path, module, tensors)
        declared = quantisation.layers.get(path, found)
        if declared != found:
            raise ModelError(
                f"config.json says of layer {path}: {declared}. But its weights are {found}.", _HINT
            )
        return {"group_size": found.group_size, "bits": found.bits, "mode": found.mode}

    nn.quantize(model, class_predicate=choose)


def _infer(path: str, module: nn.Module, tensors: Mapping[str, mx.array]) -> LayerQuantisation:
    """How a stored layer is quantised: a row of `inputs` weights has inputs * bits / 32 words."""
    weight, scales = tensors.get(f"{path}.weight"), tensors[f"{path}.scales"]
    inputs = module.weight.shape[-1]
    if weight is None:
        raise ModelError(f"The weights lack tensor {path}.weight.", _HINT)
    if weight.dtype == mx.uint32 and weight.ndim and scales.ndim:
        bits, odd_bits = divmod(weight.shape[-1] * 32, inputs)
        group_size, odd_group = divmod(inputs, max(scales.shape[-1], 1))
        is_float = scales.dtype == mx.uint8
        mode = _FLOAT_MODES.get((bits, group_size), "") if is_float else "affine"
        fits = mode != "affine" or (bits in AFFINE_BITS and group_size in AFFINE_GROUPS)
        if mode and fits and not (odd_bits or odd_group):
            return LayerQuantisation(group_size, bits, mode)
    raise ModelError(
        f"Layer {path} is quantised in a way this program cannot compute with: {inputs} weights"
        f" in {list(weight.shape)} {weight.dtype}, scales {list(scales.shape)} {scales.dtype}.",
        "Choose another copy of the model.",
    )


def scales_are_sound(scales: mx.array, mode: str) -> mx.array:
    """Whether no 8-bit scale is NaN.

    Source: OCP Microscaling Formats 1.0: E8M0 (`mxfp4`, `mxfp8`) has one NaN, 0xFF; E4M3
    (`nvfp4`) has two, 0x7F and 0xFF.

    Args:
        scales: uint8.
        mode: The layer's.

    Returns:
        One boolean, lazy.
    """
    return mx.all((scales & 0x7F) != 0x7F) if mode == "nvfp4" else mx.all(scales != 0xFF)
