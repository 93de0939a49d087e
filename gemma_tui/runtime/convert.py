"""Writes a quantised copy of a model folder, a few rows at a time.

The copy is in the MLX layout, with `quantization` in config.json as mlx-lm writes it. It appears
under its name only when it is whole. Must run on the MLX thread.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
from mlx import nn

from gemma_tui.errors import ModelError, UsageError
from gemma_tui.model_folder import open_folder
from gemma_tui.runtime.gemma4.model import Gemma4
from gemma_tui.runtime.gemma4.quantisation import (
    AFFINE_GROUPS,
    quantised_names,
    read_quantisation,
)
from gemma_tui.runtime.gemma4.read_config import read_config
from gemma_tui.runtime.gemma4.weights import (
    fitted,
    is_sound,
    mlx_name,
    not_numbers,
    read_tensors,
    without_absent_towers,
)
from gemma_tui.runtime.output_folder import FreshFolder
from gemma_tui.runtime.shards import PlannedTensor, ShardWriter, StoredRows, stored_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from gemma_tui.model_folder import ModelFolder

CONVERTED_BITS: Final = (4, 5, 6, 8)
"""Fewer are reported to lose speech (llama.cpp: its 4-bit kinds hear, its 3-bit ones do not)."""

BLOCK_BYTES: Final = 64 * 1024 * 1024
"""Weights that are in memory at a time: E2B's table of per-layer embeddings alone has 4.7 GB."""

_PER_LAYER_TABLE: Final = "language_model.model.embed_tokens_per_layer"

_KEPT: Final = ("per_layer_input_gate", "per_layer_projection", "per_layer_model_projection")
"""Projections of per-layer inputs: 1 % of the weights, and reported to double the divergence."""

_ROUTER: Final = "router.proj"
"""Chooses experts; 8 bits at least, as mlx-lm does."""

_COPIED: Final = frozenset((".json", ".jinja", ".txt", ".md", ".model", ""))
_REWRITTEN: Final = frozenset(("config.json", "model.safetensors.index.json"))


@dataclass(frozen=True, slots=True)
class Conversion:
    """What to write."""

    bits: int
    group_size: int = 64
    per_layer_bits: int | None = None
    """Of the table of per-layer embeddings; None: as all the others."""

    def check(self) -> None:
        """Raises a `UsageError` for numbers that nothing can be quantised with."""
        for bits in (self.bits, self.per_layer_bits or self.bits):
            if bits not in CONVERTED_BITS:
                raise UsageError(
                    f"Weights cannot be converted to {bits} bits.", "Choose 4, 5, 6 or 8."
                )
        if self.group_size not in AFFINE_GROUPS:
            raise UsageError(
                f"Weights cannot share a scale in groups of {self.group_size}.",
                "Choose 32, 64 or 128.",
            )

    def of(self, path: str, layer: nn.Module) -> dict[str, Any] | None:
        """How to quantise a layer: arguments of `mx.quantize`; None leaves it as it is."""
        if not path.startswith("language_model.") or not hasattr(layer, "to_quantized"):
            return None
        if path.endswith(_KEPT) or layer.weight.shape[-1] % self.group_size:
            return None
        bits = self.bits
        if path == _PER_LAYER_TABLE:
            bits = self.per_layer_bits or bits
        if path.endswith(_ROUTER):
            bits = 8
        return {"group_size": self.group_size, "bits": bits, "mode": "affine"}


def convert_folder(
    source: Path,
    target: Path,
    conversion: Conversion,
    *,
    report: Callable[[int, int], None],
    block_bytes: int = BLOCK_BYTES,
) -> int:
    """Write a quantised copy of the model in `source` as the new folder `target`.

    Args:
        source: Any folder that loads, fine-tunes too; not quantised yet.
        target: Must not be there yet; its parent must.
        conversion: How to quantise.
        report: Called with bytes done and all bytes, after every block; may raise to stop.
        block_bytes: Bytes of weights in memory at a time, where the layout allows.

    Returns:
        Bytes of the new folder's weights.

    Raises:
        UsageError: The numbers are impossible, or `target` is there.
        ModelError: `source` cannot be loaded, or is quantised.
        StorageError: `target` cannot be written; nothing is left of it.
    """
    conversion.check()
    files, modules, weights = _open(source)
    plan = _plan(modules, weights, conversion)
    others = _others(files)
    needed = sum(item.byte_count for item in plan) + sum(path.stat().st_size for path in others)
    with FreshFolder(target, needed) as folder:
        rows = stored_rows(files.weights, mlx_name)
        with ShardWriter(folder, plan) as writer:
            _write(writer, plan, weights, rows, report, block_bytes)
            writer.write_index()
        for path in others:
            shutil.copyfile(path, folder / path.name)
        content = _described(files.config, plan, conversion)
        (folder / "config.json").write_text(json.dumps(content, indent=2), "utf-8")
    return sum(item.byte_count for item in plan)


def _open(source: Path) -> tuple[ModelFolder, dict[str, nn.Module], dict[str, mx.array]]:
    """A folder that can be converted: its files, its layers by name, its tensors (lazy)."""
    files = open_folder(source)
    config = read_config(files.config)
    tensors = read_tensors(files.weights, config)
    if quantised_names(tensors) or read_quantisation(files.config, mlx_name) is not None:
        raise ModelError(
            f"The weights in {source} are quantised already: quantising them again would only"
            " lose more.",
            "Choose the unquantised folder of the model.",
        )
    config, _ = without_absent_towers(config, tensors)
    model = Gemma4(config)
    return files, dict(model.named_modules()), fitted(model, tensors)


def _plan(
    modules: Mapping[str, nn.Module], weights: Mapping[str, mx.array], conversion: Conversion
) -> list[PlannedTensor]:
    """Everything that will be stored, by computing shapes and types only."""
    plan = []
    for name, array in weights.items():
        path = name.removesuffix(".weight")
        layer = modules.get(path) if path != name else None
        options = None if layer is None else conversion.of(path, layer)
        parts = {name: array}
        if options is not None:
            packed = mx.quantize(array, **options)
            parts = dict(zip((name, f"{path}.scales", f"{path}.biases"), packed, strict=True))
        plan.append(PlannedTensor.of(name, parts, options))
    return plan


def _write(
    writer: ShardWriter,
    plan: list[PlannedTensor],
    weights: dict[str, mx.array],
    rows: Mapping[str, StoredRows],
    report: Callable[[int, int], None],
    block_bytes: int,
) -> None:
    total = sum(array.nbytes for array in weights.values())
    done = 0
    for item in plan:
        # Popped: what has been written must not stay in memory.
        whole = weights.pop(item.name)
        for block in _blocks(whole, rows.get(item.name), block_bytes):
            parts = [block] if item.options is None else mx.quantize(block, **item.options)
            check = is_sound(item.name, block, {})
            mx.eval(parts, check)
            if not check.item():
                raise not_numbers(item.name)
            writer.append(item, parts)
            done += block.nbytes
            report(done, total)
        del whole
        mx.clear_cache()


def _blocks(whole: mx.array, rows: StoredRows | None, block_bytes: int) -> Iterator[mx.array]:
    """A tensor in one piece, or a large matrix that is stored as it is in pieces of whole rows."""
    if rows is None or rows.shape != whole.shape or whole.ndim != 2 or whole.nbytes <= block_bytes:
        yield whole
        return
    step = max(1, block_bytes * whole.shape[0] // whole.nbytes)
    for start in range(0, whole.shape[0], step):
        yield rows.read(start, min(start + step, whole.shape[0]))


def _others(files: ModelFolder) -> list[Path]:
    """The files that make a folder whole beside weights and config: vocabulary, settings, card."""
    return [
        path
        for path in sorted(files.path.iterdir())
        if path.is_file()
        and path.suffix in _COPIED
        and path.name not in _REWRITTEN
        and not path.name.startswith(".")
    ]


def _described(
    config: Mapping[str, Any], plan: list[PlannedTensor], conversion: Conversion
) -> dict[str, Any]:
    """The config with what mlx-lm and mlx-vlm look for: a default, and the layers that differ."""
    default = {"group_size": conversion.group_size, "bits": conversion.bits, "mode": "affine"}
    section: dict[str, Any] = dict(default)
    for item in plan:
        if item.options is not None and item.options != default:
            section[item.name.removesuffix(".weight")] = item.options
    return {**config, "quantization": section, "quantization_config": section}
