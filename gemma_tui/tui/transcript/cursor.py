"""Where the message cursor goes: to another message, or line by line through a long one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from gemma_tui.tui.transcript.document import Document


class Window(NamedTuple):
    """The rows that are on the screen."""

    top: int
    height: int

    @property
    def bottom(self) -> int:
        """The row after the last."""
        return self.top + self.height


class Step(NamedTuple):
    """What an arrow key does."""

    kind: Literal["choose", "scroll", "end"]
    message: int = 0
    """Place of the message to choose."""


def last_visible(document: Document, window: Window) -> int:
    """The lowest message of which a row besides the empty one above it is on the screen."""
    index = document.locate(window.bottom - 1).entry
    top, _ = document.span(index)
    return index - 1 if index and top >= window.bottom - 1 else index


def first_visible(document: Document, window: Window) -> int:
    """The uppermost message that begins on the screen, else the one that fills it."""
    index = document.locate(window.top).entry
    top, _ = document.span(index)
    if top < window.top and index + 1 < document.count:
        following, _ = document.span(index + 1)
        return index + 1 if following < window.bottom else index
    return index


def move(document: Document, window: Window, chosen: int | None, direction: int) -> Step:
    """Where the cursor goes from `chosen`, down (1) or up (-1).

    A message that is cut off at that side of the screen is read on first.
    """
    if chosen is None or not _is_visible(document, window, chosen):
        found = last_visible if direction < 0 else first_visible
        return Step("choose", found(document, window))
    top, bottom = document.span(chosen)
    if (top < window.top) if direction < 0 else (bottom > window.bottom):
        return Step("scroll")
    if 0 <= chosen + direction < document.count:
        return Step("choose", chosen + direction)
    return Step("end") if direction > 0 else Step("scroll")


def _is_visible(document: Document, window: Window, index: int) -> bool:
    top, bottom = document.span(index)
    return top < window.bottom and bottom > window.top
