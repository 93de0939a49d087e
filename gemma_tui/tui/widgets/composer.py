"""Where the user writes: a text area that sends on Enter and tells a dropped file from text.

Knows nothing of attachments, conversations or the engine: it says what was asked of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingsMap, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from gemma_tui.frontend.dropped import may_be_dropped
from gemma_tui.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual import events

MAX_PASTE_LENGTH: Final = 200_000
"""Characters. A text area needs 4 s to take fifty times as much."""

LONG_PASTE_CHARACTERS: Final = 2_000
"""A paste longer than this becomes a chip: it would fill the composer, at most a third of a screen,
several times over. About 500 tokens; a screen of 100x30 shows 3,000 characters."""

LONG_PASTE_LINES: Final = 40
"""The same for short lines: more than any usual window shows at once."""

PASTE_QUIET_SECONDS: Final = 0.05
"""An Enter this soon after a paste is part of what was pasted, not the user's wish to send."""


def is_long_paste(text: str) -> bool:
    """Whether a paste is rather a text to be attached than words of the question."""
    return len(text) > LONG_PASTE_CHARACTERS or len(text.splitlines()) > LONG_PASTE_LINES


class Composer(TextArea):
    """A multi-line text area; Enter sends."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+j,shift+enter,alt+enter", "newline", "New line", show=False, id="composer.newline"
        ),
        Binding(
            "alt+b", "cursor_word_left", "Word left", show=False, id="composer.cursor_word_left"
        ),
        Binding(
            "alt+f", "cursor_word_right", "Word right", show=False, id="composer.cursor_word_right"
        ),
        Binding(
            "alt+d",
            "delete_word_right",
            "Delete word right",
            show=False,
            id="composer.delete_word_right",
        ),
        Binding(
            "shift+tab",
            "screen.choose_chips",
            "To what is attached",
            show=False,
            id="composer.chips",
        ),
        Binding(
            "ctrl+v", "screen.paste_clipboard", "Paste", show=False, id="composer.paste_clipboard"
        ),
        Binding("ctrl+underscore", "undo", "Undo", show=False, id="composer.undo"),
        Binding(
            "ctrl+up",
            "screen.earlier_question",
            "Earlier question",
            show=False,
            id="composer.earlier_question",
        ),
        Binding(
            "ctrl+down",
            "screen.later_question",
            "Later question",
            show=False,
            id="composer.later_question",
        ),
        Binding(
            "pageup",
            "screen.scroll_transcript(-1)",
            "Scroll up",
            show=False,
            id="composer.scroll_up",
        ),
        Binding(
            "pagedown",
            "screen.scroll_transcript(1)",
            "Scroll down",
            show=False,
            id="composer.scroll_down",
        ),
    ]

    class Submitted(Message):
        """The user wants to send. The text was taken out at once: what is typed next comes after.

        Whoever does not send it gives it back.
        """

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text
            """What was written."""

    class PathsPasted(Message):
        """A paste that may stand for dropped files; it was not inserted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text
            """The paste as it came."""

    class LongTextPasted(Message):
        """A paste that is rather a file than words; it was not inserted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text
            """The paste as it came."""

    class PasteRefused(Message):
        """A paste too long to insert."""

        def __init__(self, length: int) -> None:
            super().__init__()
            self.length = length
            """Characters it had."""

    class RecallRequested(Message):
        """Up was pressed in the empty composer."""

    class UndoRequested(Message):
        """Ctrl+Z right after something outside the text was removed."""

    def __init__(self) -> None:
        super().__init__(
            soft_wrap=True,
            compact=True,
            highlight_cursor_line=False,
            placeholder="Ask Gemma, or drop a picture or a sound here",
        )
        self.cursor_blink = False
        self.send_key = "enter"
        """The key that sends; if it is another, Enter begins a new line."""
        self.undoes_elsewhere = False
        """Whether the next Ctrl+Z belongs to something outside the text. Typing resets it."""
        self.takes_key: Callable[[str], bool] | None = None
        """Is asked first whether a key is meant for something else, such as a list above."""
        self._pasted_at = 0.0
        self._own_keys = BindingsMap([*Composer.BINDINGS, *TextArea.BINDINGS])

    def remap(self, keymap: Mapping[str, str]) -> None:
        """Obey other keys from now on.

        Args:
            keymap: Keys by the id of a binding.
        """
        if keymap:
            self._own_keys.apply_keymap(dict(keymap))

    def submit(self) -> None:
        """Send, as Enter does."""
        text = self.text
        self.take("")
        self.post_message(self.Submitted(text))

    def take(self, text: str) -> None:
        """Replace the whole text, cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def insert_pasted(self, text: str) -> None:
        """Insert foreign text at the cursor, made visible where it would act on the terminal."""
        clean = sanitize(text.replace("\r\n", "\n").replace("\r", "\n"))
        result = self.replace(clean, *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def render_line(self, y: int) -> Strip:
        """A row; none where there is no room, as Textual cannot wrap a placeholder into nothing."""
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(0)

    async def on_key(self, event: events.Key) -> None:
        """Enter sends, unless it came with a paste; other keys do what they are bound to.

        Textual would run a binding only when the key has travelled up to the app: letters that are
        typed meanwhile would come before the line break or the backspace they were typed after.
        """
        after_paste = event.time - self._pasted_at < PASTE_QUIET_SECONDS
        if after_paste:
            self._pasted_at = event.time
        if not after_paste and self.takes_key is not None and self.takes_key(event.key):
            event.stop()
            event.prevent_default()
            return
        if event.key in {"enter", self.send_key}:
            event.stop()
            event.prevent_default()
            if after_paste or event.key != self.send_key:
                self.action_newline()
            else:
                self.submit()
            return
        for binding in self._own_keys.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return

    def on_paste(self, event: events.Paste) -> None:
        """Take a paste."""
        event.stop()
        event.prevent_default()
        self.take_paste(event.text)

    def take_paste(self, text: str) -> None:
        """Take what was pasted here or elsewhere: files, text, or too much of it."""
        self._pasted_at = time.monotonic()
        if len(text) > MAX_PASTE_LENGTH:
            self.post_message(self.PasteRefused(len(text)))
        elif may_be_dropped(text):
            self.post_message(self.PathsPasted(text))
        elif is_long_paste(text):
            self.post_message(self.LongTextPasted(text))
        else:
            self.insert_pasted(text)

    def action_newline(self) -> None:
        """Insert a line break."""
        result = self.replace("\n", *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def action_cursor_up(self, select: bool = False) -> None:
        """Move up, or bring back the last question when there is nothing to move in."""
        if self.text or select:
            super().action_cursor_up(select)
        else:
            self.post_message(self.RecallRequested())

    def action_undo(self) -> None:
        """Undo the last edit, or the removal of a chip that came after it."""
        if self.undoes_elsewhere:
            self.undoes_elsewhere = False
            self.post_message(self.UndoRequested())
        else:
            super().action_undo()
