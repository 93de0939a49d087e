"""A line of text with foreign characters in it: seen whole, kept as it came."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

import gemma_tui.tui
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.line_filter import SafeLines
from gemma_tui.tui.widgets.line_input import LineInput
from tests.tui.naughty_strings import ACTING, HIDING

if TYPE_CHECKING:
    from tests.tui.conftest import Opener

WIDTH = 30


class OneField(App[None]):
    """A field and nothing else."""

    def compose(self) -> ComposeResult:
        yield LineInput(compact=True)

    def get_line_filters(self) -> list[SafeLines]:
        return [SafeLines()]


async def test_the_end_of_a_line_is_seen_whatever_is_in_it() -> None:
    app = OneField()
    async with app.run_test(size=(WIDTH, 3)) as pilot:
        field = app.query_one(LineInput)
        for text in (*ACTING, *HIDING):
            line = text.replace("\n", " ")
            field.value = f"{line} the end"
            field.action_end()
            await pilot.pause()
            shown = app.screen._compositor.render_strips()[0].text
            assert "the end" in shown, ascii(text)
            assert cell_len(shown) == WIDTH, ascii(text)
            assert sanitize_line(shown) == shown
            assert field.value == f"{line} the end"


async def test_the_cursor_stays_in_sight_when_the_line_gets_narrower() -> None:
    app = OneField()
    async with app.run_test(size=(WIDTH, 3)) as pilot:
        field = app.query_one(LineInput)
        field.insert_text_at_cursor("x" * 100 + "the end")
        await pilot.pause()
        field.styles.width = WIDTH // 2
        await pilot.pause()
        shown = app.screen._compositor.render_strips()[0].text
        assert "the end" in shown[: WIDTH // 2]


async def test_a_position_is_where_its_character_is_shown() -> None:
    app = OneField()
    async with app.run_test(size=(WIDTH, 3)):
        field = app.query_one(LineInput)
        field.value = "a\x1b\x00漢\u202ez"
        cells = [field._position_to_cell(place) for place in range(7)]
        assert cells == [0, 1, 2, 3, 5, 6, 7]
        assert str(field._value) == "a␛␀漢\ufffdz"


@pytest.mark.parametrize(
    "path", sorted(Path(gemma_tui.tui.__path__[0]).rglob("*.py")), ids=lambda path: path.name
)
def test_no_screen_has_a_field_of_another_kind(path: Path) -> None:
    made = re.search(r"(?<![\w.])Input\(|\(Input\):", path.read_text("utf-8"))
    assert made is None or path.name == "line_input.py"


async def test_the_end_of_a_long_paste_is_seen(open_app: Opener) -> None:
    async with open_app(size=(60, 18)) as running:
        await running.typed_path()
        await running.paste(f"/{'x' * 500}/the end")
        await running.shown("/the end")


async def test_what_no_path_can_have_ends_nothing(open_app: Opener) -> None:
    async with open_app() as running:
        typed = await running.typed_path()
        await running.paste("/nul\0/half\ud800/x")
        assert typed.value == "/nul\0/half\ud800/x"
        await running.pilot.press("enter")
        await running.until(lambda: "Attach another" in running.problem)
