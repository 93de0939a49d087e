"""Help: every key, how to attach, what stays private. Text only; it acts on nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

KEYS: Final = (
    (
        "Writing",
        (
            ("Enter", "send"),
            ("Ctrl+J", "new line (Shift+Enter where the terminal reports it)"),
            ("Up", "in the empty composer: edit your last message; Esc leaves that"),
            ("Ctrl+Up, Down", "earlier questions of all conversations"),
            ("/", "commands: Tab completes, Enter runs; //word sends a text"),
            ("@", "a file below the working folder or, with ~ and /, anywhere"),
            ("Esc", "stop the reply; what is written stays"),
            ("Ctrl+R", "answer the last question again"),
            ("Ctrl+G", "go on with a reply that was cut off"),
            ("Ctrl+T", "let the model think first, or not"),
        ),
    ),
    (
        "Pictures and sounds",
        (
            ("drop, paste", "a file, or its path, into the window"),
            ("Ctrl+O", "type the path of a file"),
            ("Shift+Tab", "from the composer to what is attached"),
            ("F4  +  -", "the token budget of a picture: more tokens, more detail"),
            ("Delete", "remove; Ctrl+Z brings it back"),
            ("Enter", "on a text: open it in the composer"),
        ),
    ),
    (
        "Conversations",
        (
            ("Ctrl+N", "new conversation"),
            ("Ctrl+B", "show or hide the list"),
            ("F3", "search in all of them; Enter goes to the message"),
            ("F5  Shift+F5", "next and previous tab (Ctrl+PgDn, Ctrl+PgUp, Alt+1 to 9)"),
            ("Alt+N  Alt+W", "new conversation in a tab of its own; close this tab"),
            ("Enter  O", "in the list: open; open in a tab of its own"),
            ("R  T  P  A", "in the list: title, tags, pin, archive; M is a menu of all"),
            ("/  Shift+A", "in the list: filter by words and #tags; show the archived"),
            ("Delete", "in the list: delete; Ctrl+Z brings it back until you quit"),
            ("F8", "context full: leave out the oldest turns, or refuse"),
            ("PgUp PgDn", "scroll; End follows the newest text"),
            ("Ctrl+F", "find in the conversation; Enter and Up go from hit to hit"),
        ),
    ),
    (
        "Messages",
        (
            ("Alt+Up", "choose a message (Tab and a click do it too); Up Down go on"),
            ("Enter", "show or fold what it thought, or what is attached, in small"),
            ("C  Y", "copy the message; copy its next code block"),
            ("E", "edit a question: it becomes a branch, the old one stays"),
            ("R  G", "answer again; go on with a reply that was cut off"),
            ("N", "ask something else from here"),
            ("Left Right", "‹ 1/2 ›: the other branches here; the one you leave stays"),
            ("Delete", "delete it and what follows; U brings it back until you quit"),
            ("I  T", "how it came to be; all thoughts"),
            ("V", "select lines: Up Down, then C"),
            ("Esc", "back to the composer"),
        ),
    ),
    (
        "The app",
        (
            ("Ctrl+P", "command palette"),
            ("F2", "settings, for all conversations or for this one"),
            ("Ctrl+L", "another model, also in the middle of a conversation"),
            ("Ctrl+C", "copy what is selected; else stop"),
            ("Ctrl+Q", "quit; draft and text so far are kept"),
            ("F1", "this help"),
        ),
    ),
)

PRIVACY: Final = (
    "Everything happens on this computer: the model, your conversations and your files never leave"
    " it. Files you attach are copied into the app's data folder, readable by you only."
)


class HelpScreen(ModalScreen[None]):
    """All keys on one page."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", "Close", priority=True)
    ]

    def compose(self) -> ComposeResult:
        """The page, scrollable."""
        with VerticalScroll(id="page"):
            yield Static(_page(), markup=False)


def _page() -> Content:
    parts: list[str | tuple[str, str]] = []
    for title, keys in KEYS:
        parts.append((f"{title}\n", "bold $primary"))
        for key, meaning in keys:
            parts += [(f"  {key:<13}", "$text-accent"), (f"{meaning}\n", "$foreground")]
        parts.append("\n")
    parts += [("Privacy\n", "bold $primary"), (f"  {PRIVACY}\n\n", "$foreground")]
    parts.append(("Esc closes this page", "$foreground 75%"))
    return Content.assemble(*parts)
