"""Which key is typing and which one acts: decided before any widget hears it.

A letter acts where the focus is if it is bound there and comes alone. What comes in a burst is
text, from its first letter on: nobody presses two different keys within so short a time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from textual.widgets import Input, TextArea

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual import events
    from textual.app import App

BURST_SECONDS: Final = 0.02
"""Letters that follow each other faster are one text. A fast typist needs three times as long; a
key held down repeats about as fast, but is the same key."""


@runtime_checkable
class TakesTyping(Protocol):
    """A screen with a field that takes what is typed while the focus is elsewhere."""

    def take_typed(self, text: str) -> None:
        """Insert `text` into that field, and give it the focus at once."""


class KeyRouter:
    """Brings each key where it belongs.

    Args:
        app: Its screen and its focus decide.
        dispatch: Lets the app do with a key what it would without a router.
    """

    def __init__(self, app: App[None], dispatch: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app = app
        self._dispatch = dispatch
        self._held: events.Key | None = None  # a bound letter; more may follow it

    async def route(self, event: events.Key) -> None:
        """Type, hold back for a moment, or let act."""
        screen, held = self._app.screen, self._held
        self._held = None
        is_bound = event.is_printable and event.key in screen.active_bindings
        if is_bound and event.key.startswith("alt+"):
            event.character = None  # or a field would type it before the binding is asked
        typist: TakesTyping | None = None
        is_written_in = isinstance(screen.focused, Input | TextArea)
        if event.is_printable and not is_written_in and isinstance(screen, TakesTyping):
            typist = screen
        text = event.character or ""
        if held is not None and typist is not None and _is_burst(held, event):
            typist.take_typed((held.character or "") + text)
            return
        if held is not None:
            await self._dispatch(held)
        if typist is None:
            await self._dispatch(event)
        elif is_bound:
            self._held = event
            self._app.set_timer(BURST_SECONDS, partial(self._let_act, event))
        else:
            typist.take_typed(text)

    async def _let_act(self, event: events.Key) -> None:
        """Nothing followed: it is no text."""
        if self._held is event:
            self._held = None
            await self._dispatch(event)


def _is_burst(held: events.Key, event: events.Key) -> bool:
    return event.key != held.key and event.time - held.time < BURST_SECONDS
