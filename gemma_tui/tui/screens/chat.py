"""The main screen: the open conversation, the list of all of them, and what the engine does.

It decides what happens when; how a turn runs is `Chat.reply`'s business, how it looks the widgets'.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from gemma_tui.conversation import Draft
from gemma_tui.errors import GemmaError
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.attaching import Attaching
from gemma_tui.tui.choosing import Choosing
from gemma_tui.tui.desk import Desk
from gemma_tui.tui.drafts import SAVE_DELAY_SECONDS, DraftKeeper
from gemma_tui.tui.dropped import may_be_dropped
from gemma_tui.tui.page import Page
from gemma_tui.tui.screens.chat_keys import CHAT_KEYS
from gemma_tui.tui.status import (
    MODEL_CHANGES,
    NOT_CUT_OFF,
    list_marks,
    still_writing,
    turn_label,
)
from gemma_tui.tui.transcript.widget import Transcript
from gemma_tui.tui.widgets.composer import Composer
from gemma_tui.tui.widgets.composer_panel import ComposerPanel
from gemma_tui.tui.widgets.conversation_list import ConversationList
from gemma_tui.tui.widgets.header_line import HeaderLine
from gemma_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.worker import Worker

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Conversation
    from gemma_tui.engine.interface import Engine, EngineState
    from gemma_tui.settings.configuration import Configuration
    from gemma_tui.storage.conversations import ConversationStore


class ChatScreen(Screen[None]):
    """Header, list, transcript, composer, status."""

    AUTO_FOCUS = "Composer"
    BINDINGS = CHAT_KEYS

    def __init__(
        self,
        *,
        chat: Chat,
        store: ConversationStore,
        engine: Engine,
        configuration: Configuration,
        notice: str = "",
    ) -> None:
        super().__init__()
        self._engine = engine
        self._notice = notice
        self._header = HeaderLine()
        self._list = ConversationList()
        self._page = page = Page(Transcript(is_awaited=True))
        self._panel = panel = ComposerPanel()
        self._status = StatusLine()
        self._drafts = drafts = DraftKeeper(store, page, panel)
        self.choosing = Choosing(configuration, engine, store, page, panel, owner=self)
        self._preferences = self.choosing.preferences
        self.desk = Desk(chat=chat, store=store, drafts=drafts, page=page, panel=panel, owner=self)
        self._attaching = Attaching(
            chat=chat, store=store, page=page, panel=panel, preferences=self._preferences
        )
        self._save_timer: Timer | None = None
        self._sends_when_ready = False
        self._problem = ""
        self.has_begun = False
        """Whether the conversation that was open last is shown."""

    def compose(self) -> ComposeResult:
        """Header, the two columns, status."""
        yield self._header
        with Horizontal(id="columns"):
            yield self._list
            with Vertical(id="conversation"):
                yield self._page.transcript
                yield self._panel
        yield self._status

    def on_mount(self) -> None:
        """Show the screen first; then the last conversation, and only then start the engine."""
        self._unwatch = self._engine.watch(self._engine_changed)
        self._engine_changed(self._engine.state)
        self.choosing.begin(self._notice)
        self.call_after_refresh(self._after_first_paint)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unwatch()

    def _after_first_paint(self) -> None:
        self.perform(self._begin)
        if self._engine.state.phase == "stopped":
            self.perform(self.choosing.models.start)

    async def _begin(self) -> None:
        try:
            if await self.desk.begin():
                self._sends_when_ready = False  # older words stand before those to be sent
        finally:
            self.has_begun = True
        self.send_if_ready()

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """Run something that may fail with a sentence for the user."""
        return self.run_worker(partial(self._guard, work))

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except GemmaError as error:
            self.report(error)

    def report(self, error: GemmaError) -> None:
        """Say what went wrong, above the composer, until something succeeds."""
        self._sends_when_ready = False
        self._panel.problem.tell(str(error))

    def show_status(self) -> None:
        """Say what the engine and the turn do."""
        self._status.status = self.choosing.status(self.desk.turn)

    def show_list(self, conversations: tuple[Conversation, ...]) -> None:
        """Show the conversations, and the title of the open one."""
        current = self._page.conversation_id
        marks = list_marks(current, self._drafts.kept, self.desk.turn)
        self._list.show(conversations, current=current, marks=marks)
        titles = {conversation.id: conversation.title for conversation in conversations}
        self._header.title = titles.get(current, "") if current else "New conversation"

    def action_stop(self) -> None:
        """Stop; with nothing to stop, put the problem line away."""
        if not self.desk.stop():
            self._panel.problem.tell("")

    def action_new_conversation(self) -> None:
        """Turn to an empty page."""
        self._open(None)

    def action_toggle_list(self) -> None:
        """Show the list and go there, or hide it."""
        is_shown = bool(self._list.display)
        self.set_class(not is_shown, "-list-shown")
        self.set_class(is_shown, "-list-hidden")
        (self._panel.composer if is_shown else self._list).focus()

    def action_toggle_thinking(self) -> None:
        """Think before the next answers, or do not."""
        self.choosing.toggle_thinking()

    def action_toggle_overflow(self) -> None:
        """Leave out the oldest turns when the context is full, or refuse the question."""
        self.choosing.toggle_overflow()

    def action_retry(self) -> None:
        """Answer the last question again."""
        if not self._is_refused_while_writing():
            self._panel.problem.tell("")
            self.desk.answer_again(self._preferences.options)

    def action_continue_reply(self) -> None:
        """Let the last reply go on where it was cut off."""
        if not self._is_refused_while_writing():
            self._panel.problem.tell(
                "" if self.desk.continue_reply(self._preferences.options) else NOT_CUT_OFF
            )

    def action_change_budget(self) -> None:
        """Next budget for the chosen chip."""
        self._panel.tray.action_change_budget(1)

    def action_scroll_transcript(self, direction: int) -> None:
        """Scroll a page without leaving the composer."""
        transcript = self._page.transcript
        (transcript.scroll_page_down if direction > 0 else transcript.scroll_page_up)(animate=False)

    def action_attach(self) -> None:
        """Ask for a path."""
        from gemma_tui.tui.screens.attach import AttachScreen  # noqa: PLC0415  # rarely used

        self.app.push_screen(AttachScreen(self._attaching.refused_path), self._attach_typed)

    def _attach_typed(self, text: str | None) -> None:
        if text:
            self.perform(partial(self._attaching.attach_path, text))

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        text = event.text
        if Draft(text, self._panel.tray.attachments).is_empty:
            return
        if self._panel.tray.pending or not self.has_begun or self.choosing.models.holds_back():
            self._sends_when_ready = True
            self._panel.give_back(Draft(text))
        elif self._is_refused_while_writing():
            self._panel.give_back(Draft(text))
        elif may_be_dropped(text):
            self.perform(partial(self._attach_or_send, text))
        else:
            self._send(text)

    async def _attach_or_send(self, text: str) -> None:
        if not await self._attaching.take_typed(text):
            self._send(text)

    def _send(self, text: str) -> None:
        self._panel.problem.tell("")
        self.desk.send(self._panel.take_with(text), self._preferences.options)

    @on(ComposerPanel.AllRead)
    def send_if_ready(self) -> None:
        """Enter was pressed too early: now is the time."""
        must_wait = self._panel.tray.pending or self.choosing.models.is_switching
        if self._sends_when_ready and self.has_begun and not must_wait:
            self._sends_when_ready = False
            self._panel.composer.submit()

    def _is_refused_while_writing(self) -> bool:
        if self.choosing.models.holds_back():
            self._panel.problem.tell(MODEL_CHANGES)
            return True
        if self.desk.turn is None:
            return False
        self._panel.problem.tell(still_writing(self.desk.turn, self._page))
        return True

    def _open(self, conversation_id: int | None) -> None:
        self._sends_when_ready = False
        self.perform(partial(self.desk.open, conversation_id))
        self._panel.composer.focus()

    @on(ConversationList.Opened)
    def _open_wanted(self, event: ConversationList.Opened) -> None:
        self._open(event.conversation_id)

    @on(ConversationList.DeleteRequested)
    def _delete_wanted(self, event: ConversationList.DeleteRequested) -> None:
        self.perform(partial(self._delete, event.conversation_id))

    async def _delete(self, conversation_id: int) -> None:
        title = sanitize_line((await self.desk.delete(conversation_id)).title)
        self.notify(f"Deleted “{title}”. Ctrl+Z in the list brings it back.", markup=False)

    @on(ConversationList.UndoRequested)
    def _undo_wanted(self) -> None:
        self.perform(self.desk.undo_delete)

    @on(Composer.PathsPasted)
    def _paths_pasted(self, event: Composer.PathsPasted) -> None:
        label = self._attaching.expect(event.text)
        self.perform(partial(self._attaching.paste, event.text, label))

    @on(Composer.RecallRequested)
    def _recall_wanted(self) -> None:
        question = self._page.last_question
        if question is not None and self._panel.draft.is_empty:
            self._panel.load(Draft(question.text, question.attachments))
            self._draft_changed()

    @on(ComposerPanel.DraftChanged)
    def _draft_changed(self) -> None:
        if self._save_timer is None:
            self._save_timer = self.set_timer(SAVE_DELAY_SECONDS, self._save_draft)

    def _save_draft(self) -> None:
        self._save_timer = None
        self.perform(self._drafts.save)

    def _engine_changed(self, state: EngineState) -> None:
        self._header.is_demo = state.model is not None and state.model.is_demo
        last = self._page.last
        problem = state.problem or " ".join(state.model.limitations if state.model else ())
        if problem and problem not in (self._problem, last.error if last else ""):
            self._panel.problem.tell(problem)
        self._problem = problem
        self._attaching.settle_budgets()
        self.choosing.engine_changed(state)
        turn = self.desk.turn
        if turn is not None and state.phase in ("starting", "loading"):
            self._page.show_label(turn, turn_label(turn, state))
        self.show_status()
