"""One reply while it is being written, whether or not its conversation is on the screen.

A turn remembers what a transcript needs to show its reply again, live. No widget is known here.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import MessageState, TextPart, ThoughtPart
from gemma_tui.errors import GemmaError
from gemma_tui.generation import (
    Finished,
    MediaProgress,
    PrefillProgress,
    Resumed,
    TextDelta,
    ThoughtDelta,
)
from gemma_tui.turn import TurnFinished, TurnStarted, media_label, reading_label

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Draft, Message, Part
    from gemma_tui.options import GenerationOptions
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.turn import TurnEvent


SPEED_SECONDS: Final = 0.5
"""How long a measured speed is shown: numbers that change with every batch cannot be read, and each
has the status line painted."""


@dataclass(slots=True)
class Turn:
    """A draft on its way to a stored reply."""

    conversation_id: int | None
    """None until the conversation of a first message is created."""
    draft: Draft | None
    """What was asked; None answers `parent_id` again."""
    parent_id: int | None
    continued_id: int | None = None
    """The reply that goes on, instead of anything being asked."""
    edited: Message | None = None
    """The question that `draft` is asked in place of."""
    overrides: str = ""
    """What is set for a conversation that is created for it, as JSON."""
    reply: Message | None = None
    """The stored row of the reply, from the moment it exists."""
    began_at: float = field(default_factory=time.monotonic)
    """On the monotonic clock, in seconds."""
    label: str = "sending"
    """What happens now, in words."""
    token_count: int = 0
    tokens_per_second: float = 0.0
    """Speed so far; 0 until it means something."""
    stored: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the question is stored, or never will be."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nothing of it is left to do."""
    is_stopping: bool = False
    is_finished: bool = False
    """Whether the reply reached its own end, rather than being stopped or failing."""
    cancel: Callable[[], None] | None = None
    """Stops it."""
    _thought: list[str] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)
    _first_token_at: float = 0.0
    _tokens_before: int = 0
    _measured_at: float = 0.0

    def note(self, event: TurnEvent) -> None:
        """Take in what happened."""
        match event:
            case TurnStarted(_, reply):
                self.reply = reply
                self.label = "waiting for the model"
                self._start_from(reply.parts)
                self._tokens_before = len(reply.token_ids)
            case Resumed(parts, token_ids):
                self._start_from(parts)
                self._tokens_before = len(token_ids)
            case MediaProgress():
                self.label = media_label(event, self.draft.attachments if self.draft else ())
            case PrefillProgress():
                self.label = reading_label(event)
            case ThoughtDelta(text):
                self._begin("thinking")
                self._thought.append(text)
            case TextDelta(text, token_count):
                self._begin("writing")
                self._text.append(text)
                self.token_count = token_count or self.token_count
                self._measure(time.monotonic())
            case Finished():
                self.label = "finishing"
            case TurnFinished(reply):
                self.reply = reply
                self.is_finished = True

    def snapshot(self) -> Message | None:
        """The reply with everything written so far, also what is not stored yet."""
        if self.reply is None or self.is_finished:
            return self.reply
        thought = ThoughtPart("".join(self._thought))
        text = TextPart("".join(self._text))
        return replace(self.reply, parts=tuple(part for part in (thought, text) if part.text))

    def _start_from(self, parts: Iterable[Part]) -> None:
        """What a continued reply says already."""
        found = tuple(parts)
        self._thought = [part.text for part in found if isinstance(part, ThoughtPart)]
        self._text = [part.text for part in found if isinstance(part, TextPart)]

    def _begin(self, label: str) -> None:
        self.label = label
        self._first_token_at = self._first_token_at or time.monotonic()

    def _measure(self, now: float) -> None:
        elapsed = now - self._first_token_at
        if elapsed > 0.2 and now - self._measured_at >= SPEED_SECONDS:
            self._measured_at = now
            self.tokens_per_second = max(0, self.token_count - self._tokens_before) / elapsed


async def run_turn(
    turn: Turn,
    *,
    chat: Chat,
    store: ConversationStore,
    options: GenerationOptions,
    show: Callable[[TurnEvent], Awaitable[None]],
) -> None:
    """Ask and stream; however it ends, `turn.reply` is then what the store has, or None.

    Args:
        turn: Gets every event before `show` does.
        chat: Runs the turn.
        store: Where a new conversation is created for a first message.
        options: Sampling, length, thinking.
        show: Called for every event.

    Raises:
        GemmaError: What kept the reply from being finished.
    """
    is_new, problem = turn.conversation_id is None, ""
    try:
        if turn.conversation_id is None:
            turn.conversation_id = (await store.create("")).id
            if turn.overrides:
                await store.set_settings(turn.conversation_id, turn.overrides)
        if turn.continued_id is not None:
            events = chat.continue_reply(turn.conversation_id, turn.continued_id, options=options)
        else:
            events = chat.reply(
                turn.conversation_id, turn.draft, parent_id=turn.parent_id, options=options
            )
        async with aclosing(events):
            async for event in events:
                turn.note(event)
                await show(event)
    except GemmaError as error:
        problem = str(error)
        raise
    finally:
        if turn.reply is None:
            if is_new and turn.conversation_id is not None:
                await store.delete(turn.conversation_id)
        elif not turn.is_finished:
            last = (await store.messages(turn.reply.conversation_id, turn.reply.id))[-1]
            if last.state is MessageState.STREAMING:
                # Its end could not be stored: what was written stays on the screen, and the reason.
                written = turn.snapshot() or last
                last = replace(written, state=MessageState.FAILED, error=problem)
            turn.note(TurnFinished(last))
