"""The app: themes, the command palette, quitting, and what must hold on every screen.

It is given everything it needs; `cli` builds that, and closes it when the app has ended.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.widgets import Input

from gemma_tui.sanitize import sanitize
from gemma_tui.tui.clipboard import clipboard_command, fits_terminal, to_clipboard
from gemma_tui.tui.driver import TerminalDriver
from gemma_tui.tui.key_router import KeyRouter
from gemma_tui.tui.keys import keys_of, usable_keys
from gemma_tui.tui.leaving import Leaving
from gemma_tui.tui.line_filter import SafeLines
from gemma_tui.tui.network_badge import NetworkBadge
from gemma_tui.tui.notices import NoticeLog
from gemma_tui.tui.screens.chat import ChatScreen
from gemma_tui.tui.themes import PREFIX, themes
from gemma_tui.tui.widgets.composer import Composer
from gemma_tui.tui.widgets.short_text import ShortText
from gemma_tui.tui.widgets.status_line import ProblemLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.app import SystemCommand
    from textual.filter import LineFilter
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from gemma_tui.chat import Chat
    from gemma_tui.engine.interface import Engine
    from gemma_tui.exchange.exchange import Exchange
    from gemma_tui.microphone.recorder import Recorder
    from gemma_tui.network import NetworkGuard
    from gemma_tui.settings.configuration import Configuration
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.storage.open_tabs import OpenTabsFile
    from gemma_tui.tui.clipboard_content import Clipboard
    from gemma_tui.tui.model_hub import ModelHub
    from gemma_tui.tui.window_title import WindowTitle

WIDE: Final = 90
"""Columns from which the list of conversations stands beside the transcript."""

TALL: Final = 16
"""Rows from which the composer has a frame."""


class GemmaApp(App[None]):
    """The full-screen chat.

    Args:
        chat: Runs turns and attaches files.
        store: Conversations and drafts.
        engine: Whatever answers; the app starts it after the first paint. Closing is the caller's.
        configuration: The settings, the model among them.
        exchange: Writes and reads files of conversations.
        open_tabs: Remembers what is open until the next start; None remembers nothing.
        recorder: Records with the microphone; None records nothing.
        clipboard: The system's, to paste from; None leaves what was copied in the app.
        hub: Makes what other models come from; None offers those of this disk only.
        notice: What the user must know about the start, if anything.
        network: Knows what this process is connected with; None shows nothing of it.
    """

    TITLE = "gemma-tui"
    CSS_PATH = ["screens/chat.tcss", "screens/own_colours.tcss"]  # noqa: RUF012
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  # as Textual has it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True, system=True, id="app.quit"),
        Binding("f1", "help", "Help", priority=True, id="app.help"),
        Binding("f2", "settings", "Settings", priority=True, id="app.settings"),
        Binding("f7", "notices", "Notices: what was told", priority=True, id="app.notices"),
        Binding("ctrl+l", "models", "Choose the model", priority=True, id="app.models"),
        Binding(
            "ctrl+c", "interrupt", "Copy, or stop", show=False, system=True, id="app.interrupt"
        ),
    ]

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
        network: NetworkGuard | None = None,
    ) -> None:
        # Without colours nothing may be turned into shades of grey either, as Textual would.
        no_colours = True if os.environ.get("NO_COLOR") else None
        super().__init__(driver_class=TerminalDriver, ansi_color=no_colours)
        self.chat_screen = ChatScreen(
            chat=chat,
            store=store,
            engine=engine,
            configuration=configuration,
            exchange=exchange,
            open_tabs=open_tabs,
            recorder=recorder,
            clipboard=clipboard,
            hub=hub,
            notice=notice,
        )
        """The main screen."""
        self.keymap, self._key_problems = usable_keys(configuration.keys)
        """Keys that are not the default ones, by the id of their binding."""
        self.set_keymap(self.keymap)
        self._safe_lines = SafeLines()  # one for all: rows remember what each filter made of them
        self._leaving = Leaving(self, self.chat_screen)
        self.network = network
        """What this process is connected with."""
        self._badge = NetworkBadge(network, self)
        self.notices = NoticeLog()
        """What was told in this run."""
        self._router = KeyRouter(self, super().on_event)
        for theme in themes():
            self.register_theme(theme)
        self.theme = PREFIX + configuration.resolve().settings.theme

    def get_default_screen(self) -> Screen[None]:
        """The chat, with the classes of this size: a change right away costs a second layout."""
        width, height = self.size
        self.chat_screen.set_class(width >= WIDE, "-wide")
        self.chat_screen.set_class(width < WIDE, "-narrow")
        self.chat_screen.set_class(height >= TALL, "-tall")
        self.chat_screen.set_class(height < TALL, "-short")
        return self.chat_screen

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last choke point before the terminal, then Textual's own filters."""
        return [self._safe_lines, *super().get_line_filters()]

    def get_key_display(self, binding: Binding) -> str:
        """The keys of a binding in words, as they are now."""
        return keys_of(binding, self.keymap)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        from gemma_tui.tui.palette import palette_of  # noqa: PLC0415  # rarely used

        return palette_of(self, screen)

    def action_command_palette(self) -> None:
        """Show every command by its name."""
        from gemma_tui.tui.screens.palette import PaletteScreen  # noqa: PLC0415  # rarely used

        if not isinstance(self.screen, PaletteScreen):
            self.push_screen(PaletteScreen())

    def on_mount(self) -> None:
        """Leave in order when the terminal closes or the system says so."""
        self._leaving.listen()
        self.chat_screen.call_after_refresh(self._begin)
        # The window was somebody else's meanwhile: nothing of what was drawn is there.
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh())

    def _begin(self) -> None:
        """What waits for the first paint: other keys, and the tour of a first run."""
        self.chat_screen.query_one(Composer).remap(self.keymap)
        for problem in self._key_problems:
            self.notify(problem, severity="warning", timeout=20, markup=False)
        if self.chat_screen.choosing.preferences.settings.tour:
            self.action_tour()
        self._badge.start()

    def on_unmount(self) -> None:
        """Give the signals back."""
        self._badge.stop()
        self._leaving.stop_listening()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Where nothing is to move, no cursor blinks."""
        if isinstance(event.widget, Input):
            event.widget.cursor_blink = self.animation_level != "none"

    def on_paste(self, event: events.Paste) -> None:
        """A drop or paste that no other widget wanted goes to the composer, and so does focus."""
        event.stop()
        composer = self.chat_screen.query_one(Composer)
        if self.screen is self.chat_screen:
            self.screen.set_focus(composer)  # at once: letters may follow
        composer.take_paste(event.text)

    async def on_event(self, event: events.Event) -> None:
        """Keys of the terminal are routed; one that comes back from a widget was already."""
        self.chat_screen.choosing.idle.saw(event)
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._router.route(event)
        else:
            await super().on_event(event)

    @property
    def window_title(self) -> WindowTitle | None:
        """The title of the terminal's window, where there is a terminal."""
        return self._driver.window_title if isinstance(self._driver, TerminalDriver) else None

    def copy_to_clipboard(self, text: str) -> None:
        """Copy by the terminal (OSC 52), and on a Mac, whose Terminal ignores that, by `pbcopy`."""
        text, command = sanitize(text), clipboard_command()  # it may be pasted into a shell
        if fits_terminal(text):
            super().copy_to_clipboard(text)
        else:
            self._clipboard = text
        if not command and not fits_terminal(text):
            sentence = "That is too long for the terminal's clipboard: only this app can paste it."
            self.notify(f"{sentence} /export writes files.", markup=False)
        if command:
            self.run_worker(to_clipboard(text, command), group="clipboard", exclusive=True)

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Nothing: links come from the model, and nothing it writes may act."""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Tell something for a moment; it can be read again among the notices."""
        self.notices.add(message)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    @on(ProblemLine.Told)
    def _problem_told(self, event: ProblemLine.Told) -> None:
        self.notices.add(event.sentence)

    def action_notices(self) -> None:
        """Show all that the screen says, and what was told before; or put that away."""
        from gemma_tui.tui.screens.notices import NoticeScreen  # noqa: PLC0415  # rarely used

        texts = (text.whole for text in self.screen.query(ShortText) if text.display)
        if isinstance(self.screen, NoticeScreen):
            self.screen.dismiss()
        else:
            self.push_screen(NoticeScreen(tuple(filter(None, texts)), self.notices.latest))

    def action_help(self) -> None:
        """Show all keys, or put them away."""
        from gemma_tui.tui.screens.help import HelpScreen  # noqa: PLC0415  # rarely used

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss()
        else:
            self.push_screen(HelpScreen(self.keymap))

    def action_tour(self) -> None:
        """Show what there is; it is not shown again by itself."""
        from gemma_tui.tui.screens.tour import TourScreen  # noqa: PLC0415  # once, mostly

        if not isinstance(self.screen, TourScreen):
            self.push_screen(TourScreen(self.keymap, self.chat_screen.choosing.advice))
            self.chat_screen.choosing.tour_shown()

    def action_choose_theme(self, argument: str) -> None:
        """These colours, by their name."""
        self.chat_screen.choosing.choose_theme(argument)

    def action_settings(self) -> None:
        """Show every setting, or put them away."""
        self.chat_screen.choosing.open_settings()

    def action_models(self) -> None:
        """Show the models on this disk, or put them away."""
        self.chat_screen.choosing.choose_model()

    def on_key(self, event: events.Key) -> None:
        """Ctrl+C means the same in a dialogue, whose keys do not reach the app's bindings."""
        if event.key == "ctrl+c" and self.screen is not self.chat_screen:
            self.action_interrupt()

    def action_interrupt(self) -> None:
        """Ctrl+C with nothing to copy: stop, else say how to quit."""
        if not self.chat_screen.desk.stop():
            self.notify("Ctrl+Q quits. Nothing is lost.", markup=False)

    async def action_quit(self) -> None:
        """Quit at once, with the draft and the text so far saved."""
        await self._leaving.leave()
