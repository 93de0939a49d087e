"""The widget in an app: streaming, following, resizing, selecting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.app import App
from textual.geometry import Offset
from textual.selection import Selection

from gemma_tui.conversation import Message, MessageState, TextPart
from gemma_tui.tui.line_filter import SafeLines
from gemma_tui.tui.transcript import Transcript
from tests.tui.transcript.drawing import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.filter import LineFilter
    from textual.pilot import Pilot
    from textual.strip import Strip


class TranscriptApp(App[None]):
    AUTO_FOCUS = ""  # in the app the focus is in the composer

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [SafeLines(), *super().get_line_filters()]

    def compose(self) -> ComposeResult:
        yield Transcript()

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)


def rows(app: TranscriptApp) -> list[str]:
    """What the widget shows."""
    transcript = app.transcript
    return [transcript.render_line(y).text.rstrip() for y in range(transcript.size.height)]


def streaming(number: int = 2) -> Message:
    return message(number, "model", state=MessageState.STREAMING)


async def until(pilot: Pilot[None], text: str) -> None:
    """Wait until a row shows `text`."""
    app = pilot.app
    assert isinstance(app, TranscriptApp)
    for _ in range(300):
        if any(text in row for row in rows(app)):
            return
        await pilot.pause(0.01)
    pytest.fail(f"{text!r} was never shown: {rows(app)}")


async def test_empty_it_says_what_to_do() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 12)):
        assert any("Drop a picture" in row for row in rows(app))
        app.transcript.show([message(1, "user", "hello")])
        assert rows(app)[1:3] == ["▌ You", "▌ hello"]
        app.transcript.show(())
        assert any("Drop a picture" in row for row in rows(app))


async def test_a_conversation_that_is_awaited_is_not_preceded_by_a_welcome() -> None:
    class Awaiting(App[None]):
        def compose(self) -> ComposeResult:
            yield Transcript(is_awaited=True)

    async with Awaiting().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        assert {transcript.render_line(y).text.strip() for y in range(12)} == {""}
        transcript.show(())
        await pilot.pause()
        assert any(transcript.render_line(y).text.strip() for y in range(12))


async def test_the_first_paint_has_the_width_of_the_widget() -> None:
    painted: list[str] = []

    class Watched(Transcript):
        def render_line(self, y: int) -> Strip:
            strip = super().render_line(y)
            painted.append(strip.text.strip())
            return strip

    class WatchedApp(TranscriptApp):
        def compose(self) -> ComposeResult:
            yield Watched()

    async with WatchedApp().run_test(size=(80, 12)):
        words = [text for text in painted if text]
        assert words[0] == "gemma-tui"
        assert all(len(text) > 1 for text in words)


async def test_the_scrollbar_covers_no_text() -> None:
    words = [f"w{number:03}" for number in range(100)]
    app = TranscriptApp()
    async with app.run_test(size=(40, 40)) as pilot:
        app.transcript.show([message(1, "model", " ".join(words))])
        for width in range(40, 46):  # at one of them a row ends in the last column
            await pilot.resize_terminal(width, 40)
            await pilot.pause()
            screen = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
            assert [word for word in words if word not in screen] == []


async def test_streams_to_the_last_character_without_finish() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        transcript.show([message(1, "user", "go"), streaming()])
        transcript.set_progress(2, "reading the prompt 45 %")
        await until(pilot, "45 %")
        transcript.add_thought(2, "hm")
        await until(pilot, "hm")
        for character in "The answer is **seven**.":
            transcript.add_text(2, character)
        await until(pilot, "The answer is seven.")
        assert not any("45 %" in row for row in rows(app))
        transcript.finish(message(2, "model", "The answer is **seven**."))
        assert any("The answer is seven." in row for row in rows(app))


async def test_follows_the_end_unless_the_reader_scrolled_up() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)) as pilot:
        transcript = app.transcript
        transcript.show([streaming()])
        transcript.add_text(2, "".join(f"line {n}\n\n" for n in range(40)))
        await until(pilot, "line 39")
        await until_following(pilot)
        transcript.focus()
        await pilot.press("up")
        await until_following(pilot, expected=False)
        seen = rows(app)
        transcript.add_text(2, "".join(f"more {n}\n\n" for n in range(40)))
        await until(pilot, "new text below")
        assert rows(app)[:-1] == seen[:-1]
        transcript.action_scroll_end()
        await until(pilot, "more 39")
        assert transcript.is_following
        assert not any("new text below" in row for row in rows(app))


async def test_keys_and_wheel_scroll() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)) as pilot:
        transcript = app.transcript
        transcript.show([message(1, "model", "".join(f"line {n}\n" for n in range(200)))])
        transcript.focus()
        await pilot.press("home")
        await until(pilot, "line 0")
        assert transcript.scroll_y == 0
        await pilot.press("pagedown", "pagedown")
        await until(pilot, "line 20")
        await pilot.press("end")
        await until(pilot, "line 199")
        await until_following(pilot)
        transcript.post_message(
            events.MouseScrollUp(transcript, 5, 5, 0, -1, 0, False, False, False)
        )
        await until_following(pilot, expected=False)


async def until_following(pilot: Pilot[None], *, expected: bool = True) -> None:
    app = pilot.app
    assert isinstance(app, TranscriptApp)
    for _ in range(300):
        if app.transcript.is_following is expected:
            return
        await pilot.pause(0.01)
    pytest.fail(f"following: {not expected}")


async def test_a_click_on_the_mark_goes_to_the_end() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)) as pilot:
        transcript = app.transcript
        transcript.show([message(1, "model", "a\n\n" * 30)])
        transcript.scroll_to(y=3, animate=False)
        await pilot.pause()
        transcript.append(message(2, "model", "the end"))
        await until(pilot, "new text below")
        await pilot.click(transcript, offset=(20, 9))
        await until(pilot, "the end")


async def test_the_readers_own_message_goes_to_the_end() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)) as pilot:
        transcript = app.transcript
        transcript.show([message(1, "model", "a\n\n" * 30)])
        transcript.scroll_to(y=3, animate=False)
        await pilot.pause()
        transcript.append(message(2, "user", "my question"))
        await until(pilot, "my question")


async def test_resizing_keeps_the_place_and_never_fails() -> None:
    app = TranscriptApp()
    text = "".join(f"## Part {n}\n\n" + "some words to wrap " * 12 + "\n\n" for n in range(40))
    async with app.run_test(size=(80, 12)) as pilot:
        transcript = app.transcript
        transcript.show([message(1, "user", "漢字 👍 " * 30), message(2, "model", text)])
        transcript.scroll_to(y=60, animate=False)
        await pilot.pause()
        part = next(row for row in rows(app) if "Part" in row)
        await pilot.resize_terminal(37, 12)
        await pilot.pause()
        assert any(part in row for row in rows(app)[:12])
        for size in ((1, 1), (2, 1), (5, 3), (500, 200), (3, 60), (20, 5), (80, 12)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert len(rows(app)) == transcript.size.height
        transcript.action_scroll_end()
        await pilot.pause()
        assert "some words to wrap" in rows(app)[-1]
        await pilot.resize_terminal(30, 9)
        await pilot.pause()
        assert transcript.is_following


async def test_selection_copies_the_text_as_it_was() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(31, 20)) as pilot:
        transcript = app.transcript
        text = "A paragraph that is longer than a row is.\n\n```py\nx = 1\ny = 2\n```"
        transcript.show([message(1, "model", text)])
        await pilot.pause()
        everything = transcript.get_selection(Selection(None, None))
        assert everything == (
            "\nGemma\nA paragraph that is longer than a row is.\n\npy\nx = 1\ny = 2",
            "\n",
        )
        start, end = Offset(2, 2), Offset(5, 3)
        some = transcript.get_selection(Selection(start, end))
        assert some == ("paragraph that is longer than", "\n")


async def test_selection_with_the_mouse() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(40, 10)) as pilot:
        transcript = app.transcript
        transcript.show([message(1, "user", "漢字 and words")])
        await pilot.pause()
        assert rows(app)[2] == "▌ 漢字 and words"
        await pilot.mouse_down(transcript, offset=(8, 2))
        await pilot.hover(transcript, offset=(10, 2))
        await pilot.mouse_up(transcript, offset=(10, 2))
        assert app.screen.get_selected_text() == "and"
        shown = [s.text for s in transcript.render_line(2) if s.style and s.style.bgcolor]
        assert "and" in shown


async def test_thoughts_unfold_with_a_key() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        transcript.show([streaming()])
        transcript.add_thought(2, "secretly")
        transcript.add_text(2, "answer")
        await until(pilot, "▸ Thought")
        transcript.focus()
        await pilot.press("t")
        await until(pilot, "secretly")
        await pilot.press("t")
        await until(pilot, "▸ Thought")


async def test_hostile_text_stays_text() -> None:
    app = TranscriptApp()
    hostile = "a [/b] [@click=app.quit]x[/] \x1b]52;c;AAAA\x07 \x9b31m \u202eevil [b](javascript:x)"
    async with app.run_test(size=(100, 20)) as pilot:
        transcript = app.transcript
        transcript.show([message(1, "user", hostile), streaming()])
        for character in hostile:
            transcript.add_text(2, character)
        await until(pilot, "Gemma")
        await until(pilot, "evil")
        transcript.finish(message(2, "model", hostile, state=MessageState.FAILED, error=hostile))
        screen = "".join(rows(app))
        assert screen.count("[@click=app.quit]x[/]") == 3
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c == "\u202e" for c in screen)
        for y in range(20):
            for segment in transcript.render_line(y):
                assert segment.style is not None
                assert segment.style.link is None
                assert set(segment.style.meta) <= {"offset"}
        await pilot.click(transcript, offset=(12, 2))
        assert app.is_running


async def test_text_for_a_message_that_is_not_shown_is_ignored() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)):
        app.transcript.add_text(99, "nobody")
        app.transcript.set_progress(99, "nothing")
        app.transcript.finish(message(99, "model", "nobody"))
        assert not any("nobody" in row for row in rows(app))


@pytest.mark.parametrize("theme", ["textual-light", "ansi-light", "nord"])
async def test_colours_follow_the_theme(theme: str) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.transcript.show([message(1, "model", TextPart("**x** `code`"))])
        before = {segment.style for segment in app.transcript.render_line(2)}
        app.theme = theme
        await pilot.pause()
        await pilot.pause()
        assert {segment.style for segment in app.transcript.render_line(2)} != before


async def test_a_burst_is_drawn_in_few_flushes(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)) as pilot:
        transcript = app.transcript
        transcript.show([streaming()])
        count = 0
        refresh = transcript._document.refresh

        def counted(message_id: int) -> None:
            nonlocal count
            count += 1
            refresh(message_id)

        monkeypatch.setattr(transcript._document, "refresh", counted)
        for n in range(1000):
            transcript.add_text(2, f"{n} ")
        assert count <= 2
        await until(pilot, "999")
