"""The prompt made from a branch."""

from __future__ import annotations

from pathlib import Path

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Draft,
    Message,
    MessageState,
    Part,
    Role,
    TextPart,
    ThoughtPart,
)
from gemma_tui.generation import PromptMessage
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
