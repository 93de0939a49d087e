"""The prompt made from a branch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Draft,
    Message,
    MessageState,
    Part,
    Role,
    Segment,
    TextPart,
    ThoughtPart,
)
from gemma_tui.errors import LimitError, StorageError, UnsupportedFormatError
from gemma_tui.generation import Media, PromptMessage
from gemma_tui.text_file import MAX_TEXT_BYTES, decode_text, fenced
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult
from gemma_tui.turn import to_prompt

QUESTION = (TextPart("why?"),)


def message(role: Role, *parts: Part) -> Message:
    return Message(1, 1, None, role, parts, MessageState.COMPLETE, 0.0)


def path_of(sha256: str) -> Path:
    return Path("blobs") / sha256


def test_an_answer_around_thoughts_is_one_text() -> None:
    said = message("model", TextPart("so "), ThoughtPart("hm"), TextPart("far"))
    prompt = to_prompt(
        [message("user", *QUESTION), said, message("model", ThoughtPart("x"))], path_of
    )
    assert prompt == (
        PromptMessage("user", QUESTION),
        PromptMessage("model", (TextPart("so far"),)),
    )


def test_calls_and_results_are_replayed_in_their_order() -> None:
    call, result = ToolCall("look_up", {"word": "a"}), ToolResult("look_up", {"found": 1})
    parts = (ThoughtPart("hm"), call, result, TextPart("found"))
    broken = MalformedToolCall("call:", "no name")
    prompt = to_prompt([message("model", *parts, broken), message("model", call)], path_of)
    assert prompt == (PromptMessage("model", parts), PromptMessage("model", (call,)))


def test_files_of_text_stand_before_the_question() -> None:
    sound = Attachment("s", "audio", "s.wav", "audio/wav", 1, sample_count=320)
    text = Attachment("t", "text", "t.txt", "text/plain", 1)
    picture = Attachment("p", "image", "p.png", "image/png", 1, 4, 3, 0, 70)
    kinds = [
        part.attachment.kind if isinstance(part, AttachmentPart) else part
        for part in Draft("why?", (sound, text, picture)).to_parts()
    ]
    assert kinds == ["image", "text", TextPart("why?"), "audio"]


def test_attached_texts_are_one_text_with_the_question(tmp_path: Path) -> None:
    for name, content in (("t", b"\xef\xbb\xbfone\r\ntwo\n"), ("u", b"three")):
        (tmp_path / name).write_bytes(content)
    texts = tuple(Attachment(key, "text", f"{key}\n.txt", "text/plain", 9) for key in "tu")
    sound = Attachment("s", "audio", "s.wav", "audio/wav", 1, sample_count=320)
    draft = Draft("why?", (sound, *texts))
    (message,) = to_prompt([], lambda sha256: tmp_path / sha256, draft)
    text, media = message.parts
    assert text == TextPart(
        "File “t .txt”:\n```\none\ntwo\n```\n\nFile “u .txt”:\n```\nthree\n```\n\nwhy?"
    )
    assert isinstance(media, Media)
    stored = [Message(1, 1, None, "user", draft.to_parts(), MessageState.COMPLETE, 0.0)]
    assert to_prompt(stored, lambda sha256: tmp_path / sha256) == (message,)
    (alone,) = to_prompt([], lambda sha256: tmp_path / sha256, Draft("", texts[1:]))
    assert alone.parts == (TextPart("File “u .txt”:\n```\nthree\n```"),)


def test_segments_are_media_of_their_own_behind_their_labels() -> None:
    clips = (Segment("audio", 0, 320), Segment("audio", 320, 640, label="00:01"))
    sound = Attachment("s", "audio", "s.wav", "audio/wav", 1, sample_count=960, segments=clips)
    (message,) = to_prompt([], path_of, Draft("why?", (sound,)))
    whole = Media("audio", "s", str(path_of("s")), "s.wav")
    assert message.parts == (
        TextPart("why?"),
        replace(whole, sample_count=320, length=320),
        TextPart("00:01"),
        replace(whole, sample_count=640, start=320, length=640),
    )
    pages = (Segment("image", 1, width=40, height=50), Segment("image", 2))
    document = Attachment("p", "image", "p", "image/png", 1, 4, 3, token_budget=70, segments=pages)
    (message,) = to_prompt([], path_of, Draft("", (document,)))
    page = Media("image", "p", str(path_of("p")), "p", 70)
    assert message.parts == (
        replace(page, width=40, height=50, start=1),
        replace(page, width=4, height=3, start=2),
    )


def test_a_text_whose_copy_is_gone_is_named(tmp_path: Path) -> None:
    gone = Draft("", (Attachment("t", "text", "t.txt", "text/plain", 1),))
    with pytest.raises(StorageError, match=r"“t\.txt” is missing"):
        to_prompt([], lambda sha256: tmp_path / sha256, gone)


@given(st.text(alphabet="`a\n ", max_size=40))
def test_no_text_closes_its_own_fence(text: str) -> None:
    _, opening, *body, closing = fenced("a", text).split("\n")
    assert opening == closing == "`" * len(opening)
    assert not any(opening in line for line in body)
    assert "\n".join(body) == text.rstrip()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"caf\xe9", UnsupportedFormatError),
        (b"a\0b", UnsupportedFormatError),
        (b"a" * (MAX_TEXT_BYTES + 1), LimitError),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode_text(content, "a")
