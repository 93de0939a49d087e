from __future__ import annotations

import contextlib
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.errors import ModelError
from gemma_tui.runtime.safetensors import StoredTensor, read_header
from tests.runtime.malformed import MALFORMED, entry

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, header: object, data: bytes, length: int | None = None) -> Path:
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw) if length is None else length) + raw + data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        read_header(path)
    assert caught.value.hint
    return caught.value.message


def test_a_header_tells_types_shapes_and_places(tmp_path: Path) -> None:
    header = {"__metadata__": {"format": "pt"}, "b": entry(8, 12, "BF16", (1, 2)), "a": entry(0, 8)}
    found = read_header(written(tmp_path / "w.safetensors", header, bytes(12)))
    assert found == {
        "b": StoredTensor("BF16", (1, 2), 8, 12),
        "a": StoredTensor("F32", (2,), 0, 8),
    }


@pytest.mark.parametrize("length", [0, 1, 10_000, 2**63, 2**64 - 1])
def test_a_header_longer_than_the_file_is_refused(tmp_path: Path, length: int) -> None:
    path = written(tmp_path / "w.safetensors", {"a": entry(0, 8)}, bytes(8), length)
    assert "header does not fit" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"1234567", bytes(8), b"\x02" + bytes(7)])
def test_a_file_without_a_header_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    assert "w.safetensors is damaged" in refusal(path)


def test_a_truncated_file_names_the_tensor_that_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path / "w.safetensors", {"a": entry(0, 8), "b": entry(8, 16)}, bytes(15))
    assert refusal(path) == "w.safetensors is truncated: tensor b lies beyond its end."


@pytest.mark.parametrize(
    "header",
    [
        {"a": entry(0, 8), "b": entry(4, 12)},
        {"a": entry(0, 8), "b": entry(12, 20)},
        {"a": entry(4, 12)},
        {"a": entry(0, 8)},
    ],
    ids=["overlapping", "a gap", "not at the start", "bytes left over"],
)
def test_tensors_must_lie_end_to_end(tmp_path: Path, header: object) -> None:
    assert "damaged" in refusal(written(tmp_path / "w.safetensors", header, bytes(20)))


@pytest.mark.parametrize(
    "broken",
    [
        entry(0, 4),
        entry(8, 0),
        entry(0, 8, shape=(-2,)),
        entry(0, 8, shape=(True, 2)),
        entry(0, 8, shape=(2.0,)),
        {"dtype": "F32", "shape": "2", "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 9]},
        {"dtype": "F32", "shape": [2]},
        [],
        None,
    ],
)
def test_an_impossible_entry_names_its_tensor(tmp_path: Path, broken: object) -> None:
    path = written(tmp_path / "w.safetensors", {"some.tensor": broken}, bytes(8))
    assert "some.tensor" in refusal(path)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F64", "", None, 4, ["F32"]])
def test_an_unknown_type_is_named(tmp_path: Path, dtype: Any) -> None:
    path = written(tmp_path / "w.safetensors", {"a": entry(0, 8, dtype)}, bytes(8))
    assert "Tensor a has type" in refusal(path)


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    message = refusal(path)
    assert "w.safetensors" in message or "Tensor a" in message
    assert message.isprintable()
    assert len(message) < 300


@given(content=st.binary(max_size=200), length=st.integers(0, 220))
def test_no_bytes_do_worse_than_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, length: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(struct.pack("<Q", length) + content)
    with contextlib.suppress(ModelError):
        found = read_header(path)
        assert all(0 <= tensor.start <= tensor.stop <= len(content) for tensor in found.values())
