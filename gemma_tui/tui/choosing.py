"""What the user chooses: settings and models, and what follows from it on the screen.

Opens the panel and the list of models, and keeps theme, motion and keys as they are set.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from textual.constants import TEXTUAL_ANIMATIONS

from gemma_tui.errors import SettingsError
from gemma_tui.frontend.own_settings import own_settings
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.tui.idle_unload import IdleUnload
from gemma_tui.tui.model_switch import ModelSwitch
from gemma_tui.tui.preferences import Preferences
from gemma_tui.tui.status import overflow_sentence, status_of
from gemma_tui.tui.themes import PREFIX

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App
    from textual.timer import Timer
    from textual.worker import Worker

    from gemma_tui.conversation import Attachment
    from gemma_tui.engine.interface import Engine, EngineState
    from gemma_tui.errors import GemmaError
    from gemma_tui.frontend.turn import Turn
    from gemma_tui.settings.configuration import Configuration
    from gemma_tui.settings.setting import Value
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.desk import Desk
    from gemma_tui.tui.model_hub import ModelHub
    from gemma_tui.tui.model_library import ModelLibrary
    from gemma_tui.tui.model_rows import ModelRow
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.preferences import Scope
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel
    from gemma_tui.tui.widgets.status_line import Status


class ChoosingOwner(Protocol):
    """What choosing needs from the screen it is on."""

    desk: Desk

    @property
    def app(self) -> App[object]:
        """The app."""

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """Run a coroutine function as a worker; show the `GemmaError` it may raise."""

    def report(self, error: GemmaError) -> None:
        """Show an error."""

    def show_status(self) -> None:
        """Something the status line says has changed."""

    def model_settled(self) -> None:
        """A model is there again, the new one or the old one; what waited for it need not."""


class Choosing:
    """Settings and models of the chat screen.

    Args:
        configuration: Settings for all conversations.
        engine: Loads models.
        store: Keeps the settings of a conversation.
        page: The open conversation.
        panel: The draft.
        owner: The screen.
        hub: Makes what other models come from, once that is asked for; None has none.
    """

    def __init__(
        self,
        configuration: Configuration,
        engine: Engine,
        store: ConversationStore,
        page: Page,
        panel: ComposerPanel,
        owner: ChoosingOwner,
        hub: Callable[[], ModelHub] | None = None,
    ) -> None:
        self._engine = engine
        self._page = page
        self._panel = panel
        self._owner = owner
        self.preferences = Preferences(configuration, store, page)
        """The settings that hold here."""
        self.models = ModelSwitch(engine, self.preferences, self)
        """Keeps the model in step with them."""
        self._hub = hub
        self._library: ModelLibrary | None = None
        self.idle = IdleUnload(
            engine,
            minutes=lambda: self.preferences.settings.idle_minutes,
            is_busy=lambda: owner.desk.turn is not None,
            perform=owner.perform,
            set_timer=self._set_timer,
        )
        """Unloads it when nobody uses it."""

    @property
    def library(self) -> ModelLibrary:
        """All models there are and could be; made when it is asked for first."""
        if self._library is None:
            from gemma_tui.tui.model_library import ModelLibrary  # noqa: PLC0415  # not at the start

            hub = self._hub() if self._hub else None
            self._library = ModelLibrary(self.preferences, self._engine, self, hub)
        return self._library

    async def advice(self) -> str:
        """Which model this machine could have while only the demo is here; empty if none."""
        return await self.library.advice() if self._hub else ""

    def begin(self, notice: str) -> None:
        """Follow the settings from now on, and say what is wrong with them.

        Args:
            notice: What else the user must know; empty for nothing.
        """
        configuration = self.preferences.configuration
        self.apply()
        self._panel.problem.tell("\n".join(filter(None, (notice, *configuration.problems))))
        configuration.watch(self.apply)

    def apply(self) -> None:
        """Let the screen be as the settings say."""
        settings, app = self.preferences.settings, self._owner.app
        theme = PREFIX + settings.theme
        if app.theme != theme:
            app.theme = theme
        app.animation_level = "none" if settings.reduced_motion else TEXTUAL_ANIMATIONS
        self._panel.composer.send_key = settings.send_key
        self.idle.settle()
        self._owner.show_status()

    def status(self, turn: Turn | None) -> Status:
        """Everything the status line can say now.

        Args:
            turn: The reply that is being written, if any.
        """
        options = self.preferences.options
        doing = self.models.label, self._library.label if self._library else ""
        return status_of(self._engine.state, self._page, turn, options, *doing)

    def choose_thinking(self, thinking: bool | None = None) -> None:
        """Think before the next answers, or do not; None is the other way than now."""
        self._owner.perform(partial(self._toggle, "thinking", thinking))

    def toggle_overflow(self) -> None:
        """Leave out the oldest turns when the context is full, or refuse the question."""
        self._owner.perform(self._toggle_overflow)

    def choose_theme(self, theme: str) -> None:
        """These colours from now on."""
        self._owner.perform(partial(self._toggle, "theme", theme))

    def tour_shown(self) -> None:
        """Do not show it again by itself."""
        if self.preferences.settings.tour:
            self._owner.perform(partial(self.preferences.set, "tour", False, "all"))

    def open_settings(self) -> None:
        """Show the panel, with what an editor did to the file meanwhile; or put it away."""
        from gemma_tui.tui.screens.settings import SettingsScreen  # noqa: PLC0415  # rarely used

        app = self._owner.app
        if isinstance(app.screen, SettingsScreen):  # the app hears the key before its screen does
            app.screen.dismiss()
        elif not any(isinstance(screen, SettingsScreen) for screen in app.screen_stack):
            self._owner.perform(self._reload)
            app.push_screen(SettingsScreen(self.preferences, self._engine, self.choose_model))

    def write_system_prompt(self) -> None:
        """Let it be written what the model is told first in this conversation."""
        from gemma_tui.tui.screens.prose import ProseScreen  # noqa: PLC0415  # rarely used

        before = self.preferences.settings.system_prompt

        def keep(text: str | None) -> None:
            if text is not None and text != before:
                change = partial(self.preferences.set, "system_prompt", text, "conversation")
                self._owner.perform(change)

        screen = ProseScreen(SCHEMA["system_prompt"], before, self.preferences.configuration)
        self._owner.app.push_screen(screen, keep)

    def choose_model(self, scope: Scope = "all") -> None:
        """Show the models on this disk, and switch to the one that is chosen."""
        from gemma_tui.tui.screens.models import ModelScreen  # noqa: PLC0415  # rarely used

        app = self._owner.app
        if isinstance(app.screen, ModelScreen):
            app.screen.dismiss(None)
        elif not any(isinstance(screen, ModelScreen) for screen in app.screen_stack):
            screen = ModelScreen(self.preferences, self._engine, self.library)
            app.push_screen(screen, partial(self._model_chosen, scope))

    def engine_changed(self, state: EngineState) -> None:
        """Remember a model that turned out to be one, and count anew the time without use."""
        self.idle.engine_changed(state)
        if state.phase == "ready":
            self._owner.perform(partial(self.models.remember, state))

    def typed(self) -> None:
        """A question is being written: have the model there when it is sent."""
        if not self._panel.shown.is_empty:
            self.models.wake()

    def show_status(self) -> None:
        """As `ChoosingOwner`."""
        self._owner.show_status()

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """As `ChoosingOwner`."""
        return self._owner.perform(work)

    def running_turn(self) -> Turn | None:
        """The reply that is being written."""
        return self._owner.desk.turn

    def media_in_use(self) -> tuple[Attachment, ...]:
        """The attachments of the open branch and of the draft."""
        return (*self._page.attachments, *self._panel.tray.attachments)

    def inform(self, sentence: str) -> None:
        """Tell something that is no error."""
        self._panel.problem.tell("")
        self._owner.app.notify(sentence, markup=False)

    def announce(self, sentence: str) -> None:
        """Tell what came of something that was begun a while ago."""
        self._owner.app.notify(sentence, timeout=15, markup=False)

    def model_settled(self) -> None:
        """As `ChoosingOwner`."""
        self._owner.model_settled()

    def _set_timer(self, seconds: float, call: Callable[[], None]) -> Timer:
        return self._owner.app.set_timer(seconds, call)

    async def _toggle(self, key: str, value: Value = None) -> None:
        try:
            await self.preferences.toggle(key, value)
        finally:
            self.apply()

    async def _toggle_overflow(self) -> None:
        try:
            await self._toggle("overflow")
        finally:
            sentence = overflow_sentence(self.preferences.options.overflow)
            self._owner.app.notify(sentence, markup=False)

    async def _reload(self) -> None:
        problems = await self.preferences.configuration.reload()
        problems = (*problems, *own_settings(self._page.conversation).problems)
        if problems:
            raise SettingsError("\n".join(problems))

    def _model_chosen(self, scope: Scope, model: ModelRow | None) -> None:
        if model is not None and model.folder is not None:
            self._owner.perform(partial(self.models.choose, model.folder, model.name, scope))
