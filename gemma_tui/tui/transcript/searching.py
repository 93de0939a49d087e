"""Going to places in the transcript: to a message, and from hit to hit of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.tui.transcript.cursor import Window
from gemma_tui.tui.transcript.finder import Finder
from gemma_tui.tui.transcript.places import Place
from gemma_tui.tui.transcript.requests import FindEnded
from gemma_tui.tui.transcript.view import TranscriptView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gemma_tui.conversation import Message
    from gemma_tui.tui.transcript.places import Hit

_ROWS_ABOVE = 2
"""Shown above a hit, for what it is about."""


class SearchableView(TranscriptView):
    """A transcript in which something can be looked for."""

    def __init__(self, *, is_awaited: bool = False) -> None:
        super().__init__(is_awaited=is_awaited)
        self._finder = Finder(self._document)
        self._find_from: int | None = None

    def show(
        self, messages: Sequence[Message], forks: Mapping[int, tuple[int, int]] | None = None
    ) -> None:
        """Replace everything, and go to the end; a search ends."""
        if self._finder.is_active:
            self._finder.end()
            self._find_from = None
            self.post_message(FindEnded())
        super().show(messages, forks)

    @property
    def finder(self) -> Finder:
        """The search, to be asked how many hits there are."""
        return self._finder

    def find(self, text: str) -> Hit | None:
        """Look for a text from where the reader was when the search began; show the first hit."""
        if self._find_from is None:
            is_empty = self._document.is_empty
            self._find_from = 0 if is_empty else self._document.locate(self._window.top).entry
        return self._show_hit(self._finder.begin(text, self._find_from))

    def find_next(self, direction: int) -> Hit | None:
        """Show the next hit (1), or the one before (-1)."""
        return self._show_hit(self._finder.step(direction))

    def end_find(self) -> None:
        """Look for nothing any more; the place stays."""
        self._finder.end()
        self._find_from = None
        self._settle()

    def show_match(self, message_id: int, text: str) -> bool:
        """Go to the first hit in one message; False if it has none, then the message is shown."""
        index = self._document.index_of(message_id)
        if index is None:
            return False
        hit = self._show_hit(self._finder.begin(text, index))
        if hit is None or hit.place.entry != index:
            self._go_to(Place(index, 0, 0))
            return False
        return True

    @property
    def reading_place(self) -> Place | None:
        """The first row on the screen, for `go_to`; None if the end is followed."""
        return None if self._follows else self._place()

    def go_to(self, place: Place) -> None:
        """Make a row the first on the screen, or bring it as near to that as the end allows."""
        self._go_to(place)

    def action_scroll_home(self) -> None:
        """Go to the first message at once: on the way heights would turn out to be others."""
        if not self._document.is_empty:
            self._go_to(Place(0, 0, 0))

    @property
    def _window(self) -> Window:
        return Window(round(self.scroll_y), self.size.height)

    def _show_hit(self, hit: Hit | None) -> Hit | None:
        if hit is None:
            self._settle()
            return None
        y = self._document.position(hit.place)
        if self._window.top <= y < self._window.bottom:
            self._settle()
        else:
            self._go_to(self._document.locate(max(0, y - _ROWS_ABOVE)))
        return hit

    def _go_to(self, place: Place) -> None:
        """Scroll so that a row is the first on the screen, or as near to it as the end allows."""
        self._follows = False
        self._settle(place)
        self._follows = round(self.scroll_y) >= self.max_scroll_y

    def _bring_into_view(self, index: int) -> None:
        """Scroll as little as needed to show a message, or the beginning of a long one."""
        top, bottom = self._document.span(index)
        if top < self._window.top or bottom - top >= self._window.height:
            self._go_to(Place(index, 0, 0))
        elif bottom > self._window.bottom:
            self._document.draw(top, bottom - top)
            top, bottom = self._document.span(index)
            self._go_to(self._document.locate(max(0, min(top, bottom - self._window.height))))

    def _redraw(self, message_id: int, place: Place | None) -> None:
        """A message was folded or unfolded; `place` was the first on the screen, and stays it."""
        index = self._document.index_of(message_id)
        if index is not None and place is not None:
            self._document.changed(index)
            self._go_to(place)
            self.refresh()
