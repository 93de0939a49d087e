"""The tour of the first run: what this is, what can be attached, which keys help.

Three pages. Where only the demo is here and the machine could run a real model, that is the last
one; F1 shows the keys.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from gemma_tui.errors import GemmaError
from gemma_tui.tui.keys import key_groups, keys_of
from gemma_tui.tui.screens.dialogue import Dialogue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from textual.app import ComposeResult

_ABOUT: Final = (
    "A chat with Gemma 4 that runs on this computer.\n\n"
    "Nothing leaves it unless you ask for it: no message, no picture, no sound.\n\n"
    "Nothing is lost, either: what you write and what is answered is kept as it comes,"
    " also when the program or the computer stops.\n\n"
    "The built-in model is a small demo. Ctrl+L shows all models."
)
_ATTACHING: Final = (
    "Drop a picture, a sound or a text file into the window, paste its path, or type @.\n\n"
    "A picture costs tokens: the more, the finer it is seen, and the longer it takes."
    " Its chip says how many; F4 steps through 70, 140, 280, 560 and 1120.\n\n"
    "Above the composer stands what sending costs, before you press Enter."
)
_SHOWN: Final = (
    *("chat.stop", "composer.newline", "chat.new", "chat.toggle_list", "chat.messages"),
    *("chat.find", "tabs.search", "app.settings", "app.help"),
)
_TITLES: Final = ("gemma-tui", "Pictures and sounds", "Keys")
_LAST: Final = len(_TITLES) - 1
_ADVICE_TITLE: Final = "A model for this machine"


class TourScreen(Dialogue[None]):
    """Pages to go through, or to leave at once.

    Args:
        keymap: Keys that are not the default ones, by the id of their binding.
        advice: Finds out which model this machine could have; empty if there is nothing to say.
    """

    CSS_PATH = "tour.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,space", "turn(1)", "Next page", priority=True, id="tour.next"),
        Binding("left,backspace", "turn(-1)", "Page before", priority=True, id="tour.previous"),
        Binding("escape,q", "dismiss", "Leave", priority=True, id="tour.close"),
    ]

    page: reactive[int] = reactive(0)
    """Which page is shown, from 0."""
    advice: reactive[str] = reactive("")
    """What the last page says in the place of the keys."""

    def __init__(
        self, keymap: Mapping[str, str], advice: Callable[[], Awaitable[str]] | None = None
    ) -> None:
        super().__init__()
        self._keymap = keymap
        self._find_advice = advice

    def on_mount(self) -> None:
        """Find out what the last page says, while the first ones are read."""
        if self._find_advice is not None:
            self.run_worker(self._take_advice(self._find_advice))

    async def _take_advice(self, find: Callable[[], Awaitable[str]]) -> None:
        with suppress(GemmaError):  # Ctrl+L says what is wrong
            advice = await find()
            if self.page < _LAST:  # no page changes while it is read
                self.advice = advice

    def compose(self) -> ComposeResult:
        """One page, and how to go on."""
        with Vertical(id="page"):
            with VerticalScroll(id="body"):
                yield Static(id="text", markup=False)
            yield Static(id="foot", markup=False)

    def watch_page(self) -> None:
        """Show it."""
        last = self.page == _LAST
        title = _ADVICE_TITLE if last and self.advice else _TITLES[self.page]
        self.query_one("#text", Static).update(
            Content.assemble((f"{title}\n\n", "bold $primary"), (self._text(), "$foreground"))
        )
        foot = f"{self.page + 1} of {len(_TITLES)} · Enter {'begins' if last else 'goes on'}"
        back = " · ← goes back" if self.page else ""
        self.query_one("#foot", Static).update(Content(f"{foot}{back} · Esc leaves"))
        self.query_one("#body", VerticalScroll).scroll_home(animate=False)

    def action_turn(self, step: int) -> None:
        """The next page, or the one before; behind the last one the chat begins."""
        if self.page + step > _LAST:
            self.dismiss()
        else:
            self.page = max(0, self.page + step)

    def on_click(self) -> None:
        """As Enter."""
        self.action_turn(1)

    def _text(self) -> str:
        if self.page == 0:
            return _ABOUT
        if self.page == 1:
            return _ATTACHING
        if self.advice:
            return f"{self.advice}\n\nF1 shows every key."
        known = {binding.id: binding for group in key_groups() for binding in group.bindings}
        shown = [known[name] for name in _SHOWN]
        rows = [f"{keys_of(b, self._keymap).split('  ')[0]:<9} {b.description}" for b in shown]
        return "\n".join((*rows, f"{'/':<9} Commands; /tour shows this again"))
