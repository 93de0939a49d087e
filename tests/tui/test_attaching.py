"""Dropping, pasting, typing paths; chips and their budgets; files that cannot be attached."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.widgets import Input

from gemma_tui.engine.interface import EngineState
from gemma_tui.errors import DamagedFileError
from gemma_tui.tui.widgets.composer import MAX_PASTE_LENGTH
from tests.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener


async def test_a_dropped_picture_becomes_a_chip_and_goes_with_the_question(
    open_app: Opener, picture: Path
) -> None:
    async with open_app() as running:
        await running.drop(picture)
        assert "▣ red circle.png · 7 kB · 640x480 · 266 of 280 tokens ×" in running.text()
        assert running.composer.text == ""
        picture.unlink()  # noqa: ASYNC240  # it was copied at once: screenshots vanish
        await running.send("what is this?")
        await running.shown("Hello there.")
        (question, _) = await running.branch()
        assert [a.name for a in question.attachments] == ["red circle.png"]
        assert len(running.engine.requests[0].media) == 1
        assert running.tray.attachments == ()


async def test_a_picture_dropped_before_the_model_is_known_gets_its_default_budget(
    open_app: Opener, picture: Path, tmp_path: Path
) -> None:
    chosen = tmp_path / "chosen.png"
    chosen.write_bytes(b"another picture")
    engine = ScriptedEngine(ready=False)
    async with open_app(engine) as running:
        await running.until(lambda: engine.state.phase == "ready", "the start")
        engine.set_state(EngineState("loading"))
        await running.drop(picture, chosen)
        assert [a.token_budget for a in running.tray.attachments] == [280, 280]
        await running.pilot.press("f4")
        engine.set_state(EngineState("ready", replace(engine.model, default_token_budget=70)))
        assert [a.token_budget for a in running.tray.attachments] == [70, 560]


async def test_enter_right_behind_a_drop_sends_the_file_too(
    open_app: Opener, picture: Path
) -> None:
    async with open_app() as running:
        await running.type("what is this?")
        for event in (events.Paste(str(picture)), events.AppFocus(), _enter_much_later()):
            running.app.post_message(event)
        await running.shown("Hello there.")
        question, _ = await running.branch()
        assert question.text == "what is this?"
        assert [a.name for a in question.attachments] == ["red circle.png"]


async def test_a_sound_says_how_long_it_is(open_app: Opener, sound: Path) -> None:
    async with open_app() as running:
        await running.drop(sound)
        assert "♪ memo.wav · 5 B · 1.0 s · 25 tokens ×" in running.text()


async def test_several_files_keep_their_order(open_app: Opener, picture: Path, sound: Path) -> None:
    async with open_app() as running:
        await running.drop(sound, picture)
        assert running.chips() == ["memo.wav", "red circle.png"]


async def test_other_pastes_are_text(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.paste("two\r\nlines")
        assert running.composer.text == "two\nlines"
        running.composer.take("")
        await running.paste(f"{picture} is a picture")
        await running.until(lambda: running.composer.text == f"{picture} is a picture")
        assert running.tray.attachments == ()


async def test_a_path_typed_by_the_terminal_is_attached_when_sent(
    open_app: Opener, picture: Path
) -> None:
    # A terminal without bracketed paste types what is dropped, key by key.
    async with open_app() as running:
        await running.send(f"'{picture}' ")
        await running.until(lambda: running.tray.attachments)
        assert running.composer.text == ""
        assert running.engine.requests == []


async def test_a_path_that_cannot_be_attached_may_still_be_sent(
    open_app: Opener, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("x")
    async with open_app() as running:
        await running.send(str(tmp_path / "notes.txt"))
        await running.until(lambda: running.problem)
        assert running.composer.text == str(tmp_path / "notes.txt")
        await running.pilot.press("enter")
        await running.until(lambda: running.engine.requests)


async def test_enter_that_comes_with_a_paste_does_not_send(open_app: Opener) -> None:
    async with open_app() as running:
        # As from a paste that contains the end mark of a bracketed paste: the rest comes as keys.
        running.app.post_message(events.Paste("echo hello"))
        running.app.post_message(events.Key("enter", "\r"))
        await running.until(lambda: running.composer.text == "echo hello\n")
        assert running.engine.requests == []


async def test_a_paste_that_is_too_long_is_refused_and_nothing_is_lost(open_app: Opener) -> None:
    async with open_app() as running:
        await running.type("mine")
        await running.paste("x" * (MAX_PASTE_LENGTH + 1))
        assert "200,001 characters" in running.problem
        assert running.composer.text == "mine"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.txt", b"x", "not a picture or a sound"),
        ("folder", None, "folder"),
        ("broken.png", b"x", "broken.png is damaged."),
    ],
)
async def test_a_bad_file_is_a_sentence_and_the_draft_is_kept(
    open_app: Opener, tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / name
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    engine = ScriptedEngine()
    engine.media["broken.png"] = DamagedFileError("broken.png is damaged.", "Save it again.")
    async with open_app(engine) as running:
        await running.type("my words")
        await running.paste(str(path))
        await running.until(lambda: sentence in running.problem, sentence)
        assert running.composer.text == "my words"
        assert running.chips() == []
        assert running.tray.pending == ()


async def test_of_several_files_the_good_ones_are_attached(
    open_app: Opener, tmp_path: Path, picture: Path
) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.txt").write_text("x")
    async with open_app() as running:
        await running.paste(f"{tmp_path}/a.txt '{picture}' {tmp_path}/b.txt")
        await running.until(lambda: "b.txt" in running.problem)
        assert "a.txt" in running.problem
        assert running.chips() == ["red circle.png"]


async def test_a_file_that_is_gone_is_named_and_the_others_are_attached(
    open_app: Opener, picture: Path, sound: Path, tmp_path: Path
) -> None:
    paths = (picture, tmp_path / "gone [b]away.png", sound)
    async with open_app() as running:
        await running.paste(" ".join(str(path).replace(" ", "\\ ") for path in paths))
        await running.until(lambda: running.chips() == [picture.name, sound.name], "the others")
        await running.shown("“gone [b]away.png” is not there any more.")
        assert running.composer.text == ""


async def test_f4_and_signs_change_the_budget(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.pilot.press("f4")
        await running.shown("No picture is attached that a token budget could be for.")
        await running.drop(picture)
        seen = []
        for _ in (280, 560, 1120):
            seen.append(running.tray.attachments[0].token_budget)
            await running.pilot.press("f4")
        await running.shown("auto: some text · 540 of 560 tokens")  # behind the largest
        for _ in (560, 70, 140):
            seen.append(running.tray.attachments[0].token_budget)
            await running.pilot.press("f4")
        assert seen == [280, 560, 1120, 560, 70, 140]
        running.tray.focus()
        await running.pilot.press("+", "+", "-")
        assert running.tray.attachments[0].token_budget == 560
        assert "auto" not in running.text()
        await running.shown("540 of 560 tokens")


async def test_chips_are_chosen_removed_and_brought_back(
    open_app: Opener, picture: Path, sound: Path
) -> None:
    async with open_app() as running:
        await running.drop(picture, sound)
        await running.pilot.press("shift+tab")
        assert running.tray.has_focus
        await running.pilot.press("left", "delete")
        assert running.chips() == ["memo.wav"]
        await running.pilot.press("ctrl+z")
        assert running.chips() == ["red circle.png", "memo.wav"]
        await running.pilot.press("backspace", "delete")
        await running.until(lambda: running.composer.has_focus)
        assert running.tray.attachments == ()
        await running.pilot.press("ctrl+z")
        await running.until(lambda: running.tray.attachments)
        assert running.chips() == ["memo.wav"]


async def test_the_mouse_changes_and_removes_a_chip(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.drop(picture)
        row = running.text().splitlines()[running.tray.region.y]
        tokens, cross = row.index("266 of"), row.index("×", row.index("tokens"))
        await running.pilot.click(offset=(tokens, running.tray.region.y))
        assert running.tray.attachments[0].token_budget == 560
        await running.pilot.click(offset=(cross, running.tray.region.y))
        assert running.tray.attachments == ()


async def test_ctrl_o_attaches_a_typed_path(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        typed = await running.typed_path()
        typed.value = str(picture.with_name("missing.png"))
        await running.pilot.press("enter")
        await running.until(lambda: "missing.png" in running.problem)
        typed = await running.typed_path()
        assert typed.value.endswith("missing.png")
        typed.value = str(picture)
        await running.pilot.press("enter")
        await running.until(lambda: running.tray.attachments)
        assert running.problem == ""


async def test_typed_paths_are_completed(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        typed = await running.typed_path()
        typed.value = str(picture)[:-5]
        typed.cursor_position = len(typed.value)
        await running.until(lambda: typed._suggestion == str(picture))
        await running.pilot.press("right")
        assert typed.value == str(picture)
        await running.pilot.press("escape")
        await running.until(lambda: not running.app.screen.query(Input))
        assert running.tray.attachments == ()


def _enter_much_later() -> events.Key:
    """An Enter that is not taken for a part of the paste before it."""
    key = events.Key("enter", "\r")
    key.time += 1.0
    return key


async def test_more_than_the_tray_holds_is_counted_at_its_ends(
    open_app: Opener, tmp_path: Path
) -> None:
    paths = [tmp_path / f"picture {number}.png" for number in range(8)]
    for number, path in enumerate(paths):
        path.write_bytes(b"%d" % number)
    async with open_app() as running:
        await running.paste(" ".join(map(quote, map(str, paths))))
        await running.until(lambda: len(running.tray.attachments) == 8 and not running.tray.pending)
        await running.shown("↑ 3 more")
        assert "picture 2.png" not in running.text()
        assert "↓" not in running.tray.render().plain
        running.tray.cursor = 0
        await running.shown("↓ 3 more")
        assert "↑" not in running.tray.render().plain
        rows = running.tray.render().plain.splitlines()
        width = running.tray.content_size.width
        assert [len(row) == width for row in rows] == [False] * 4 + [True]
        x, y, _, _ = running.tray.content_region
        await running.pilot.click(offset=(x + rows[4].index(" tokens"), y + 4))
        assert running.tray.cursor == 4
        assert running.tray.attachments[4].token_budget == 560
