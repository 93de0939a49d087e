"""What a pipe brings: text to the question, or a file."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemma_tui.cli.question import MAX_TEXT_BYTES, Question
from gemma_tui.errors import LimitError, StorageError, UsageError


def piped(question: Question, content: bytes, folder: Path) -> Question:
    return question.with_pipe(io.BytesIO(content), folder)


@pytest.mark.parametrize(
    ("prompt", "content", "expected"),
    [
        ("Why?", b"", "Why?"),
        ("", b"Why?\n", "Why?"),
        ("Sum up:", b"one\ntwo\n", "Sum up:\n\none\ntwo"),
        ("Why?", b"\n \n", "Why?"),
        ("", b"  indented\n    more\n", "  indented\n    more"),
        ("", "caf\u00e9".encode(), "caf\u00e9"),
        ("", b"\xef\xbb\xbfmarked", "marked"),
    ],
)
def test_text_follows_the_prompt(
    tmp_path: Path, prompt: str, content: bytes, expected: str
) -> None:
    question = piped(Question(prompt), content, tmp_path)
    assert (question.prompt, question.files) == (expected, ())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WAVE", b"\xff\xfb\x90"])
def test_what_is_no_text_is_attached(tmp_path: Path, content: bytes) -> None:
    question = piped(Question("What?", files=("a.png",)), content, tmp_path)
    assert question.prompt == "What?"
    assert question.files == ("a.png", str(tmp_path / "stdin"))
    assert (tmp_path / "stdin").read_bytes() == content


def test_the_pipe_takes_the_place_it_was_given(tmp_path: Path) -> None:
    question = piped(Question("?", files=("a.png", "-", "b.png")), b"even text", tmp_path)
    assert question.files == ("a.png", str(tmp_path / "stdin"), "b.png")
    assert question.prompt == "?"
    assert (tmp_path / "stdin").read_bytes() == b"even text"


def test_an_empty_pipe_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the pipe is empty"):
        piped(Question("?", files=("-",)), b"", tmp_path)


def test_a_file_alone_is_a_question(tmp_path: Path) -> None:
    assert Question(files=("a.png",)).with_pipe(None, tmp_path).files == ("a.png",)


@pytest.mark.parametrize("content", [b"", b"\n\t "])
def test_nothing_to_ask(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match="nothing to ask"):
        piped(Question(), content, tmp_path)
    with pytest.raises(UsageError, match="nothing to ask"):
        Question().with_pipe(None, tmp_path)


def test_a_pipe_that_does_not_end_is_refused(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return bytes(size)

    with pytest.raises(LimitError, match="more than"):
        Question("?").with_pipe(Endless(), tmp_path)  # type: ignore[arg-type]


def test_text_beyond_any_context_is_refused(tmp_path: Path) -> None:
    content = b"word " * (MAX_TEXT_BYTES // 5 + 1)
    with pytest.raises(LimitError, match=r"more than 8 MB of text.*Pipe a part"):
        piped(Question("Sum up:"), content, tmp_path)
    assert piped(Question("?", files=("-",)), content, tmp_path).files == (str(tmp_path / "stdin"),)


def test_a_piped_file_without_a_place_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        piped(Question("?"), b"\0", tmp_path / "gone")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1))
def test_no_byte_of_a_pipe_is_lost(tmp_path: Path, content: bytes) -> None:
    question = piped(Question("?"), content, tmp_path)
    if question.files:
        assert Path(question.files[0]).read_bytes() == content
    else:
        text = content.removeprefix(b"\xef\xbb\xbf").decode()
        assert question.prompt == "?" if not text.strip() else text.strip("\n") in question.prompt
