"""From the tensors of a checkpoint to the parameters of a network, without guessing.

Understands the names of the Hugging Face layout and those of the MLX layout, single or sharded,
plain or MLX-quantised. Every tensor must be wanted, every parameter must be given, and every shape
must be right; what is not becomes an error that names it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten

from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.config import VisionConfig
from gemma_tui.runtime.safetensors import read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gemma_tui.runtime.gemma4.config import Gemma4Config
    from gemma_tui.runtime.gemma4.model import Gemma4

_HINT = "Download the model again."
_EVALUATED_BYTES: Final = 64 * 1024 * 1024
"""Weights read between two reports of progress."""

_TEXT_ONLY: Final = ("layers.", "embed_tokens", "norm.", "per_layer_")
"""How the decoder's tensors begin where there is nothing but a decoder."""

_CLIP_BOUND: Final = re.compile(r"\.(input|output)_(min|max)$")
_SHARED_KEYS: Final = re.compile(
    r"^language_model\.model\.layers\.(\d+)\.self_attn\.(k_proj|v_proj|k_norm|v_norm)\."
)


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How an MLX-quantised checkpoint was quantised."""

    group_size: int
    bits: int
    mode: str
    layers: dict[str, dict[str, Any]]
    """Layers that differ, by name."""


def read_tensors(files: Sequence[Path], config: Gemma4Config) -> dict[str, mx.array]:
    """All tensors this network can use, lazily, by their name in the MLX layout.

    Raises:
        ModelError: A file is damaged, or two files give the same tensor.
    """
    tensors: dict[str, mx.array] = {}
    for file in files:
        described = read_header(file)
        try:
            stored = mx.load(str(file))
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{file.name} cannot be read ({error}).", _HINT) from error
        assert isinstance(stored, dict)
        for original in described:
            name = mlx_name(original)
            if _is_unused(name, config):
                continue
            for part, tensor in _split_experts(name, stored[original]):
                if part in tensors:
                    raise ModelError(f"Tensor {original} is given twice.", _HINT)
                tensors[part] = tensor
    return tensors


def mlx_name(name: str) -> str:
    """The name of a tensor in the MLX layout, from either layout."""
    name = name.removeprefix("model.")
    if name.startswith(_TEXT_ONLY):
        name = f"language_model.{name}"
    if name.startswith("embed_vision."):
        # transformers calls the parts of 12B's patch embedder so, and renames them when it saves.
        name = name.replace("embed_vision.multimodal_embedder.", "embed_vision.")
        name = re.sub(r"^embed_vision\.(patch_|pos_)", r"vision_embedder.\1", name)
    if name.startswith("language_model.") and not name.startswith(
        ("language_model.model.", "language_model.lm_head.")
    ):
        name = name.replace("language_model.", "language_model.model.", 1)
    return f"language_model.{name}" if name.startswith("lm_head.") else name


def _split_experts(name: str, tensor: mx.array) -> list[tuple[str, mx.array]]:
    """The experts' tensors of the Hugging Face layout as those of mlx-lm's `SwitchGLU`."""
    match name.rpartition(".experts."):
        case layer, ".experts.", "gate_up_proj":
            gate, up = mx.split(tensor, 2, axis=-2)
            part = f"{layer}.experts.switch_glu"
            return [(f"{part}.gate_proj.weight", gate), (f"{part}.up_proj.weight", up)]
        case layer, ".experts.", "down_proj":
            return [(f"{layer}.experts.switch_glu.down_proj.weight", tensor)]
    return [(name, tensor)]


def _is_unused(name: str, config: Gemma4Config) -> bool:
    """Tensors the reference ignores too."""
    text, vision = config.text, config.vision
    if "rotary_emb" in name:
        return True
    if name == "language_model.lm_head.weight" and text.tie_word_embeddings:
        return True
    if match := _SHARED_KEYS.match(name):
        return int(match[1]) >= text.num_hidden_layers - text.num_kv_shared_layers
    if _CLIP_BOUND.search(name):
        unclipped_vision = isinstance(vision, VisionConfig) and not vision.use_clipped_linears
        return not name.startswith(("vision_tower.", "audio_tower.")) or (
            name.startswith("vision_tower.") and unclipped_vision
        )
    return False


def quantise_layers(
    model: Gemma4, tensors: dict[str, mx.array], quantisation: Quantisation | None
) -> None:
    """Give `model` quantised layers where the checkpoint has them.

    Raises:
        ModelError: The checkpoint has quantised layers but does not say how.
    """
    quantised = {name.removesuffix(".scales") for name in tensors if name.endswith(".scales")}
    if not quantised:
        return
    if quantisation is None:
        raise ModelError("The weights are quantised, but config.json does not say how.", _HINT)

    def choose(path: str, module: nn.Module) -> bool | dict[str, Any]:
        if path not in quantised or not hasattr(module, "to_quantized"):
            return False
        return quantisation.layers.get(path, True)

    nn.quantize(
        model,
        group_size=quantisation.group_size,
        bits=quantisation.bits,
        mode=quantisation.mode,
        class_predicate=choose,
    )


def fill(
    model: Gemma4,
    tensors: dict[str, mx.array],
    *,
    upcast: bool,
    report: Callable[[float], None],
) -> int:
    """Put the tensors into the network and read them.

    Args:
        model: Its parameters are replaced.
        tensors: As `read_tensors` and `quantise_layers` left them.
        upcast: Turn bf16 and fp16 into fp32, the fast type where there is no GPU.
        report: Called with the fraction of bytes read, 0 to 1.

    Returns:
        Bytes of the weights in memory.

    Raises:
        ModelError: A tensor is unknown, missing, misshapen, of a foreign type, or holds values
            that are not numbers.
    """
    expected = dict(tree_flatten(model.parameters()))
    if unknown := sorted(tensors.keys() - expected.keys()):
        raise ModelError(
            f"The weights hold a tensor this model has no use for: {unknown[0]}.", _HINT
        )
    if missing := sorted(expected.keys() - tensors.keys()):
        raise ModelError(f"The weights lack tensor {missing[0]}.", _HINT)
    ready = []
    for name, tensor in sorted(tensors.items()):
        fitted = _fit(name, tensor, expected[name])
        if upcast and fitted.dtype in (mx.bfloat16, mx.float16):
            fitted = fitted.astype(mx.float32)
        ready.append((name, fitted))
    model.load_weights(ready, strict=True)
    _read(ready, report)
    return sum(array.nbytes for _, array in ready)


def _fit(name: str, tensor: mx.array, expected: mx.array) -> mx.array:
    """The tensor in the expected shape, with the axes of PyTorch's convolutions put in order."""
    shape = expected.shape
    if mx.issubdtype(tensor.dtype, mx.floating) != mx.issubdtype(expected.dtype, mx.floating):
        raise ModelError(f"Tensor {name} has a type ({tensor.dtype}) it cannot have.", _HINT)
    if tensor.shape == shape:
        return tensor
    if name.endswith((".conv.weight", ".depthwise_conv1d.weight")) and tensor.ndim == len(shape):
        turned = mx.moveaxis(tensor, 1, -1)
        if turned.shape == shape:
            return turned
    raise ModelError(
        f"Tensor {name} has shape {list(tensor.shape)}, but config.json asks for {list(shape)}.",
        _HINT,
    )


def _read(weights: list[tuple[str, mx.array]], report: Callable[[float], None]) -> None:
    """Evaluate a few at a time, so that progress is real and nothing is held twice."""
    total = sum(array.nbytes for _, array in weights) or 1
    done = 0
    pending = 0
    waiting: list[tuple[str, mx.array]] = []
    for index, (name, array) in enumerate(weights):
        waiting.append((name, array))
        pending += array.nbytes
        if pending < _EVALUATED_BYTES and index + 1 < len(weights):
            continue
        checks = [_is_sound(*item) for item in waiting]
        mx.eval([item for _, item in waiting], checks)
        for (bad, _), check in zip(waiting, checks, strict=True):
            if not check.item():
                raise ModelError(f"Tensor {bad} holds values that are not numbers.", _HINT)
        done += pending
        report(done / total)
        pending, waiting = 0, []


def _is_sound(name: str, array: mx.array) -> mx.array:
    if not mx.issubdtype(array.dtype, mx.floating):
        return mx.array(True)
    # A bound may be infinite: that is how "no bound" is stored.
    bad = mx.isnan(array) if _CLIP_BOUND.search(name) else ~mx.isfinite(array)
    return ~mx.any(bad)
