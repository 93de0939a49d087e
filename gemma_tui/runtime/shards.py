"""safetensors files read and written by rows, so that no tensor has to be in memory as a whole.

What will be written is planned first: a header stands before the data. Knows bytes and shapes,
nothing of layers.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
import numpy as np

from gemma_tui.runtime.safetensors import read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO, Self

SHARD_BYTES: Final = 5_000_000_000
"""Of one file, as mlx-lm splits."""

_NAMES: Final = {
    mx.bfloat16: "BF16",
    mx.float16: "F16",
    mx.float32: "F32",
    mx.uint32: "U32",
    mx.uint8: "U8",
}
_READABLE: Final[dict[str, tuple[type[np.generic], mx.Dtype]]] = {
    "BF16": (np.uint16, mx.bfloat16),
    "F16": (np.float16, mx.float16),
    "F32": (np.float32, mx.float32),
}
"""How numpy carries a stored type, and what MLX makes of the same bits."""


@dataclass(frozen=True, slots=True)
class StoredRows:
    """A tensor in a file, of which some rows can be read."""

    path: Path
    offset: int
    """Of its first byte in the file."""
    dtype: str
    shape: tuple[int, ...]

    def read(self, start: int, stop: int) -> mx.array:
        """Rows `start` to `stop` of a matrix, in the stored type."""
        carrier, dtype = _READABLE[self.dtype]
        width = self.shape[1]
        count = (stop - start) * width
        offset = self.offset + start * width * np.dtype(carrier).itemsize
        values = np.fromfile(self.path, dtype=carrier, count=count, offset=offset)
        return mx.array(values.reshape(stop - start, width)).view(dtype)


def stored_rows(files: Sequence[Path], rename: Callable[[str], str]) -> dict[str, StoredRows]:
    """Where the tensors of checked files lie, by their new names."""
    found = {}
    for path in files:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
        for name, tensor in read_header(path).items():
            if tensor.dtype in _READABLE:
                offset = 8 + length + tensor.start
                found[rename(name)] = StoredRows(path, offset, tensor.dtype, tensor.shape)
    return found


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """What becomes of one tensor: itself, or the parts of its quantised form."""

    name: str
    parts: dict[str, tuple[str, tuple[int, ...], int]]
    """The format's type, the shape and the bytes of what is stored, by name."""
    options: dict[str, Any] | None
    """Arguments of `mx.quantize`."""

    @classmethod
    def of(
        cls, name: str, parts: Mapping[str, mx.array], options: dict[str, Any] | None
    ) -> PlannedTensor:
        """From lazy arrays, which stay lazy."""
        described = {
            part: (_NAMES[array.dtype], tuple(array.shape), array.nbytes)
            for part, array in parts.items()
        }
        return cls(name, described, options)

    @property
    def byte_count(self) -> int:
        """Bytes of all its parts."""
        return sum(size for _, _, size in self.parts.values())


class ShardWriter:
    """Writes planned tensors, in their order, into as many files as they need; a context.

    Args:
        folder: Where to.
        plan: Everything that will be appended.
        shard_bytes: Most bytes of data in one file; a tensor is never split.
    """

    def __init__(
        self, folder: Path, plan: Sequence[PlannedTensor], *, shard_bytes: int = SHARD_BYTES
    ) -> None:
        self._folder = folder
        self._shards = _divide(plan, shard_bytes)
        self._file: BinaryIO | None = None
        self._current = -1
        self._places: dict[str, int] = {}
        """Where the next bytes of each part of the open file go."""

    def append(self, item: PlannedTensor, arrays: Sequence[mx.array]) -> None:
        """Write the next rows of a tensor's parts; tensors come in the order of the plan.

        Raises:
            OSError: The disk takes no more.
        """
        while next(iter(item.parts)) not in self._places:
            self._open_next()
        assert self._file is not None
        for name, array in zip(item.parts, arrays, strict=True):
            data = np.asarray(array.reshape(-1).view(mx.uint8)).data
            self._file.seek(self._places[name])
            self._file.write(data)
            self._places[name] += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write_index(self) -> None:
        """Say what is in which file, if there are several."""
        if len(self._shards) == 1:
            return
        weight_map = {
            part: self._name(number)
            for number, shard in enumerate(self._shards)
            for item in shard
            for part in item.parts
        }
        total = sum(item.byte_count for shard in self._shards for item in shard)
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
        path = self._folder / "model.safetensors.index.json"
        path.write_text(json.dumps(index, indent=2), "utf-8")

    def _name(self, number: int) -> str:
        count = len(self._shards)
        return (
            "model.safetensors"
            if count == 1
            else f"model-{number + 1:05}-of-{count:05}.safetensors"
        )

    def _open_next(self) -> None:
        if self._file is not None:
            self._file.close()
        self._current += 1
        header: dict[str, Any] = {"__metadata__": {"format": "mlx"}}
        ends: dict[str, int] = {}
        end = 0
        for item in self._shards[self._current]:
            for name, (dtype, shape, size) in item.parts.items():
                header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
                ends[name] = end
                end += size
        raw = json.dumps(header).encode()
        raw += b" " * (-len(raw) % 8)
        self._file = (self._folder / self._name(self._current)).open("wb")
        self._file.write(struct.pack("<Q", len(raw)) + raw)
        self._places = {name: start + 8 + len(raw) for name, start in ends.items()}


def _divide(plan: Sequence[PlannedTensor], shard_bytes: int) -> list[list[PlannedTensor]]:
    shards: list[list[PlannedTensor]] = [[]]
    filled = 0
    for item in plan:
        if shards[-1] and filled + item.byte_count > shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(item)
        filled += item.byte_count
    return shards
