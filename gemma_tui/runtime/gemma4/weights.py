"""From the tensors of a checkpoint to the parameters of a network, without guessing.

Understands the names of the Hugging Face layout and those of the MLX layout, single or sharded,
plain or MLX-quantised. Every tensor must be wanted, every parameter must be given, and every shape
must be right; what is not becomes an error that names it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import mlx.core as mx
from mlx.utils import tree_flatten

from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.config import VisionConfig
from gemma_tui.runtime.gemma4.quantisation import scales_are_sound
from gemma_tui.runtime.safetensors import StoredTensor, read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from gemma_tui.runtime.gemma4.config import Gemma4Config
    from gemma_tui.runtime.gemma4.model import Gemma4

_HINT = "Download the model again."
_EVALUATED_BYTES: Final = 64 * 1024 * 1024
"""Weights read between two reports of progress."""

_VISION: Final = ("vision_tower.", "embed_vision.", "vision_embedder.")
_AUDIO: Final = ("audio_tower.", "embed_audio.")
"""How the names of what belongs to one sense begin."""
_TEXT_ONLY: Final = ("layers.", "embed_tokens", "norm.", "per_layer_")
"""How the decoder's tensors begin where there is nothing but a decoder."""

_CLIP_BOUND: Final = re.compile(r"\.(input|output)_(min|max)$")
_SHARED_KEYS: Final = re.compile(
    r"^language_model\.model\.layers\.(\d+)\.self_attn\.(k_proj|v_proj|k_norm|v_norm)\."
)


def described_tensors(files: Sequence[Path], config: Gemma4Config) -> dict[str, StoredTensor]:
    """What the headers say of all tensors this network can use, by their names in the MLX layout.

    Raises:
        ModelError: A file is damaged.
    """
    named = (
        (mlx_name(name), tensor) for file in files for name, tensor in read_header(file).items()
    )
    return {name: tensor for name, tensor in named if not _is_unused(name, config)}


def memory_bytes(tensor: StoredTensor, *, upcast: bool) -> int:
    """Bytes of a stored tensor in memory; `upcast` as for `fill`."""
    return (tensor.stop - tensor.start) * (1 + (upcast and tensor.dtype in ("BF16", "F16")))


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
    if name.startswith("language_model.lm_head.") and text.tie_word_embeddings:
        return True
    if match := _SHARED_KEYS.match(name):
        return int(match[1]) >= text.num_hidden_layers - text.num_kv_shared_layers
    if _CLIP_BOUND.search(name):
        unclipped_vision = isinstance(vision, VisionConfig) and not vision.use_clipped_linears
        return not name.startswith(("vision_tower.", "audio_tower.")) or (
            name.startswith("vision_tower.") and unclipped_vision
        )
    return False


def without_absent_towers(
    config: Gemma4Config, names: Iterable[str]
) -> tuple[Gemma4Config, tuple[str, ...]]:
    """The config without the senses of which the weights hold nothing at all.

    A tower that is there in part stays, so that what it lacks is named when it is filled.

    Args:
        config: As read from the checkpoint.
        names: Of every tensor, in the MLX layout.

    Returns:
        The config, and a sentence for each sense that was taken away.
    """
    has_vision = has_audio = False
    for name in names:
        has_vision = has_vision or name.startswith(_VISION)
        has_audio = has_audio or name.startswith(_AUDIO)
    limitations = []
    if config.vision is not None and not has_vision:
        config = replace(config, vision=None)
        limitations.append("It cannot see: the folder holds no weights of a vision tower.")
    if config.audio is not None and not has_audio:
        config = replace(config, audio=None)
        limitations.append("It cannot hear: the folder holds no weights of an audio tower.")
    return config, tuple(limitations)


def fitted(model: Gemma4, tensors: Mapping[str, mx.array]) -> dict[str, mx.array]:
    """The tensors in the shapes and the order of axes of the network's parameters, lazily.

    Raises:
        ModelError: A tensor is unknown, missing, misshapen, or of a foreign type.
    """
    expected = dict(tree_flatten(model.parameters()))
    if unknown := sorted(tensors.keys() - expected.keys()):
        raise ModelError(
            f"The weights hold a tensor this model has no use for: {unknown[0]}.", _HINT
        )
    if missing := sorted(expected.keys() - tensors.keys()):
        raise ModelError(f"The weights lack tensor {missing[0]}.", _HINT)
    return {name: _fit(name, tensors[name], expected[name]) for name in sorted(tensors)}


def fill(
    model: Gemma4,
    tensors: Mapping[str, mx.array],
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
    ready = []
    for name, tensor in fitted(model, tensors).items():
        is_half = upcast and tensor.dtype in (mx.bfloat16, mx.float16)
        ready.append((name, tensor.astype(mx.float32) if is_half else tensor))
    model.load_weights(ready, strict=True)
    modes = {
        f"{name}.scales": module.mode
        for name, module in model.named_modules()
        if isinstance(getattr(module, "mode", None), str)
    }
    _read(ready, modes, report)
    return sum(array.nbytes for _, array in ready)


def _fit(name: str, tensor: mx.array, expected: mx.array) -> mx.array:
    """The tensor in the expected shape, with the axes of PyTorch's convolutions put in order."""
    shape = expected.shape
    is_float, wants_float = (mx.issubdtype(x.dtype, mx.floating) for x in (tensor, expected))
    if is_float != wants_float or not (is_float or tensor.dtype == expected.dtype):
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


def _read(
    weights: list[tuple[str, mx.array]], modes: dict[str, str], report: Callable[[float], None]
) -> None:
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
        checks = [is_sound(*item, modes) for item in waiting]
        mx.eval([item for _, item in waiting], checks)
        for (bad, _), check in zip(waiting, checks, strict=True):
            if not check.item():
                raise not_numbers(bad)
        done += pending
        report(done / total)
        pending, waiting = 0, []


def not_numbers(name: str) -> ModelError:
    """The error for a tensor with NaN or infinity in it."""
    return ModelError(f"Tensor {name} holds values that are not numbers.", _HINT)


def is_sound(name: str, array: mx.array, modes: Mapping[str, str]) -> mx.array:
    """Whether all values are numbers, as one lazy boolean.

    Args:
        name: In the MLX layout.
        array: Any tensor, or some rows of it.
        modes: How quantised scales are stored, by their name.
    """
    if array.dtype == mx.uint8 and name in modes:
        return scales_are_sound(array, modes[name])
    if not mx.issubdtype(array.dtype, mx.floating):
        return mx.array(True)
    # A bound may be infinite: that is how "no bound" is stored.
    bad = mx.isnan(array) if _CLIP_BOUND.search(name) else ~mx.isfinite(array)
    return ~mx.any(bad)
