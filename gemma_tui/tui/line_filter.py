"""The last choke point before the terminal: every segment of every widget passes here.

Nothing relies on it alone: text is sanitised where it enters. It catches what was forgotten, and
does not know which widget a segment comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.graphics.kitty import GRAPHIC, are_cells

if TYPE_CHECKING:
    from textual.color import Color


class SafeLines(LineFilter):
    """Removes from rendered lines whatever could act on the terminal or on the app.

    Control characters become visible, terminal hyperlinks are dropped, and so are the actions that
    markup can attach to text (`[@click=…]`): this app attaches none itself. Cells that stand for a
    picture pass where the app painted them. Return an instance in
    front of the other filters from `App.get_line_filters()`.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same segments, harmless; those that were are passed on as they are."""
        return [_safe(segment) for segment in segments]


def _safe(segment: Segment) -> Segment:
    text, style, control = segment
    # Two quick answers first: this runs for every segment that is painted.
    safe_text = text if text.isascii() and text.isprintable() else sanitize_line(text)
    if safe_text != text and _is_graphic(text, style):
        safe_text = text
    safe_style = style if style is None or _is_inert(style) else _without_actions(style)
    if safe_text == text and safe_style is style and control is None:
        return segment
    return Segment(safe_text, safe_style)


def _is_graphic(text: str, style: Style | None) -> bool:
    """Whether these are cells of a picture, from whoever may paint some."""
    return style is not None and bool(style.meta.get(GRAPHIC)) and are_cells(text)


def _is_inert(style: Style) -> bool:
    # `_meta` is the pickled form: without an @ in it no key can begin with one.
    return style.link is None and (style._meta is None or b"@" not in style._meta)


def _without_actions(style: Style) -> Style:
    kept = {key: value for key, value in style.meta.items() if not key.startswith("@")}
    if style.link is None and len(kept) == len(style.meta):
        return style
    plain = style.clear_meta_and_links()
    return plain + Style.from_meta(kept) if kept else plain
