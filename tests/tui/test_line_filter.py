"""The last choke point."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.color import Color

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.graphics.kitty import GRAPHIC, Graphic
from gemma_tui.tui.line_filter import SafeLines

BLACK = Color(0, 0, 0)


def test_harmless_segments_are_passed_on() -> None:
    segments = [
        Segment("plain", Style(bold=True)),
        Segment("漢字"),
        Segment("x", Style.from_meta({"offset": (64, 64)})),
    ]
    found = SafeLines().apply(segments, BLACK)
    assert all(a is b for a, b in zip(found, segments, strict=True))


def test_links_and_actions_are_dropped_and_places_kept() -> None:
    style = Style(bold=True, link="http://x/\x1b]0;y") + Style.from_meta(
        {"@click": "app.quit", "offset": (1, 2)}
    )
    (found,) = SafeLines().apply([Segment("x", style)], BLACK)
    assert found.style is not None
    assert found.style.link is None
    assert found.style.bold
    assert found.style.meta == {"offset": (1, 2)}


def test_control_segments_become_text() -> None:
    (found,) = SafeLines().apply([Segment("\x1b[2J", None, [(ControlType.CLEAR,)])], BLACK)
    assert found == Segment("␛[2J", None)


@given(st.lists(st.text()))
def test_any_text(texts: list[str]) -> None:
    found = SafeLines().apply([Segment(text) for text in texts], BLACK)
    assert [segment.text for segment in found] == [sanitize_line(text) for text in texts]


def test_cells_of_a_picture_pass_only_where_the_app_paints_them() -> None:
    cells = Graphic(1, 2, 2).cells(1, 2)
    own = Style(color="#000001", meta={GRAPHIC: True})
    (painted,) = SafeLines().apply([Segment(cells, own)], BLACK)
    assert painted == Segment(cells, own)
    (foreign,) = SafeLines().apply([Segment(cells, Style(color="#000001"))], BLACK)
    assert "\U0010eeee" not in foreign.text
    (mixed,) = SafeLines().apply([Segment(f"{cells}\x1b", own)], BLACK)
    assert mixed.text == sanitize_line(f"{cells}\x1b")
