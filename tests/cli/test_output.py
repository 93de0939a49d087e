"""The answer on one stream, the progress on the other."""

from __future__ import annotations

import errno
import io
import json

import pytest

from gemma_tui.cli.output import Answer, Progress, to_json
from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Message,
    MessageState,
    TextPart,
    ThoughtPart,
    Usage,
)
from gemma_tui.errors import GemmaError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(pieces: list[str], stream: io.StringIO) -> str:
    answer = Answer(stream, Progress(io.StringIO()))
    for piece in pieces:
        answer.write(piece)
    answer.end()
    answer.end()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], ""),
        (["a", "", "b"], "ab\n"),
        (["a\n"], "a\n"),
        (["a", "\n"], "a\n"),
        (["a\n\n"], "a\n\n"),
    ],
)
def test_an_answer_ends_its_last_line(pieces: list[str], expected: str) -> None:
    assert written(pieces, io.StringIO()) == expected


def test_only_a_terminal_gets_it_sanitised() -> None:
    attack = ["\x1b]52", ";c;ZXZpbA==\x07", "\x9b2J", "safe\ttext"]
    assert written(attack, io.StringIO()) == "".join(attack) + "\n"
    shown = written(attack, Terminal())
    assert not set("\x1b\x07\x9b") & set(shown)
    assert "safe\ttext" in shown


def test_a_stream_that_takes_no_more_is_a_sentence() -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    class Left(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    with pytest.raises(GemmaError, match=r"cannot be written.*No space left"):
        written(["a"], Full())
    with pytest.raises(BrokenPipeError):
        written(["a"], Left())


def test_progress_makes_room_for_the_answer() -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress.show("loading\x1b[2J")
    assert "loading" in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()
    Answer(io.StringIO(), progress).write("text")
    assert stream.getvalue().endswith("\r\x1b[K")
    length = len(stream.getvalue())
    progress.clear()
    assert len(stream.getvalue()) == length


def test_progress_is_silent_in_a_pipe() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.show("loading")
    progress.clear()
    assert stream.getvalue() == ""


def test_json_tells_what_was_used() -> None:
    picture = Attachment("aa" * 32, "image", "a.png", "image/png", 10, 1024, 768, 0, 280)
    sound = Attachment("bb" * 32, "audio", "b.wav", "audio/wav", 20, 0, 0, 16_000)
    parts = (AttachmentPart(picture), TextPart("?"), AttachmentPart(sound))
    question = Message(1, 7, None, "user", parts, MessageState.COMPLETE, 0.0)
    usage = Usage(300, 20, 10, 0.5, 2.0, 99)
    answer = (ThoughtPart("hm"), TextPart("caf\u00e9"))
    state = MessageState.COMPLETE
    reply = Message(2, 7, 1, "model", answer, state, 0.0, "Gemma", "stop", usage)
    line = to_json(question, reply, saved=True)
    assert "\n" not in line
    assert json.loads(line) == {
        "text": "caf\u00e9",
        "thought": "hm",
        "model": "Gemma",
        "finish_reason": "stop",
        "usage": {
            "prompt_tokens": 300,
            "cached_tokens": 20,
            "generated_tokens": 10,
            "prefill_seconds": 0.5,
            "decode_seconds": 2.0,
            "tokens_per_second": 5.0,
            "peak_memory_bytes": 99,
        },
        "attachments": [
            {
                "name": "a.png",
                "kind": "image",
                "media_type": "image/png",
                "size_bytes": 10,
                "width": 1024,
                "height": 768,
                "token_budget": 280,
                "soft_tokens": 266,
            },
            {
                "name": "b.wav",
                "kind": "audio",
                "media_type": "audio/wav",
                "size_bytes": 20,
                "sample_count": 16_000,
                "clips": 1,
                "soft_tokens": 25,
            },
        ],
        "conversation_id": 7,
    }
    assert json.loads(to_json(question, reply, saved=False))["conversation_id"] is None
