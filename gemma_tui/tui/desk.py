"""What lies before the user: the open page, its draft, and the one reply that is being written.

Keeps the three in step with the store whatever the user does meanwhile. Knows the widgets it moves
but no keys; its owner runs its coroutines and shows their errors.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.worker import get_current_worker

from gemma_tui.errors import GemmaError
from gemma_tui.frontend.turn import Turn, run_turn
from gemma_tui.generation import TurnsLeftOut
from gemma_tui.tui.status import STILL_WRITING
from gemma_tui.turn import TurnStarted, left_out_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Conversation, Draft, Message, Siblings
    from gemma_tui.options import GenerationOptions
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.storage.open_tabs import OpenTabs
    from gemma_tui.tui.desk_owner import DeskOwner
    from gemma_tui.tui.drafts import DraftKeeper
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.titling import Titling
    from gemma_tui.tui.transcript.places import Place
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel
    from gemma_tui.turn import TurnEvent

LEAVE_SECONDS: Final = 5.0
"""How long leaving waits at most for a stopped reply to be stored; its text is stored already."""

STOP_SECONDS: Final = 0.05
"""How long a stopped reply may take to end by itself: a step may be long, and Esc acts at once."""


class Desk:
    """The open page, its draft, the turn that runs.

    Args:
        chat: Runs turns.
        store: Conversations.
        drafts: Keeps the draft of the page.
        page: Shows a conversation.
        panel: Holds the draft.
        owner: The screen.
        titling: Writes titles while no turn runs.
    """

    def __init__(
        self,
        *,
        chat: Chat,
        store: ConversationStore,
        drafts: DraftKeeper,
        page: Page,
        panel: ComposerPanel,
        owner: DeskOwner,
        titling: Titling,
    ) -> None:
        self._chat = chat
        self._store = store
        self._drafts = drafts
        self._page = page
        self._panel = panel
        self._owner = owner
        self._titling = titling
        self.deleted: list[Conversation] = []
        """Conversations that can be brought back, the one deleted last at the end."""
        self._switching = asyncio.Lock()
        self._begun = asyncio.Event()
        self.turn: Turn | None = None
        """The reply that is being written, in whatever conversation."""

    async def begin(self, left: OpenTabs | None = None) -> bool:
        """Show what was there when the app was left, and behind it what was typed since.

        Args:
            left: What was open then; if nobody knows, unsent words are looked for.

        Returns:
            Whether there were unsent words, from the last time.
        """
        try:
            found = await self._drafts.find(await self._store.list())
            wanted = found if left is None else left.current_id
            had_draft = wanted in self._drafts.kept
            await self.open(wanted, keep_typed=True)
        finally:
            self._begun.set()
        return had_draft

    async def settled(self) -> None:
        """Wait until the question of the running turn is stored, or never will be."""
        if self.turn is not None:
            await self.turn.stored.wait()

    async def open(
        self,
        conversation_id: int | None,
        *,
        keep_typed: bool = False,
        place: Place | None = None,
    ) -> None:
        """Turn to a conversation, None being the new one. A reply being written goes on.

        Args:
            conversation_id: Which.
            keep_typed: Put what the composer holds behind its draft.
            place: The first row to be on the screen; None goes to the end.

        Raises:
            StorageError: The draft on the desk cannot be saved, or the conversation not be read.
        """
        if not keep_typed:
            self._owner.page_turns()
        async with self._switching:
            while True:
                await self.settled()
                await self._drafts.save()
                turn = self.turn
                conversation: Conversation | None = None
                messages: tuple[Message, ...] = ()
                siblings: tuple[Siblings, ...] = ()
                if conversation_id is not None:
                    conversation = await self._store.get(conversation_id)
                    messages = await self._store.messages(conversation_id)
                    siblings = await self._store.siblings(conversation_id)
                draft = await self._drafts.load(conversation_id)
                if turn is self.turn and not self._drafts.is_dirty:
                    break
            typed = self._panel.draft
            self._page.show(conversation, messages, turn, siblings)
            if place is not None:
                self._page.transcript.go_to(place)
            self._panel.load(draft)
            self._panel.drop_editing()
            self._drafts.is_paused = False
            if keep_typed:
                self._panel.append(typed)
        self._owner.show_status()
        await self.refresh_list()

    async def delete(self, conversation_id: int) -> Conversation:
        """Delete a conversation, its reply stopped first; it can be brought back."""
        turn = self.turn
        if turn is not None and turn.conversation_id == conversation_id and self.stop():
            await turn.done.wait()
        conversation = await self._store.delete(conversation_id)
        self.deleted.append(conversation)
        if conversation_id == self._page.conversation_id:
            await self.open(None)
        await self.refresh_list()
        return conversation

    async def refresh_list(self) -> None:
        """Read the list again."""
        self._owner.show_list(await self._store.list())

    def send(self, draft: Draft, options: GenerationOptions, edited: Message | None = None) -> None:
        """Have a draft answered that was taken off the panel, in place of `edited` if given."""
        last = self._page.last
        parent_id = edited.parent_id if edited else last.id if last else None
        self._drafts.is_paused = True
        turn = Turn(self._page.conversation_id, draft, parent_id, edited=edited)
        self._start(turn, options)

    def answer_again(self, options: GenerationOptions, message_id: int | None = None) -> None:
        """Have a question answered once more: this one, the one before this reply, or the last."""
        message = self._page.message(message_id) if message_id else self._page.last
        if message is not None:
            parent_id = message.parent_id if message.role == "model" else message.id
            self._start(Turn(self._page.conversation_id, None, parent_id), options)

    def continue_reply(self, options: GenerationOptions, message_id: int | None = None) -> bool:
        """Let a reply go on, the last one unless told; False if it was not cut off."""
        reply = self._page.message(message_id) if message_id else self._page.last
        if reply is None or not reply.is_cut_off:
            return False
        conversation_id = self._page.conversation_id
        self._start(Turn(conversation_id, None, reply.parent_id, continued_id=reply.id), options)
        return True

    def stop(self) -> bool:
        """Stop the reply that is being written, wherever; False if there is none."""
        turn = self.turn
        if turn is not None and not turn.is_stopping:
            turn.is_stopping = True
            self._owner.show_status()
            if turn.cancel is not None:  # else it has not begun, and will not
                self._owner.perform(partial(self._stop, turn, turn.cancel))
        return turn is not None

    async def _stop(self, turn: Turn, cancel: Callable[[], None]) -> None:
        """Let the engine end the reply, so that its cost and state are kept; do not wait long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._chat.stop()
                await turn.done.wait()
                return
        cancel()

    async def leave(self) -> None:
        """Save the draft, and let a running reply be stored as stopped.

        Raises:
            StorageError: The draft cannot be saved.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._begun.wait()
                turn = self.turn
                if self.stop() and turn is not None:
                    await turn.done.wait()
        await self._drafts.save()

    def _start(self, turn: Turn, options: GenerationOptions) -> None:
        self._titling.cancel()
        turn.overrides = self._page.new_overrides
        self.turn = turn
        self._owner.perform(partial(self._run, turn, options))
        self._owner.show_status()

    async def _run(self, turn: Turn, options: GenerationOptions) -> None:
        turn.cancel = get_current_worker().cancel
        show = partial(self._show_event, turn)
        try:
            if not turn.is_stopping:
                await run_turn(turn, chat=self._chat, store=self._store, options=options, show=show)
        except GemmaError as error:
            # The transcript shows the error of a stored reply; anything else needs a line here.
            is_told = turn.reply is not None and turn.reply.error == str(error)
            if is_told and self._page.shows(turn):
                self._panel.problem.tell("")
            else:
                self._owner.report(error)
        finally:
            self._end(turn)
            self._owner.perform(self.refresh_list)

    def _end(self, turn: Turn) -> None:
        self.turn = None
        if turn.reply is not None:
            self._page.finish(turn.reply)
        elif turn.draft is not None:
            self._drafts.forget(turn.conversation_id)  # the store may have emptied it meanwhile
            if turn.edited is not None:
                self._panel.edit(turn.edited, turn.draft)
            else:
                self._panel.give_back(turn.draft)
        self._drafts.is_paused = False
        turn.stored.set()
        turn.done.set()
        self._panel.problem.withdraw(*STILL_WRITING)
        self._titling.begin(turn.reply, self.refresh_list)
        self._owner.turn_ended(turn)
        self._owner.show_status()

    async def _show_event(self, turn: Turn, event: TurnEvent) -> None:
        if isinstance(event, TurnStarted):
            # The question is safe: the draft it came from need not be kept any more.
            if self._page.conversation is None:
                self._page.conversation = await self._store.get(event.reply.conversation_id)
                await self._drafts.clear_new()
            if turn.draft is not None:
                self._drafts.forget(turn.conversation_id)
            self._drafts.is_paused = False
            self._page.show_event(turn, event)
            turn.stored.set()
            self._owner.perform(self._drafts.save)  # first: the store has just emptied it
            self._owner.perform(partial(self._show_stored, turn, event))
        else:
            self._page.show_event(turn, event)
            if isinstance(event, TurnsLeftOut) and self._page.shows(turn):
                self._panel.problem.tell(left_out_sentence(event))
        self._owner.show_status()

    async def _show_stored(self, turn: Turn, event: TurnStarted) -> None:
        """Show what else a new message changes; if that fails, the reply goes on."""
        if self._page.shows(turn):
            siblings = await self._store.siblings(event.reply.conversation_id, event.reply.id)
            self._page.set_siblings(siblings if self._page.shows(turn) else ())
        await self.refresh_list()
