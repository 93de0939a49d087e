"""The header of a safetensors file, checked against the file before anything else reads it.

Reads the header only. A file that passes can be mapped without running past its end.
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

MAX_HEADER_BYTES: Final = 16 * 1024 * 1024
"""The format allows 100 MB, which takes seconds to parse; no Gemma 4 comes near 1 MB."""

MAX_DIMENSIONS: Final = 8
MAX_SIZE: Final = 2**48
"""Of one dimension: what no file can hold needs no arithmetic."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]{1,256}")
"""No separators of paths and no control characters: a tensor's name is shown, and converted."""

ITEM_BITS: Final = {
    "BF16": 16,
    "F16": 16,
    "F32": 32,
    "BOOL": 8,
    "I8": 8,
    "I16": 16,
    "I32": 32,
    "I64": 64,
    "U8": 8,
    "U16": 16,
    "U32": 32,
    "U64": 64,
}
"""Types a Gemma 4 checkpoint may store."""

_HINT = "Download the model again."


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor as its header describes it."""

    dtype: str
    """The format's name, for example `BF16`."""
    shape: tuple[int, ...]
    start: int
    """First byte, counted from the end of the header."""
    stop: int


def read_header(path: Path) -> dict[str, StoredTensor]:
    """All tensors of a file by name.

    Raises:
        ModelError: The header is damaged or does not fit the file; names the file, and the tensor
            where there is one to blame.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
            if not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
                raise ModelError(
                    f"{path.name} is damaged: its header does not fit the file.", _HINT
                )
            raw = file.read(length)
    except OSError as error:
        raise ModelError(
            f"{path.name} cannot be read ({error.strerror}).", "Check its permissions."
        ) from error
    content = _parse(path.name, raw)
    _check_metadata(path.name, content.pop("__metadata__", {}))
    tensors = {name: _read_entry(path.name, name, entry) for name, entry in content.items()}
    _check_layout(path.name, tensors, size - 8 - length)
    return tensors


def _parse(file_name: str, raw: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            # Which of the two counts would depend on the reader.
            raise ModelError(f"{file_name} is damaged: its header says something twice.", _HINT)
        return table

    try:
        content = json.loads(raw.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file_name} is damaged: its header is not JSON.", _HINT) from error
    if not isinstance(content, dict):
        raise ModelError(f"{file_name} is damaged: its header is not a table.", _HINT)
    return content


def _check_metadata(file_name: str, metadata: object) -> None:
    if metadata is None:  # as MLX writes when there are none
        return
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ModelError(f"{file_name} is damaged: its metadata are not texts.", _HINT)


def _read_entry(file_name: str, name: str, entry: object) -> StoredTensor:
    broken = ModelError(
        f"{file_name} describes tensor {name[:80]} in a way nobody can read.", _HINT
    )
    if not isinstance(entry, dict):
        raise broken
    if not _NAME.fullmatch(name):
        raise ModelError(f"{file_name} is damaged: {name[:80]!r} is no name of a tensor.", _HINT)
    dtype = entry.get("dtype")
    shape, offsets = _sizes(entry.get("shape")), _sizes(entry.get("data_offsets"))
    if shape is None or offsets is None or len(offsets) != 2:
        raise broken
    if not isinstance(dtype, str) or dtype not in ITEM_BITS:
        raise ModelError(
            f"Tensor {name[:80]} has type {str(dtype)[:20]}, which this program does not read.",
            "Choose an unquantised or an MLX-quantised copy of the model.",
        )
    if len(shape) > MAX_DIMENSIONS or max((*shape, *offsets)) > MAX_SIZE:
        raise broken
    stored = StoredTensor(dtype, shape, start=offsets[0], stop=offsets[1])
    if (stored.stop - stored.start) * 8 != math.prod(stored.shape) * ITEM_BITS[dtype]:
        raise broken
    return stored


def _sizes(value: object) -> tuple[int, ...] | None:
    """A list of whole numbers from 0 on; None if it is anything else."""
    if not isinstance(value, list):
        return None
    if any(isinstance(item, bool) or not isinstance(item, int) or item < 0 for item in value):
        return None
    return tuple(value)


def _check_layout(file_name: str, tensors: dict[str, StoredTensor], data_bytes: int) -> None:
    """The format wants tensors end to end, without gaps, up to the end of the file."""
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].stop)):
        if tensor.start != end:
            raise ModelError(f"{file_name} is damaged: tensor {name[:80]} is misplaced.", _HINT)
        end = tensor.stop
        if end > data_bytes:
            raise ModelError(
                f"{file_name} is truncated: tensor {name[:80]} lies beyond its end.", _HINT
            )
    if end != data_bytes:
        raise ModelError(f"{file_name} is damaged: {data_bytes - end} bytes too many.", _HINT)
