"""A line of text with foreign characters in it: seen whole, kept as it came."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

import gemma_tui.tui
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.line_filter import SafeLines
from gemma_tui.tui.widgets.line_input import LineInput
from tests.tui.naughty_strings import ACTING, HIDING

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
