"""The main screen: the open conversation, the list of all of them, and what the engine does.

It decides what happens when; how a turn runs is `Chat.reply`'s business, how it looks the widgets'.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on

from gemma_tui.errors import GemmaError
from gemma_tui.tui.attaching import Attaching
from gemma_tui.tui.choosing import Choosing
from gemma_tui.tui.completing import Completing
from gemma_tui.tui.desk import Desk
from gemma_tui.tui.drafts import SAVE_DELAY_SECONDS, DraftKeeper
from gemma_tui.tui.exchanging import Exchanging
from gemma_tui.tui.fitting import DraftFitting
from gemma_tui.tui.gallery import Gallery
from gemma_tui.tui.message_actions import MessageActions
from gemma_tui.tui.notifying import Notifier
from gemma_tui.tui.page import Page
from gemma_tui.tui.parts_choice import PartsChoice
from gemma_tui.tui.pasting import Pasting
from gemma_tui.tui.picture_actions import PictureActions
from gemma_tui.tui.previewing import Previewing
from gemma_tui.tui.prompt_cost import PromptCost
from gemma_tui.tui.question_history import QuestionHistory
from gemma_tui.tui.recording import Recording
from gemma_tui.tui.screens.chat_keys import CHAT_KEYS
from gemma_tui.tui.screens.composing import ComposingScreen
from gemma_tui.tui.status import turn_label
from gemma_tui.tui.titling import Titling
from gemma_tui.tui.transcribing import Transcribing
from gemma_tui.tui.transcript.requests import MessageRequest
from gemma_tui.tui.transcript.widget import Transcript
from gemma_tui.tui.widgets.composer_panel import ComposerPanel
from gemma_tui.tui.widgets.header_line import HeaderLine
from gemma_tui.tui.widgets.status_line import StatusLine
from gemma_tui.tui.widgets.transcript_panel import TranscriptPanel
from gemma_tui.tui.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.worker import Worker

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Conversation
    from gemma_tui.engine.interface import Engine, EngineState
    from gemma_tui.exchange.exchange import Exchange
    from gemma_tui.frontend.turn import Turn
    from gemma_tui.microphone.recorder import Recorder
    from gemma_tui.settings.configuration import Configuration
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.storage.open_tabs import OpenTabsFile
    from gemma_tui.tui.clipboard_content import Clipboard
    from gemma_tui.tui.model_hub import ModelHub
    from gemma_tui.tui.notifying import NotifiedTerminal


class ChatScreen(ComposingScreen):
    """Header, list, transcript, composer, status."""

    AUTO_FOCUS = "Composer"
    BINDINGS = CHAT_KEYS

    has_begun = False
    """Whether the conversation that was open last is shown."""
    _sends_when_ready = False
    _save_timer: Timer | None = None
    _problem = ""

    def __init__(  # noqa: PLR0913  # one for each thing it is wired to
        self,
        *,
        chat: Chat,
        store: ConversationStore,
        engine: Engine,
        configuration: Configuration,
        exchange: Exchange,
        open_tabs: OpenTabsFile | None = None,
        recorder: Recorder | None = None,
        clipboard: Clipboard | None = None,
        hub: Callable[[], ModelHub] | None = None,
        notice: str = "",
    ) -> None:
        super().__init__()
        self._engine = engine
        self._store = store
        self._notice = notice
        self._header = HeaderLine()
        self._page = page = Page(Transcript(is_awaited=True))
        self._reading = TranscriptPanel(page.transcript)
        self._panel = panel = ComposerPanel()
        self._status = StatusLine()
        self._drafts = drafts = DraftKeeper(store, page, panel)
        self.choosing = Choosing(configuration, engine, store, page, panel, self, hub)
        self._preferences = self.choosing.preferences
        titling = Titling(store, engine, self.perform, lambda: self._preferences.settings.titles)
        desk = partial(Desk, chat=chat, store=store, drafts=drafts, page=page, panel=panel)
        self.desk = desk(owner=self, titling=titling)
        self.workspace = Workspace(
            *(store, self.desk, page, drafts, self._reading, panel), owner=self, file=open_tabs
        )
        """The conversations as wholes: list, tabs, and the open one."""
        self.exchanging = Exchanging(exchange, page, drafts, self.desk, panel, self)
        self._wire_attaching(chat, store, recorder, clipboard)
        self._pictures = PictureActions(chat, self.desk, page, panel, self, lambda: self._options)
        self._parts = PartsChoice(chat, panel.tray, self)
        self.gallery = Gallery(chat, store, page, panel.tray, self.workspace, self.perform)
        previewing = Previewing(chat, self._preferences, lambda: self.app)
        wired = previewing, store, self.desk, page, panel, self, lambda: self._options
        models, pictures = self.choosing.models, self._pictures
        self._messages = MessageActions(*wired, models=models, pictures=pictures)
        composing = panel.composer, panel.completion
        self._completing = Completing(*composing, attaching=self._attaching, perform=self.perform)
        self._questions = QuestionHistory(store, panel)
        self._notifier = Notifier(store, page, self._preferences, self._window, self.perform)

    def _wire_attaching(
        self,
        chat: Chat,
        store: ConversationStore,
        recorder: Recorder | None,
        clipboard: Clipboard | None,
    ) -> None:
        page, panel, preferences = self._page, self._panel, self._preferences
        self._cost = PromptCost(
            *(chat, store, panel), perform=self.perform, set_timer=self.set_timer
        )
        self._fitting = DraftFitting(chat, page, panel, self.perform)
        attach = partial(Attaching, chat=chat, store=store, page=page, panel=panel)
        self._attaching = attaching = attach(
            preferences=preferences, fitting=self._fitting, app=lambda: self.app
        )
        self._recording = Recording(recorder, attaching, preferences, self.perform)
        self._pasting = Pasting(
            clipboard, lambda: self.app.clipboard, attaching=attaching, page=page, panel=panel
        )
        self._transcribing = Transcribing(
            chat, self._engine, attaching, page, panel, self.choosing, self.perform
        )

    def compose(self) -> ComposeResult:
        """Header, the two columns, status."""
        yield self._header
        yield self.workspace
        yield self._status

    def on_mount(self) -> None:
        """Show the screen first; then the last conversation, and only then start the engine."""
        self._panel.composer.takes_key = self.take_key
        self._unwatch = self._engine.watch(self._engine_changed)
        self._engine_changed(self._engine.state)
        self.watch(self.app, "app_focus", self._notifier.focus_changed)
        self._status.follow(self._panel.tray)
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
            if await self.workspace.begin():
                self._sends_when_ready = False  # older words stand before those to be sent
        finally:
            self.has_begun = True
        self.perform(self._offer_recordings)
        self.send_if_ready()

    async def _offer_recordings(self) -> None:
        for look in (self._recording.look_for_left, self._transcribing.look_for_left):
            if left := await look():
                self.notify(left, timeout=20, markup=False)

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
        self.update_cost()
        self._status.status = self.choosing.status(self.desk.turn)
        self._messages.show_hint()
        self._transcribing.make_way(self.desk.turn is not None)

    def show_list(self, conversations: tuple[Conversation, ...]) -> None:
        """Show the conversations, and the title of the open one."""
        title = self.workspace.show(conversations)
        self._header.title = title if self._page.conversation_id else "New conversation"

    def action_stop(self) -> None:
        """Stop; with nothing to stop, put the problem line away."""
        if not self._messages.stop():
            self._panel.problem.tell("")

    def action_new_conversation(self) -> None:
        """Turn to an empty page."""
        self.workspace.open(None)

    def action_toggle_list(self) -> None:
        """Show the list and go there, or hide it."""
        conversations = self.workspace.sidebar.list
        is_shown = bool(conversations.display)
        self.set_class(not is_shown, "-list-shown")
        self.set_class(is_shown, "-list-hidden")
        (self._panel.composer if is_shown else conversations).focus()

    def action_leave_list(self) -> None:
        """Stop the reply, else back to the composer; a narrow window gets its columns back."""
        if not self.desk.stop():
            self.remove_class("-list-shown")
            self.set_focus(self._panel.composer)

    def action_toggle_overflow(self) -> None:
        """Leave out the oldest turns when the context is full, or refuse the question."""
        self.choosing.toggle_overflow()

    def action_retry(self) -> None:
        """Answer the last question again."""
        self._messages.answer()

    def action_continue_reply(self) -> None:
        """Let the last reply go on where it was cut off."""
        self._messages.go_on()

    async def action_read(self, how: str) -> None:
        """Put the cursor on a message, or look for something in this conversation."""
        await self._reading.find() if how == "find" else self._page.transcript.choose()

    @on(MessageRequest)
    def _message_action_wanted(self, event: MessageRequest) -> None:
        self._messages.perform(event)

    def action_scroll_transcript(self, direction: int) -> None:
        """Scroll a page without leaving the composer."""
        transcript = self._page.transcript
        (transcript.scroll_page_down if direction > 0 else transcript.scroll_page_up)(animate=False)

    def turn_ended(self, turn: Turn) -> None:
        """A reply has ended: tell whoever looks elsewhere."""
        self._notifier.turn_ended(turn)

    def _window(self) -> NotifiedTerminal:
        return cast("NotifiedTerminal", self.app)

    def page_turns(self) -> None:
        """Another conversation is about to be shown: Enter was meant for this one."""
        self._sends_when_ready = False

    @on(ComposerPanel.DraftChanged)
    def _draft_changed(self) -> None:
        self.choosing.typed()
        self.update_cost()
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
            self._panel.problem.tell(f"{problem} {self.choosing.models.offer()}".rstrip())
        self._problem = problem
        is_borrowed = self.choosing.models.is_borrowing
        self._fitting.model_changed(None if is_borrowed else state.model)
        self.choosing.engine_changed(state)
        turn = self.desk.turn
        if turn is not None and state.phase in ("starting", "loading"):
            self._page.show_label(turn, turn_label(turn, state))
        self.show_status()
