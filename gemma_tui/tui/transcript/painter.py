"""Paints rows: from text with style names to strips in the theme's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from gemma_tui.tui.transcript.graphemes import grown
from gemma_tui.tui.transcript.theme import Palette

if TYPE_CHECKING:
    from textual.selection import Selection
    from textual.widget import Widget

    from gemma_tui.tui.transcript.places import Line

GUTTER: Final = 2
"""Cells left of every row: a bar marks what the user wrote."""

_KEPT_STRIPS: Final = 512


class Painter:
    """Paints for one widget, and remembers the strips it painted last."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._palette: Palette | None = None
        self._strips: LRUCache[tuple[int, int, Line], Strip] = LRUCache(_KEPT_STRIPS)

    def forget(self) -> None:
        """The theme may be another one."""
        self._palette = None
        self._strips.clear()

    def strip(self, y: int, line: Line, width: int, selection: Selection | None) -> Strip:
        """Row `y` of the document; every segment carries its place, for selecting with a mouse."""
        span = selection.get_span(y) if selection is not None else None
        if span is not None:
            return self._paint(y, line, width, span)
        key = (y, width, line)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._paint(y, line, width, None)
        return strip

    def news(self, width: int) -> Strip:
        """The mark that there is new text below."""
        style = self._colours.style("below")
        return Strip([Segment(" ↓ new text below · End ", style)]).text_align(width, "center")

    def blank(self, width: int) -> Strip:
        """An empty row."""
        return Strip.blank(width, self._colours.base)

    @property
    def _colours(self) -> Palette:
        if self._palette is None:
            self._palette = Palette(self._widget)
        return self._palette

    @property
    def _selected(self) -> Style:
        # Its background alone: where a theme gives no colour for the text, Textual takes the same.
        style = self._widget.screen.get_component_rich_style("screen--selection")
        return Style(bgcolor=style.bgcolor) if style.bgcolor else Style(reverse=True)

    def _paint(self, y: int, line: Line, width: int, span: tuple[int, int] | None) -> Strip:
        colours = self._colours
        spans = [(text, colours.style(names)) for text, names in line.row.spans]
        for start, stop, is_current in line.hits:
            style = colours.style("current" if is_current else "match")
            spans = _highlighted(spans, (start, stop), style)
        if span is not None:
            spans = _highlighted(spans, span, self._selected)
        if line.mark:
            bar = Segment(f"{line.mark} ", colours.style("cursor"))
        else:
            name = "bar" if line.is_user else ""
            bar = Segment("▌ " if line.is_user else "  ", colours.style(name))
        segments = [bar]
        x = 0
        for text, style in (*spans, (" ", colours.style(line.row.fill))):
            segments.append(Segment(text, style + Style.from_meta({"offset": (x, y)})))
            x += len(text)
        return Strip(segments).crop_extend(0, width, colours.style(line.row.fill))


def _highlighted(
    spans: list[tuple[str, Style]], selected: tuple[int, int], style: Style
) -> list[tuple[str, Style]]:
    plain = "".join(text for text, _ in spans)
    first, last = grown(plain, max(0, selected[0]), len(plain) if selected[1] < 0 else selected[1])
    found: list[tuple[str, Style]] = []
    x = 0
    for text, own in spans:
        stop = max(0, min(len(text), last - x))
        start = max(0, min(stop, first - x))
        pieces = ((text[:start], own), (text[start:stop], own + style), (text[stop:], own))
        found.extend(piece for piece in pieces if piece[0])
        x += len(text)
    return found
