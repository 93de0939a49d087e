"""What the style names of rows look like: component classes of the transcript, so CSS decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.style import Style

from gemma_tui.tui.graphics.kitty import GRAPHIC

if TYPE_CHECKING:
    from textual.color import Color
    from textual.css.styles import RenderStyles
    from textual.widget import Widget

NAMES: Final = (
    *("author", "user", "model", "bar", "chip", "note", "warning", "error", "thought", "below"),
    *("cursor", "match", "current"),
    *("strong", "em", "strike", "link", "url", "quote", "marker", "rule", "math"),
    *("heading1", "heading2", "heading3", "heading4", "heading5", "heading6"),
    *("code", "label", "keyword", "string", "comment", "number", "name"),
)

PREFIX: Final = "transcript--"

CSS: Final = """
TranscriptView {
    & > .transcript--cursor { color: $text-warning; text-style: bold; }
    & > .transcript--match { background: $warning-muted; color: $text-warning; }
    & > .transcript--current { background: $warning; color: $background; text-style: bold; }
    & > .transcript--author { text-style: bold; }
    & > .transcript--user { color: $text-accent; }
    & > .transcript--model { color: $text-primary; }
    & > .transcript--bar { color: $accent; }
    & > .transcript--chip { color: $text-secondary; }
    & > .transcript--note { color: $foreground 75%; }
    & > .transcript--thought { color: $foreground 75%; text-style: italic; }
    & > .transcript--warning { color: $text-warning; }
    & > .transcript--error { color: $text-error; }
    & > .transcript--below { color: $background; background: $primary; }
    & > .transcript--strong { text-style: bold; }
    & > .transcript--em { text-style: italic; }
    & > .transcript--strike { text-style: strike; }
    & > .transcript--link { text-style: underline; }
    & > .transcript--url { color: $foreground 75%; }
    & > .transcript--quote { color: $foreground 75%; }
    & > .transcript--marker { color: $text-primary; }
    & > .transcript--rule { color: $border-blurred; }
    & > .transcript--math { color: $text-accent; }
    & > .transcript--heading1 { color: $text-primary; text-style: bold underline; }
    & > .transcript--heading2 { color: $text-primary; text-style: bold; }
    & > .transcript--heading3 { text-style: bold; }
    & > .transcript--heading4 { text-style: bold; }
    & > .transcript--heading5 { text-style: bold italic; }
    & > .transcript--heading6 { text-style: italic; }
    & > .transcript--code { background: $foreground 8%; }
    & > .transcript--label { color: $foreground 75%; }
    & > .transcript--keyword { color: $text-primary; text-style: bold; }
    & > .transcript--string { color: $text-success; }
    & > .transcript--comment { color: $foreground 75%; text-style: italic; }
    & > .transcript--number { color: $text-warning; }
    & > .transcript--name { color: $text-accent; }
}
"""


class Palette:
    """The styles of one widget under the theme it had when this was made."""

    def __init__(self, widget: Widget) -> None:
        background = widget.background_colors[1]
        self.base: Final = widget.rich_style
        self._single = {
            name: _style(widget.get_component_styles(PREFIX + name), background) for name in NAMES
        }
        self._combined: dict[str, Style] = {"": self.base}

    def style(self, names: str) -> Style:
        """The style for names separated by spaces; later ones win, unknown ones do nothing."""
        found = self._combined.get(names)
        if found is None:
            found = self.base
            for name in names.split():
                found += self._single.get(name) or _colour(name)
            if "#" not in names:  # pictures have more colours than are worth remembering
                self._combined[names] = found
        return found


def _colour(name: str) -> Style:
    """The style for `#rrggbb`, `on#rrggbb`, `graphic#rrggbb`; none for anything else."""
    where, hash_sign, digits = name.partition("#")
    if not hash_sign:
        return Style.null()
    if where == "graphic":
        return Style(color=f"#{digits}", meta={GRAPHIC: True})
    return Style(bgcolor=f"#{digits}") if where else Style(color=f"#{digits}")


def _style(styles: RenderStyles, background: Color) -> Style:
    behind = background
    if styles.has_rule("background"):
        behind = _over(styles.background, background)
    return (
        Style(
            color=_over(styles.color, behind).rich_color if styles.has_rule("color") else None,
            bgcolor=behind.rich_color if styles.has_rule("background") else None,
        )
        + styles.text_style
    )


def _over(color: Color, background: Color) -> Color:
    """A translucent colour as it looks over `background`; terminals know no translucency."""
    return color if color.ansi is not None else background + color
