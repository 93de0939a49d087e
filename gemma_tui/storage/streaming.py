"""A reply on its way into the database: its text is stored while it streams.

Takes what an engine says as it comes; why it ends is the caller's business.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.errors import StorageError
from gemma_tui.generation import (
    Finished,
    MediaProgress,
    PrefillProgress,
    Resumed,
    TextDelta,
    ThoughtDelta,
    TurnsLeftOut,
)
from gemma_tui.tool_call import MalformedToolCall, ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from gemma_tui.conversation import Message, Part
    from gemma_tui.generation import GenerationEvent
    from gemma_tui.storage.conversations import ConversationStore

FLUSH_SECONDS: Final = 0.05
"""Text waits at most this long for its write, so that kill -9 costs less than 100 ms of it."""


class StreamingReply:
    """Collects the parts of one reply and flushes them from a task of its own.

    The task writes even when no more text comes, so that a slow model loses no more than a fast
    one. Leaving the context stops the task; `finish` then writes everything.

    Args:
        store: Where the row is.
        reply: The row, in state `streaming`; what it says already is kept.
    """

    def __init__(self, store: ConversationStore, reply: Message) -> None:
        self._store = store
        self._message_id = reply.id
        self._done: list[Part] = []  # what more text is never added to
        self._open: tuple[type[TextPart | ThoughtPart], list[str]] | None = None
        self._token_ids: list[int] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._take(reply.parts, reply.token_ids)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._flush_for_ever(), name="flush-reply")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()  # it never ends by itself: a fault of the program

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything so far."""
        if self._open is None:
            return tuple(self._done)
        kind, texts = self._open
        return (*self._done, kind("".join(texts)))

    def keep(self, event: GenerationEvent) -> bool:
        """Take what the model wrote out of an event; returns whether it wrote something."""
        match event:
            case TextDelta(text):
                self.add(TextPart(text), event.token_ids)
            case ThoughtDelta(text):
                self.add(ThoughtPart(text), event.token_ids)
            case Resumed(parts, token_ids):
                self.start_from(parts, token_ids)
            case Finished():
                self.add_tokens(event.token_ids)
                return bool(event.token_ids)
            case MediaProgress() | PrefillProgress() | TurnsLeftOut():
                return False
            case ToolCall() | MalformedToolCall():
                self.add(event)
            case _:
                assert_never(event)
        return True

    def add(self, part: Part, token_ids: Sequence[int] = ()) -> None:
        """More of the answer or of the thought, or a part, and the tokens that say it."""
        self.add_tokens(token_ids)
        if isinstance(part, TextPart | ThoughtPart) and not part.text:
            return
        self._append(part)
        self._changed.set()

    def add_tokens(self, token_ids: Sequence[int]) -> None:
        """Tokens that say nothing yet; stored with what follows."""
        self._token_ids.extend(token_ids)

    def start_from(self, parts: Sequence[Part], token_ids: Sequence[int]) -> None:
        """Replace everything so far, in one write."""
        self._take(parts, token_ids)
        self._changed.set()

    def _take(self, parts: Sequence[Part], token_ids: Sequence[int]) -> None:
        self._done, self._open, self._token_ids = [], None, list(token_ids)
        for part in parts:
            self._append(part)

    def _append(self, part: Part) -> None:
        if self._open and self._open[0] is not type(part):
            self._done, self._open = list(self.parts), None
        if not isinstance(part, TextPart | ThoughtPart):
            self._done.append(part)
        elif self._open:
            self._open[1].append(part.text)
        else:
            self._open = (type(part), [part.text])

    async def finish(self, last: Message) -> Message:
        """Store the last values and all parts; of a reply that was cut off its tokens, too.

        Args:
            last: The reply with its last state, usage and so on; its parts are not looked at.

        Raises:
            StorageError: They could not be stored; the row is still `streaming`.
        """
        reply = replace(last, parts=self.parts, token_ids=tuple(self._token_ids))
        return await self._store.finish(reply if reply.is_cut_off else replace(reply, token_ids=()))

    async def _flush_for_ever(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            begun = time.monotonic()
            try:
                await self._store.update_streaming(
                    self._message_id, self.parts, tuple(self._token_ids)
                )
            except StorageError:
                # A disk may be full for a while: the answer goes on, and the next flush or
                # `finish` writes all of it. Only `finish` can tell that it was in vain.
                self._changed.set()
            # Measured from the begin: a slow write does not make the text wait longer.
            await asyncio.sleep(max(FLUSH_SECONDS - (time.monotonic() - begun), 0.001))
