"""Messages as rows: what is said about them, and where their rows are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Message,
    MessageState,
    TextPart,
    ThoughtPart,
    Usage,
)
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult
from gemma_tui.tui.transcript.document import Document
from gemma_tui.tui.transcript.sections import Fold
from tests.tui.transcript.drawing import message

PICTURE = Attachment("0" * 64, "image", "a\x1b[2J.png", "image/png", 10, 1024, 768, 0, 280)
CLIP = Attachment("1" * 64, "audio", "voice.m4a", "audio/mp4", 10, sample_count=38_400)


def text_of(document: Document) -> list[str]:
    document.draw(0, document.height + 1000)
    return [line.row.text.rstrip() for line in document.lines(0, document.height)]


def document_of(*messages: Message, width: int = 60) -> Document:
    document = Document()
    document.set_width(width)
    document.show(messages)
    return document


def test_a_question_with_attachments() -> None:
    question = message(
        1, "user", AttachmentPart(PICTURE), "What\n  is [b]this[/b]?", AttachmentPart(CLIP)
    )
    document = document_of(question)
    assert text_of(document) == [
        "",
        "You",
        "▣ a␛[2J.png · 266 tokens",
        "♪ voice.m4a · 2.4 s",
        "What",
        "  is [b]this[/b]?",
    ]
    marked = [line.is_user for line in document.lines(0, document.height)]
    assert marked == [False, True, True, True, True, True]


def by(number: int, model: str, state: MessageState = MessageState.COMPLETE) -> Message:
    return replace(message(number, "model", "An answer.", state=state), model=model)


def changes(document: Document) -> list[str]:
    return [line for line in text_of(document) if "From here on" in line]


def test_where_another_model_begins_to_answer_is_said_once() -> None:
    question = message(2, "user", "And now?")
    document = document_of(
        *(by(1, "E2B"), question, by(3, "E2B"), by(4, "E4B\x1b"), by(5, ""), by(6, "E4B\x1b"))
    )
    marks = ["From here on E4B␛ answers; before it was E2B."]
    assert changes(document) == marks
    assert text_of(document).index(marks[0]) == text_of(document).index("E4B␛") + 1
    document.append(by(7, "E2B"))
    assert changes(document) == [*marks, "From here on E2B answers; before it was E4B␛."]
    document.show([by(1, "E2B"), by(6, "E4B\x1b"), by(7, "E2B")])
    assert len(changes(document)) == 2
    document.show([by(1, "E2B"), by(7, "E2B")])  # kept entries say it no longer
    assert changes(document) == []


def test_it_is_said_as_soon_as_the_model_of_a_reply_is_known() -> None:
    document = document_of(by(1, "E2B"), by(2, "", MessageState.STREAMING))
    assert changes(document) == []
    document.finish(by(2, "E4B"))
    assert changes(document) == ["From here on E4B answers; before it was E2B."]
    assert document.height == len(text_of(document))


def test_markup_of_the_user_is_text() -> None:
    assert text_of(document_of(message(1, "user", "# *a*\n\n\n- b")))[2:] == [
        "# *a*",
        "",
        "",
        "- b",
    ]


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        (message(1, "model", "x", state=MessageState.CANCELLED), "■ stopped"),
        (
            message(1, "model", "x", state=MessageState.INTERRUPTED),
            "■ interrupted: the program ended while this was written",
        ),
        (
            message(1, "model", "x", state=MessageState.FAILED, error="The disk\x07 is full."),
            "✗ failed: The disk␇ is full.",
        ),
        (
            message(1, "model", "x", finish_reason="length"),
            "■ cut off: the reply reached its longest length",
        ),
        (
            message(1, "model", "x", usage=Usage(generated_tokens=30, decode_seconds=2.0)),
            "30 tokens · 15.0 tokens/s",
        ),
    ],
)
def test_how_it_ended(answer: Message, ending: str) -> None:
    assert text_of(document_of(answer))[-3:] == ["x", "", ending]


def test_a_thought_is_folded_when_the_answer_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((100.0, 112.2, 113.0))
    monkeypatch.setattr("gemma_tui.tui.transcript.sections.monotonic", lambda: next(times))
    document = document_of(message(1, "model", state=MessageState.STREAMING))
    entry = document.entry(1)
    assert entry is not None
    entry.progress = "reading the prompt 45 %"
    document.refresh(1)
    assert text_of(document)[2:] == ["reading the prompt 45 %"]
    for piece in ("so ma", "ny ", "thoughts"):
        entry.add("thought", piece)
        document.refresh(1)
    assert text_of(document)[2:] == ["▾ Thinking…", "so many thoughts"]
    entry.add("text", "It is **7**")
    document.refresh(1)
    assert text_of(document)[2:] == [
        "▸ Thought for 12 s, 3 words (Alt+Up, t shows it)",
        "",
        "It is 7",
    ]
    document.toggle_thoughts()
    assert text_of(document)[2:] == [
        "▾ Thought for 12 s, 3 words",
        "so many thoughts",
        "",
        "It is 7",
    ]


def test_tool_calls_and_results_are_folds() -> None:
    answer = message(
        1,
        "model",
        ThoughtPart("I look it up."),
        ToolCall("get_weather", {"city": "Par\x1b]52;is", "days": list(range(40))}),
        ToolResult("get_weather", {"sky": "grey"}),
        MalformedToolCall("call:get_{", "the name does not end"),
        "It is grey.",
    )
    document = document_of(answer, width=100)
    rows = text_of(document)
    assert rows[2] == "▸ Thought, 4 words (Alt+Up, t shows it)"
    assert rows[4].startswith('▸ ⚙ get_weather(city: "Par\\u001b]52;is", days: [0, 1')
    assert len(rows[4]) < 90
    assert rows[6] == '▸ ⚙ get_weather gave {"sky": "grey"}'
    assert rows[8] == "▸ ⚙ a tool call that could not be read: the name does not end"
    assert rows[10] == "It is grey."
    document.toggle_thoughts()
    assert [row[0] for row in text_of(document) if row and row[0] in "▸▾"] == list("▾▸▸▸")
    document.toggle_thoughts()
    entry = document.entry(1)
    assert entry is not None
    entry.toggle(Fold(2))
    document.changed(0)
    assert text_of(document)[6:10] == [
        '▾ ⚙ get_weather gave {"sky": "grey"}',
        "{",
        '  "sky": "grey"',
        "}",
    ]
    entry.finish(answer)
    document.changed(0)
    assert text_of(document)[6].startswith("▾")


def test_finishing_keeps_what_is_drawn_or_takes_the_final_text() -> None:
    document = document_of(message(1, "model", state=MessageState.STREAMING))
    entry = document.entry(1)
    assert entry is not None
    entry.add("text", "first\n\nsecond")
    document.refresh(1)
    text_of(document)
    drawn = entry.blocks[1]
    document.finish(message(1, "model", "first\n\nsecond"))
    assert entry.blocks[1] is drawn
    document.finish(message(1, "model", "other"))
    assert text_of(document) == ["", "Gemma", "other"]
    document.append(message(1, "model", "again"))
    assert text_of(document) == ["", "Gemma", "again"]


def test_streamed_messages_look_like_stored_ones() -> None:
    text = "# a\n\n- b\n\n```py\nc\n```\n\n|d|\n|-|\n|e|\n\nparagraph " * 8
    streamed = document_of(message(1, "model", state=MessageState.STREAMING))
    entry = streamed.entry(1)
    assert entry is not None
    for at in range(0, len(text), 7):
        entry.add("text", text[at : at + 7])
        streamed.refresh(1)
        streamed.draw(streamed.height - 10, 10)
    parts = (TextPart(text[:100]), TextPart(text[100:]))
    streamed.finish(message(1, "model", *parts))
    assert text_of(streamed) == text_of(document_of(message(1, "model", *parts)))


def test_opening_draws_only_what_is_seen() -> None:
    messages = [message(n, "model", f"answer *{n}*\n\n" * 5) for n in range(2000)]
    document = document_of(*messages)
    top = document.height - 40
    while document.draw(top, 40):
        top = document.height - 40
    drawn = sum(
        block.width > 0
        for slot in document._slots
        if not isinstance(slot, Message)
        for block in slot.blocks
    )
    assert 0 < drawn < 60
    last = [line.row.text for line in document.lines(top, 40) if line.row.text.strip()]
    assert last[-1].strip() == "answer 1999"


def test_a_place_stays_the_same_row() -> None:
    messages = [message(n, "model", f"say {n} " * 40) for n in range(50)]
    document = document_of(*messages, width=80)
    place = document.locate(document.height // 2)
    while document.draw(document.position(place), 20):
        pass
    before = next(document.lines(document.position(place), 1)).row.text.split()[:2]
    document.set_width(33)
    while document.draw(document.position(place), 20):
        pass
    after = next(document.lines(document.position(place), 1)).row.text.split()[:2]
    assert before == after


def test_an_unknown_message_is_ignored() -> None:
    document = document_of(message(1, "model", "x"))
    document.finish(message(2, "model", "y"))
    assert document.entry(2) is None
    assert text_of(document)[-1] == "x"


def test_thoughts_between_texts_keep_their_order() -> None:
    parts = (ThoughtPart("one"), TextPart("a"), ThoughtPart("two words"), TextPart("b"))
    assert text_of(document_of(message(1, "model", *parts)))[2:] == [
        "▸ Thought, 1 word (Alt+Up, t shows it)",
        "",
        "a",
        "",
        "▸ Thought, 2 words (Alt+Up, t shows it)",
        "",
        "b",
    ]
