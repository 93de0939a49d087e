"""Safetensors files that are wrong in one way each."""

from __future__ import annotations

import json
import os
import pickle
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Trap:
    """When unpickled, it makes a folder: the proof that something was executed."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self._canary),))


def pickled_trap(canary: Path) -> bytes:
    return pickle.dumps(Trap(canary))


def entry(start: int, stop: int, dtype: str = "F32", shape: Any = (2,)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


def file(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def twice(name: str, *values: object) -> bytes:
    """A JSON object that says the same name several times."""
    return ("{" + ",".join(f'"{name}":{json.dumps(value)}' for value in values) + "}").encode()


GOOD = {"a": entry(0, 8), "b": entry(8, 16)}

MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "seven bytes": bytes(7),
    "header beyond the file": file(GOOD, bytes(16), 10_000),
    "huge header": file(GOOD, bytes(16), 2**63),
    "header of 17 MB": file(b" " * (17 << 20) + b"{}"),
    "header not JSON": file(b"{a: 1}"),
    "header not UTF-8": file('{"a": 1}'.encode("utf-16")),
    "header not a table": file([1]),
    "header deeply nested": file(b"[" * 1_000_000),
    "a number of a million digits": file(b'{"a":' + b"9" * 1_000_000 + b"}"),
    "overlapping": file({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12)),
    "the same bytes twice": file({"a": entry(0, 8), "b": entry(0, 8)}, bytes(8)),
    "a gap": file({"a": entry(0, 8), "b": entry(12, 20)}, bytes(20)),
    "a gap at the start": file({"a": entry(4, 12)}, bytes(12)),
    "bytes left over": file(GOOD, bytes(17)),
    "truncated data": file(GOOD, bytes(15)),
    "no data": file(GOOD),
    "beyond the file": file({"a": entry(0, 2**40, shape=(2**38,))}, bytes(8)),
    "duplicate tensor": file(twice("a", entry(0, 8), entry(8, 16)), bytes(16)),
    "duplicate field": file(b'{"a":' + twice("dtype", "F32", "F16") + b"}"),
    "unknown type": file({"a": entry(0, 8, "F8_E4M3", (8,))}, bytes(8)),
    "type not a text": file({"a": {**entry(0, 8), "dtype": 4}}, bytes(8)),
    "type of another size": file({"a": entry(0, 8, "BF16")}, bytes(8)),
    "shape overflow": file({"a": entry(0, 8, shape=(2**62, 2**62, 4))}, bytes(8)),
    "shape wraps to the right size": file({"a": entry(0, 8, shape=(2**63, 2**62, 2))}, bytes(8)),
    "a million dimensions": file({"a": entry(0, 8, shape=[2**62] * 200_000)}, bytes(8)),
    "negative shape": file({"a": entry(0, 8, shape=(-1, -2))}, bytes(8)),
    "negative offset": file({"a": entry(-8, 0)}, bytes(8)),
    "backwards": file({"a": entry(8, 0)}, bytes(8)),
    "fractional shape": file({"a": entry(0, 8, shape=(2.0,))}, bytes(8)),
    "no offsets": file({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)),
    "not an entry": file({"a": "b"}, bytes(8)),
    "name with NUL": file({"a\0b": entry(0, 8)}, bytes(8)),
    "name with a separator": file({"../../a": entry(0, 8)}, bytes(8)),
    "name with an escape sequence": file({"\x1b]0;a\x07": entry(0, 8)}, bytes(8)),
    "no name": file({"": entry(0, 8)}, bytes(8)),
    "a name of a megabyte": file({"a" * (1 << 20): entry(0, 8)}, bytes(8)),
    "metadata not texts": file({"__metadata__": {"a": [1]}, "a": entry(0, 8)}, bytes(8)),
    "metadata a list": file({"__metadata__": ["a"], "a": entry(0, 8)}, bytes(8)),
    "GGUF": b"GGUF" + bytes(1000),
    "an archive": b"PK\x03\x04" + bytes(1000),
    "HTML": b"<!DOCTYPE html><html>Not found</html>",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
}
