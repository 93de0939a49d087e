"""Events that wait for a slow reader, merged where merging loses nothing.

Both ends of the pipe use it: the engine while the pipe is full, the app while a screen is busy.
Neighbouring text of one request becomes one event, and newer progress replaces older, so what
waits is bounded by the text itself. It knows nothing about threads: its owner locks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gemma_tui.engine.protocol import ConvertProgress
from gemma_tui.generation import (
    LoadProgress,
    MediaProgress,
    PrefillProgress,
    TextDelta,
    ThoughtDelta,
)

if TYPE_CHECKING:
    from gemma_tui.engine.protocol import Event


@dataclass(slots=True)
class _Entry:
    request_id: int
    event: Event
    pieces: list[str] = field(default_factory=list)
    """The texts of all the deltas merged into this one; joined once, when it is taken."""
    token_ids: list[int] = field(default_factory=list)
    """Their tokens."""

    def __post_init__(self) -> None:
        self._add(self.event)

    def absorb(self, request_id: int, event: Event) -> bool:
        """Take `event` in, if nothing is lost by that."""
        if request_id != self.request_id or type(event) is not type(self.event):
            return False
        match event:
            case TextDelta() | ThoughtDelta():
                self._add(event)
            case PrefillProgress() | MediaProgress() | LoadProgress() | ConvertProgress():
                pass
            case _:
                return False
        self.event = event
        return True

    def merged(self) -> Event:
        if isinstance(self.event, TextDelta | ThoughtDelta):
            text, token_ids = "".join(self.pieces), tuple(self.token_ids)
            return replace(self.event, text=text, token_ids=token_ids)
        return self.event

    def _add(self, event: Event) -> None:
        if isinstance(event, TextDelta | ThoughtDelta):
            self.pieces.append(event.text)
            self.token_ids.extend(event.token_ids)


class Backlog:
    """A queue of events, each with the id of the request it answers."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, request_id: int, event: Event) -> None:
        """Append an event, or merge it into the last one."""
        if self._entries and self._entries[-1].absorb(request_id, event):
            return
        self._entries.append(_Entry(request_id, event))

    def take(self) -> list[tuple[int, Event]]:
        """Everything that waits, in order; leaves the backlog empty."""
        taken = [(entry.request_id, entry.merged()) for entry in self._entries]
        self._entries.clear()
        return taken
