"""Values on a pipe between two of our processes: JSON, and behind it the bytes of arrays.

A frame is a 4-byte big-endian length, so much JSON, and then each array that the JSON names, in
order. Nothing is pickled: a decoder that was taken over can send numbers and our own values only.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MAX_ARRAY_BYTES: Final = 1 << 30
"""The largest picture, at its largest budget, has 8 MB; a clip has 4 MB."""

_OURS: Final = "gemma_tui."


def pack(value: object) -> tuple[bytes, list[NDArray[Any]]]:
    """A frame's beginning, and the arrays that follow it."""
    arrays: list[NDArray[Any]] = []
    text = json.dumps(_plain(value, arrays)).encode()
    return len(text).to_bytes(4, "big") + text, arrays


def unpack(text: bytes, read: Callable[[NDArray[Any]], None]) -> Any:  # noqa: ANN401  # any value
    """The value of a frame.

    Args:
        text: Its JSON.
        read: Fills an array with the bytes that come next.

    Raises:
        ValueError: It is not what `pack` makes.
    """
    return _value(json.loads(text), read)


def _plain(value: object, arrays: list[NDArray[Any]]) -> object:
    match value:
        case np.ndarray():
            arrays.append(np.ascontiguousarray(value))
            return {"array": value.dtype.str, "shape": value.shape}
        case Path():
            return {"path": str(value)}
        case tuple() | list():
            return [_plain(item, arrays) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _ if is_dataclass(value):
            cls = type(value)
            content = {f.name: _plain(getattr(value, f.name), arrays) for f in fields(value)}
            return {"class": f"{cls.__module__}:{cls.__qualname__}", "fields": content}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _value(plain: object, read: Callable[[NDArray[Any]], None]) -> Any:  # noqa: ANN401  # as above
    match plain:
        case {"array": str(kind), "shape": list(shape)}:
            dtype = np.dtype(kind)
            if dtype.kind not in "iufb" or _bytes(shape, dtype.itemsize) > MAX_ARRAY_BYTES:
                raise ValueError("an array of a kind or size that is never sent")
            array = np.empty(shape, dtype)
            read(array)
            return array
        case {"path": str(path)}:
            return Path(path)
        case {"class": str(name), "fields": dict(content)}:
            return _class(name)(**{key: _value(item, read) for key, item in content.items()})
        case list():
            return tuple(_value(item, read) for item in plain)
        case dict():
            raise ValueError("an unknown kind of value")
    return plain


def _bytes(shape: list[int], size: int) -> int:
    for side in shape:
        size *= max(0, int(side))
    return size


def _class(name: str) -> Callable[..., Any]:
    module, _, cls = name.partition(":")
    if not module.startswith(_OURS):
        raise ValueError(f"{name} is not one of our values")
    found = getattr(importlib.import_module(module), cls)
    if not (isinstance(found, type) and is_dataclass(found)):
        raise ValueError(f"{name} is not one of our values")
    return found
