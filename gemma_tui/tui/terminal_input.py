"""What a terminal sends, as events: keys by Textual's parser, pastes whole and by themselves.

Textual's parser (textual 8.2.8) ends a paste at the first ESC in it and presses what follows as
keys, and takes the ESC before an arrow for the key Esc. So pastes are cut out in front of it here,
and Alt with an arrow is spelled in the way it knows. Knows no widget and reads no file.
"""

from __future__ import annotations

import re
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from textual import events
from textual.constants import ESCAPE_DELAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual._xterm_parser import XTermParser
    from textual.message import Message

SETTLE_SECONDS: Final = 0.02
"""What comes within this time after the end of a paste may be a part of it: see `_Place.BEHIND`."""

OVERDUE_SECONDS: Final = 2.0
"""A paste that has paused for so long is shown as far as it came; its end may be lost."""

_START: Final = "\x1b[200~"
_END: Final = "\x1b[201~"
_MARKER: Final = re.compile("(\x1b\\[20[01]~)")

_UNFINISHED: Final = re.compile("\x1b{1,2}(?:\\[[0-9;:]{0,16}|O)?\\Z")
"""The beginning of a marker or of a key with Alt."""

_META: Final = re.compile(
    "\x1b\x1b(?:\\[(?P<number>[0-9]*)(?:;(?P<modifiers>[0-9]))?(?P<end>[A-FH~])|O(?P<short>[A-FHP-S]))"
)
"""Alt and a key as terminals send it whose Alt is a plain ESC before the key."""

_REPORTS: Final = re.compile("(?:\x1b\\[(?:<[0-9;-]+[Mm]|[IO]))*")
"""Movements of the mouse and of the focus: nobody pressed a key."""

_ONE_KEY: Final = re.compile("\x1b?.|\x1b{1,2}(?:\\[[0-9;:]*[A-Za-z~]|O[A-Z])", re.DOTALL)


class _Place(Enum):
    """Where in the input the next character is."""

    OUTSIDE = auto()
    INSIDE = auto()
    """In a paste."""
    BEHIND = auto()
    """Right after the end of one. A terminal that pastes the end marker as it stands tells where
    the paste really ends by another one: nobody types between two of them in so short a time."""


class TerminalInput:
    """Turns pieces of text from a terminal into events.

    Args:
        parser: Turns everything but pastes into events.
        clock: Seconds that only grow.
    """

    def __init__(self, parser: XTermParser, clock: Callable[[], float] = time.monotonic) -> None:
        self._parser = parser
        self._clock = clock
        self._place = _Place.OUTSIDE
        self._held = ""
        """The end of what was read, if it may go on."""
        self._pasted: list[str] = []
        self._behind: list[str] = []
        self._is_overdue = False
        self._arrived_at = 0.0

    def feed(self, text: str) -> Iterator[Message]:
        """Take what was read, and yield the events that are complete."""
        if not _REPORTS.fullmatch(text):  # moving the mouse makes nothing wait
            self._arrived_at = self._clock()
        if self._is_overdue and _END not in self._held + text:
            if _REPORTS.fullmatch(text):
                yield from self._parser.feed(text)
                return
            if _ONE_KEY.fullmatch(text):  # somebody types: the end of the paste is lost
                self._held = ""
                self._leave()
        text = self._held + text
        unfinished = _UNFINISHED.search(text)
        self._held = unfinished[0] if unfinished else ""
        for piece in _MARKER.split(text.removesuffix(self._held)):
            if piece:
                yield from self._take(piece)

    def tick(self) -> Iterator[Message]:
        """Yield what time alone completes; to be called when `patience` is over."""
        if self._patience() <= 0:
            if self._place is _Place.INSIDE:
                self._is_overdue = True
                if self._pasted:
                    yield self._paste()
            elif self._place is _Place.BEHIND:
                yield from self._settle()
            elif self._held:
                held, self._held = self._held, ""
                yield from self._keys(held)
        yield from self._parser.tick()

    def patience(self, longest: float) -> float:
        """Seconds after which `tick` may have something to say, `longest` at most."""
        return max(0.0, min(longest, self._patience()))

    def _patience(self) -> float:
        if self._place is _Place.BEHIND:
            wait = SETTLE_SECONDS
        elif self._place is _Place.OUTSIDE:
            wait = ESCAPE_DELAY if self._held else float("inf")
        else:
            wait = float("inf") if self._is_overdue and not self._pasted else OVERDUE_SECONDS
        return self._arrived_at + wait - self._clock()

    def _take(self, piece: str) -> Iterator[Message]:
        """Take a marker, or text without one."""
        if self._place is _Place.BEHIND:
            yield from self._take_behind(piece)
        elif self._place is _Place.INSIDE:
            if piece == _END:
                self._place = _Place.BEHIND
            else:
                self._pasted.append(piece)
        elif piece == _START:
            self._place = _Place.INSIDE
        elif piece != _END:
            yield from self._keys(piece)

    def _take_behind(self, piece: str) -> Iterator[Message]:
        if piece == _END:
            self._pasted += (_END, *self._behind)
            self._behind.clear()
        elif piece != _START:
            self._behind.append(piece)
        elif _REPORTS.fullmatch("".join(self._behind)):
            yield from self._settle()
            self._place = _Place.INSIDE
        else:
            self._pasted += (_END, *self._behind, _START)
            self._behind.clear()
            self._place = _Place.INSIDE

    def _settle(self) -> Iterator[Message]:
        """The paste is over, and what came behind it are keys."""
        if self._pasted or not self._is_overdue:
            yield self._paste()
        keys = "".join(self._behind)
        self._leave()
        yield from self._keys(keys)

    def _leave(self) -> None:
        self._behind.clear()
        self._is_overdue = False
        self._place = _Place.OUTSIDE

    def _paste(self) -> events.Paste:
        # NUL is dropped, as Textual does: no widget and no file name can do anything with it.
        text = "".join(self._pasted).replace("\x00", "")
        self._pasted.clear()
        return events.Paste(text)

    def _keys(self, text: str) -> Iterator[Message]:
        """Whole keys. Every ESC at the end is one: what else it could begin did not come."""
        keys = text.rstrip("\x1b")
        if keys:
            yield from self._parser.feed(_META.sub(_with_alt, keys))
        for _ in text[len(keys) :]:
            yield events.Key("escape", "\x1b")


def _with_alt(match: re.Match[str]) -> str:
    """The spelling of xterm: a bit field of modifiers, plus one; Alt is 2."""
    modifiers = (int(match["modifiers"] or 1) - 1 | 2) + 1
    return f"\x1b[{match['number'] or 1};{modifiers}{match['end'] or match['short']}"
