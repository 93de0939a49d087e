"""The cursor over messages: choosing, folding, copying, selecting lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import on

from gemma_tui.conversation import Attachment, AttachmentPart, TextPart, ThoughtPart, Usage
from gemma_tui.generation import MediaPreview
from gemma_tui.tui.transcript.requests import (
    ActionRequested,
    EditRequested,
    MessageRequest,
    PreviewRequested,
)
from tests.tui.transcript.drawing import message
from tests.tui.transcript.test_widget import TranscriptApp, rows

if TYPE_CHECKING:
    from gemma_tui.conversation import Message

PICTURE = Attachment("0" * 64, "image", "a.png", "image/png", 10, 640, 480, 0, 280)
SOUND = Attachment("1" * 64, "audio", "b.wav", "audio/wav", 10, sample_count=16_000)

TALK = (
    message(1, "user", AttachmentPart(PICTURE), "first question", AttachmentPart(SOUND)),
    message(2, "model", ThoughtPart("so *many* thoughts"), "# Answer\n\nwith `code`"),
    message(3, "user", "second question"),
    message(4, "model", "last answer"),
)


class ActingApp(TranscriptApp):
    """Remembers what was asked for, copied and said."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[MessageRequest] = []
        self.copied: list[str] = []
        self.said: list[str] = []

    @on(MessageRequest)
    def _asked(self, event: MessageRequest) -> None:
        self.asked.append(event)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def notify(self, message: str, **_: object) -> None:
        self.said.append(message)


def marked(app: TranscriptApp) -> list[str]:
    """The rows of the chosen message, without its mark."""
    return [row[2:] for row in rows(app) if row[:2] in {"▸ ", "┃ ", "┃"}]


async def test_the_cursor_comes_with_the_focus_and_goes_from_message_to_message() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        transcript = app.transcript
        transcript.show(TALK)
        assert marked(app) == []
        transcript.focus()
        await pilot.pause()
        assert marked(app) == ["Gemma", "last answer"]
        await pilot.press("up")
        assert marked(app) == ["You", "second question"]
        await pilot.press("k", "j", "down")
        assert marked(app) == ["Gemma", "last answer"]
        await pilot.press("up", "up", "up", "up", "up")
        assert marked(app)[:2] == ["You", "▣ a.png · 266 tokens"]
        app.set_focus(None)
        await pilot.pause()
        assert marked(app) == []
        assert transcript.chosen is TALK[0]


async def test_a_long_message_is_read_line_by_line_before_the_cursor_leaves_it() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 10)) as pilot:
        transcript = app.transcript
        long = message(2, "model", "\n\n".join(f"line {n}" for n in range(20)))
        transcript.show([message(1, "user", "go"), long, message(3, "user", "then")])
        transcript.choose(2)
        await pilot.pause()
        assert marked(app)[:2] == ["Gemma", "line 0"]
        seen: set[str] = set()
        presses = 0
        while transcript.chosen is long:
            seen.update(row for row in marked(app) if row)
            await pilot.press("down")
            presses += 1
        assert {f"line {n}" for n in range(20)} <= seen
        assert presses > 20
        assert transcript.chosen is not None
        assert transcript.chosen.id == 3


async def test_a_click_chooses_a_message() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show(TALK)
        await pilot.pause()
        y = next(y for y, row in enumerate(rows(app)) if "second question" in row)
        await pilot.click(app.transcript, offset=(10, y))
        await pilot.pause()
        assert marked(app) == ["You", "second question"]


async def test_one_thought_unfolds_without_the_others() -> None:
    app = ActingApp()
    other = message(6, "model", ThoughtPart("another thought"), "another answer")
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show([*TALK, other])
        app.transcript.choose(2)
        await pilot.press("enter")
        assert "▾ Thought, 3 words" in marked(app)
        assert "so *many* thoughts" in marked(app)
        assert sum("(Alt+Up, t shows it)" in row for row in rows(app)) == 1
        y = next(y for y, row in enumerate(rows(app)) if "▾ Thought" in row)
        await pilot.click(app.transcript, offset=(6, y))
        await pilot.pause()
        assert sum("(Alt+Up, t shows it)" in row for row in rows(app)) == 2
        await pilot.press("t")
        assert sum("▾ Thought" in row for row in rows(app)) == 2
        await pilot.press("space")
        assert sum("▾ Thought" in row for row in rows(app)) == 1


async def test_a_preview_is_asked_for_shown_and_put_away() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        transcript = app.transcript
        transcript.show(TALK)
        transcript.choose(1)
        await pilot.press("enter")
        wanted = [event for event in app.asked if isinstance(event, PreviewRequested)]
        assert [(event.message_id, event.number) for event in wanted] == [(1, 0), (1, 1)]
        transcript.show_preview(1, 0, MediaPreview(2, 4, rgb="ff0000" * 4 + "00ff00" * 4))
        transcript.show_preview(1, 1, MediaPreview(4, levels=(0, 1, 25, 100)))
        assert [row.strip() for row in marked(app)][1:6] == [
            "▣ a.png ▾ · 266 tokens",
            "▀▀",
            "▀▀",
            "♪ b.wav ▾ · 1.0 s",
            "▁▁▅█",
        ]
        y = next(y for y, row in enumerate(rows(app)) if "▀▀" in row)
        block = next(s for s in transcript.render_line(y) if "▀" in s.text)
        assert block.style is not None
        assert block.style.color is not None
        assert block.style.color.name == "#ff0000"
        await pilot.press("enter")
        assert not any("▀" in row or "█" in row for row in rows(app))
        await pilot.press("enter")
        assert any("▀▀" in row for row in rows(app))
        assert len(app.asked) == 2  # it is known now what they look like


async def test_details_say_how_a_reply_came_to_be() -> None:
    usage = Usage(
        prompt_tokens=1200, cached_tokens=1000, generated_tokens=50, prefill_seconds=0.4,
        decode_seconds=12.5, peak_memory_bytes=3 << 30,
    )  # fmt: skip
    app = ActingApp()
    async with app.run_test(size=(80, 20)) as pilot:
        answer = message(1, "model", "yes", usage=usage, finish_reason="length")
        app.transcript.show([answer])
        app.transcript.focus()
        await pilot.press("i")
        text = "\n".join(marked(app))
        assert "complete, finish reason length" in text
        assert "prompt 1,200 tokens, 1,000 of them remembered; read in 0.4 s" in text
        assert "written 50 tokens in 12 s, 4.0 tokens/s" in text
        assert "at most 3.0 GiB of memory" in text
        await pilot.press("i")
        assert "finish reason" not in "\n".join(rows(app))


async def test_copying_gives_the_source_and_each_code_block() -> None:
    text = "**Two:**\n\n```py\nx = 1\n```\n\n~~~\nsecond\n  block\n~~~\n\x1b[2J"
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show([message(1, "model", ThoughtPart("hm"), text)])
        app.transcript.focus()
        await pilot.press("c", "y", "y", "y")
        assert app.copied == [text.replace("\x1b", "␛"), "x = 1", "second\n  block", "x = 1"]
        assert app.said[2] == "Copied code block 2 of 2: 2 lines."
        app.transcript.show([message(2, "model", "no code")])
        await pilot.press("y")
        assert app.said[-1] == "There is no code block in this message."


async def test_a_long_code_block_is_copied_whole() -> None:
    code = "\n".join(f"line_{n} = {n}" for n in range(200)) + "\n" + "x" * 3000
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show([message(1, "model", f"```\n{code}\n```\n")])
        app.transcript.focus()
        await pilot.press("y")
        assert app.copied == [code]


async def test_lines_are_selected_and_copied_with_the_keyboard() -> None:
    app = ActingApp()
    async with app.run_test(size=(24, 12)) as pilot:
        app.transcript.show([message(1, "model", "one two three four five six\n\nnext")])
        app.transcript.focus()
        await pilot.press("v", "down", "down")
        await pilot.pause()
        assert app.transcript.text_selection is not None
        await pilot.press("c")
        assert app.copied == ["Gemma\none two three four five six"]
        await pilot.pause()
        assert app.screen.selections == {}
        await pilot.press("v", "down", "escape", "c")
        assert app.copied[1:] == ["one two three four five six\n\nnext"]


@pytest.mark.parametrize(
    ("key", "kind"),
    [("r", "answer"), ("g", "continue"), ("n", "branch"), ("left", "older"), ("delete", "delete"), ("escape", "leave")],
)  # fmt: skip
async def test_what_is_not_the_screens_business_is_asked_for(key: str, kind: str) -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show(TALK)
        app.transcript.choose(3)
        await pilot.press(key)
        (event,) = app.asked
        assert isinstance(event, ActionRequested)
        assert (event.kind, event.message_id) == (kind, 3)


async def test_only_questions_are_edited() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show(TALK)
        app.transcript.choose(4)
        await pilot.press("e", "up", "e")
        assert [type(event) for event in app.asked] == [EditRequested]
        assert app.asked[0].message_id == 3


async def test_siblings_are_numbered_in_the_heading() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)):
        app.transcript.show(TALK, {2: (2, 3)})
        assert "  Gemma  ‹ 2/3 ›" in rows(app)
        app.transcript.set_forks({4: (1, 2)})
        assert "  Gemma  ‹ 1/2 ›" in rows(app)
        assert not any("2/3" in row for row in rows(app))


async def test_showing_again_keeps_the_cursor_and_what_is_unfolded() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show(TALK)
        app.transcript.choose(2)
        await pilot.press("enter")
        again: tuple[Message, ...] = (*TALK[:3], message(9, "model", TextPart("anew")))
        app.transcript.show(again)
        assert marked(app)[1] == "▾ Thought, 3 words"
        assert any("anew" in row for row in rows(app))


async def test_keys_on_an_empty_transcript_do_nothing() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.transcript.focus()
        app.transcript.choose()
        await pilot.press("up", "down", "enter", "c", "y", "e", "r", "i", "v", "t", "home", "end")
        assert app.asked == []
        assert app.copied == []


async def test_home_goes_to_the_first_message_of_a_long_conversation() -> None:
    app = ActingApp()
    async with app.run_test(size=(40, 12)) as pilot:
        # Long lines of wide letters: what heights are estimated to be is far from what they are.
        talk = [message(n, "user", f"number {n} " + "a b\n\n" * (n % 7)) for n in range(1, 400)]
        app.transcript.show(talk)
        app.transcript.focus()
        await pilot.pause()
        await pilot.press("home")
        await pilot.pause()
        assert app.transcript.scroll_y == 0
        assert any("number 1" in row for row in rows(app))
        assert not app.transcript.is_following


async def test_a_match_in_the_name_of_an_attachment_is_a_hit_and_gets_the_cursor() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)):
        talk = (*TALK[:1], message(2, "model", "what a.png shows"), *TALK[2:])
        app.transcript.show(talk)
        app.transcript.focus()
        assert app.transcript.show_match(1, "a.png")
        finder = app.transcript.finder
        assert (finder.message_id, finder.number, finder.total) == (1, 1, 2)
        assert app.transcript.chosen is talk[0]


async def test_one_character_is_not_several() -> None:
    app = ActingApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show([message(1, "user", "x")])
        app.transcript.focus()
        await pilot.press("c")
        assert app.said == ["Copied the message: 1 character."]
