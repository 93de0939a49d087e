"""The built-in model, asked without a process around it; replies as events, ids and texts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.engine.protocol import Event, Generate
from gemma_tui.generation import (
    Finished,
    GenerationRequest,
    ReplySoFar,
    Resumed,
    TextDelta,
    ThoughtDelta,
)
from tests.runtime.talk import Talk


@dataclass(frozen=True)
class Answered:
    """All events of one reply."""

    events: tuple[Event, ...]

    @property
    def end(self) -> Finished:
        end = self.events[-1]
        assert isinstance(end, Finished)
        return end

    @property
    def ids(self) -> tuple[int, ...]:
        """The tokens as whoever listens collects them, those of the reply so far among them."""
        ids: list[int] = []
        for event in self.events:
            match event:
                case Resumed(_, token_ids):
                    ids = list(token_ids)
                case TextDelta() | ThoughtDelta() | Finished():
                    ids += event.token_ids
        return tuple(ids)

    @property
    def parts(self) -> tuple[TextPart | ThoughtPart, ...]:
        """What it says, neighbours of one kind as one part."""
        parts: list[TextPart | ThoughtPart] = []
        for event in self.events:
            match event:
                case Resumed(said):
                    parts = list(said)
                case TextDelta(text):
                    parts.append(TextPart(text))
                case ThoughtDelta(text):
                    parts.append(ThoughtPart(text))
        joined: list[TextPart | ThoughtPart] = []
        for part in parts:
            same = joined and type(joined[-1]) is type(part)
            joined.append(type(part)((joined.pop().text if same else "") + part.text))
        return tuple(joined)

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def thought(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, ThoughtPart))

    @property
    def so_far(self) -> ReplySoFar:
        return ReplySoFar(self.parts, self.ids)


class Asking(Talk):
    """A model whose replies are looked at closely."""

    def ask(self, request: GenerationRequest, *, cancel_at: int | None = None) -> Answered:
        """A reply; `cancel_at` cancels it with its n-th event."""
        return Answered(tuple(self.perform(Generate(request), cancel_at=cancel_at)))

    def go_on(self, request: GenerationRequest, cut: Answered) -> Answered:
        """The rest of a reply that was cut off."""
        return self.ask(replace(request, reply=cut.so_far))
