"""Opening what may be anything, and naming what went wrong inside a decoder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import DamagedFileError, LimitError, NotAFileError
from gemma_tui.preprocessing.source import decoding, open_file

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_closed_afterwards(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"bytes")
    with open_file(tmp_path / "a", "a") as file:
        assert file.read() == b"bytes"
    assert file.closed


def test_refused_places_leave_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "fifo")
    free = os.dup(0)
    os.close(free)
    for name, error in (("empty", DamagedFileError), ("fifo", NotAFileError), (".", NotAFileError)):
        with pytest.raises(error), open_file(tmp_path / name, name):
            pytest.fail("it must not be opened")
    again = os.dup(0)
    os.close(again)
    assert again == free


@pytest.mark.parametrize("error", [OSError("cut"), SyntaxError(), KeyError(3), ZeroDivisionError()])
def test_whatever_a_decoder_raises_is_a_damaged_file(error: Exception) -> None:
    with pytest.raises(DamagedFileError) as caught, decoding("a.png"):
        raise error
    assert caught.value.__cause__ is error
    assert str(caught.value).startswith("“a.png” is cut off or damaged")


def test_too_little_memory_is_not_the_fault_of_the_file() -> None:
    with pytest.raises(LimitError, match="more memory"), decoding("a.png"):
        raise MemoryError


def test_sentences_pass_through() -> None:
    with pytest.raises(LimitError, match=r"^already said$"), decoding("a.png"):
        raise LimitError("already said")
