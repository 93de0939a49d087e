"""The open conversation of plain mode: its branch, what is attached, and the reply being written.

What a turn is and how it runs, `frontend.turn` says, as in the app; this shows it line by line.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Draft, context_tokens
from gemma_tui.errors import GemmaError, UsageError
from gemma_tui.frontend.own_settings import own_settings
from gemma_tui.frontend.turn import Turn, run_turn
from gemma_tui.generation import Finished, TextDelta, TurnsLeftOut
from gemma_tui.plain.attaching import PlainAttaching
from gemma_tui.plain.attachment_words import describe
from gemma_tui.plain.reply_ending import ending_sentence
from gemma_tui.preprocessing.budget import AUTO
from gemma_tui.settings.configuration import Origin
from gemma_tui.settings.reading import overrides_text, read_overrides
from gemma_tui.turn import TurnStarted, left_out_sentence

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment, Conversation, Message
    from gemma_tui.plain.console import Console
    from gemma_tui.plain.drafts import PlainDraft
    from gemma_tui.settings.configuration import Configuration, Resolved
    from gemma_tui.settings.reading import Layer
    from gemma_tui.settings.schema import Settings
    from gemma_tui.settings.setting import Value
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.turn import TurnEvent

PROGRESS_SECONDS: Final = 4.0
"""At most so often a sentence says how far something is; a listener hears each to its end."""

STOP_SECONDS: Final = 0.5
"""How long a stopped reply may take to end by itself."""


class Conversing:
    """One conversation at a time.

    Args:
        chat: Runs turns and attaches files.
        store: Conversations.
        configuration: Settings for all of them.
        console: Where everything is shown.
        draft: Keeps what is not sent yet.
    """

    def __init__(
        self,
        chat: Chat,
        store: ConversationStore,
        configuration: Configuration,
        console: Console,
        draft: PlainDraft,
    ) -> None:
        self._chat = chat
        self._store = store
        self._configuration = configuration
        self._console = console
        self._draft = draft
        self._overrides = ""
        self._turn: Turn | None = None
        self._work: asyncio.Task[None] | None = None
        self._attaching = PlainAttaching(chat, console)
        self._told_at = 0.0
        self.conversation: Conversation | None = None
        """None until a first message creates it."""
        self.branch: tuple[Message, ...] = ()
        """Its messages, from the first one on."""
        self.attachments: tuple[Attachment, ...] = ()
        """What goes with the next message."""
        self.unsent = ""
        """The text that is on its way to becoming a message."""

    @property
    def settings(self) -> Settings:
        """What holds in this conversation."""
        return self._resolved.settings

    @property
    def _resolved(self) -> Resolved:
        return self._configuration.resolve(self._own.values)

    @property
    def _own(self) -> Layer:
        is_new = self.conversation is None
        return read_overrides(self._overrides) if is_new else own_settings(self.conversation)

    async def set_where_it_holds(self, key: str, value: Value) -> None:
        """Set something for this conversation if it has its own, or the environment holds it fast.

        Else for all conversations, as the app's keys do.
        """
        if self._resolved.origins[key] in {Origin.CONVERSATION, Origin.ENVIRONMENT}:
            await self.set_own(key, value)
        else:
            await self._configuration.set(key, value)

    async def set_own(self, key: str, value: Value) -> None:
        """Set something for this conversation only."""
        own = self._own
        text = overrides_text({**own.values, key: value}, own.unknown)
        if self.conversation is None:
            self._overrides = text
        else:
            self.conversation = await self._store.set_settings(self.conversation.id, text)

    async def open(self, conversation_id: int | None) -> None:
        """Turn to a conversation, None being a new one, and to its draft.

        Raises:
            UsageError: There is no such conversation.
        """
        if conversation_id is not None:
            known = (*await self._store.list(), *await self._store.list(archived=True))
            if conversation_id not in {item.id for item in known}:
                raise UsageError(
                    f"There is no conversation {conversation_id}.", "/list shows those there are."
                )
        await self._draft.keep("", self.attachments)
        self._overrides = ""
        await self._read(conversation_id)
        await self.take_up_draft()

    async def take_up_draft(self) -> None:
        """Go on with what was not sent in this conversation."""
        number = self.conversation.id if self.conversation else None
        found = await self._draft.take_up(number)
        for item in found or ():
            self._console.say(f"Attached is {describe(item)}.")
        self.attachments = self.attachments if found is None else found

    async def keep_draft(self, typed: str = "") -> None:
        """Save what is typed and attached.

        Raises:
            StorageError: It cannot be saved.
        """
        await self._draft.keep(self.unsent or typed, self.attachments)

    async def attach(self, paths: Sequence[Path]) -> None:
        """Attach files to the next message.

        Raises:
            GemmaError: What could not be attached, and why; the other files are.
        """
        used = context_tokens(self.branch)
        async for item in self._attaching.attach(paths, self.settings, self.attachments, used):
            self.attachments = (*self.attachments, item)

    async def with_parts(self, item: Attachment, selection: str) -> Attachment:
        """An attachment with the pages, lines, frames or part of a sound that a text names.

        Raises:
            GemmaError: It names none, or there is nothing to choose from.
        """
        return await self._chat.documents.choose(item, selection)

    async def with_budget(self, picture: Attachment, budget: str) -> Attachment:
        """A picture with this token budget, or with the one that suits it.

        Raises:
            GemmaError: Nobody could find that out.
        """
        if budget == AUTO:
            return await self._chat.pictures.with_auto_budget(picture)
        return replace(picture, token_budget=int(budget))

    async def send(self, text: str) -> None:
        """Ask, and show the answer as it is written.

        Raises:
            GemmaError: What kept the reply from being finished; what was attached stays if nothing
                was stored.
        """
        last = self.branch[-1].id if self.branch else None
        number = self.conversation.id if self.conversation else None
        self.unsent = text
        turn = Turn(number, Draft(text), last, overrides=self._overrides)
        try:
            if self.attachments:
                await self._work_on(turn, self._fit())
                turn.draft = Draft(text, self.attachments)
            if turn.is_stopping:
                self._console.note(ending_sentence(None))
            else:
                await self._run(turn)
        except GemmaError:
            self._give_back()
            raise
        self._give_back()

    async def _fit(self) -> None:
        used = context_tokens(self.branch)
        self.attachments = await self._attaching.fitted(self.attachments, used)

    def _give_back(self) -> None:
        """Let a text that is no message yet stand at the prompt again."""
        self._draft.offered, self.unsent = self.unsent, ""

    async def answer_again(self) -> None:
        """Have the last question answered once more, in a branch of its own."""
        last = self.branch[-1]
        number = last.parent_id if last.role == "model" else last.id
        await self._run(Turn(last.conversation_id, None, number))

    async def go_on(self) -> None:
        """Let the last reply go on where it was cut off."""
        last = self.branch[-1]
        await self._run(Turn(last.conversation_id, None, None, continued_id=last.id))

    def stop(self) -> bool:
        """Stop the reply; False if none is being written."""
        work = self._work
        if self._turn is None or work is None:
            return False
        if not self._turn.is_stopping:
            self._turn.is_stopping = True
            self._stopping = asyncio.ensure_future(self._stop(work))
        return True

    async def _stop(self, work: asyncio.Task[None]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._chat.stop()
                await asyncio.wait([work])
                return
        work.cancel()

    async def _run(self, turn: Turn) -> None:
        options = self.settings.options
        running = run_turn(
            turn, chat=self._chat, store=self._store, options=options, show=self._show
        )
        try:
            await self._work_on(turn, running)
        finally:
            self._console.end_answer()
            if turn.reply is not None:
                self._overrides = ""
                await self._read(turn.reply.conversation_id, turn.reply.id)
        if sentence := ending_sentence(turn.reply):
            self._console.note(sentence)

    async def _work_on(self, turn: Turn, work: Coroutine[None, None, None]) -> None:
        """Do something for a turn; when that is stopped, this returns."""
        self._turn, self._told_at = turn, time.monotonic()
        self._work = asyncio.ensure_future(work)
        try:
            await self._work
        except asyncio.CancelledError:
            if not turn.is_stopping:
                raise
        finally:
            self._turn = self._work = None

    async def _read(self, conversation_id: int | None, leaf_id: int | None = None) -> None:
        if conversation_id is None:
            self.conversation, self.branch = None, ()
            return
        self.conversation = await self._store.get(conversation_id)
        self.branch = await self._store.messages(conversation_id, leaf_id)

    async def _show(self, event: TurnEvent) -> None:
        match event:
            case TurnStarted(question, _):
                if question is not None:
                    self.attachments, self.unsent = (), ""
                    await self._draft.sent(question.conversation_id)
                if self._console.edits:
                    self._console.answer("Gemma: ")
            case TextDelta(text):
                self._console.answer(text)
                self._told_at = time.monotonic()
            case TurnsLeftOut():
                self._console.note(left_out_sentence(event))
            case Finished(reason="repetition"):
                self._console.note("The answer said the same over and over, so it was cut off.")
            case _:
                self._tell_progress()

    def _tell_progress(self) -> None:
        now = time.monotonic()
        if self._turn is not None and now - self._told_at >= PROGRESS_SECONDS:
            self._told_at = now
            self._console.note(f"{self._turn.label.capitalize()}.")
