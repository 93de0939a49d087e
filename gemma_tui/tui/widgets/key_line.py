"""The line under the transcript that says what the keys do with the chosen message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.conversation import Message
    from gemma_tui.tui.transcript.widget import Transcript

Keys = tuple[tuple[str, str], ...]


class KeyLine(Widget):
    """Keys and what they do, as many as fit."""

    keys: reactive[Keys] = reactive(())
    """Pairs of a key and its meaning, the most useful first."""

    def render(self) -> Content:
        """One line; the last key is always there."""
        parts: list[tuple[str, str]] = []
        *keys, last = self.keys or (("", ""),)
        room = self.content_size.width - cell_len(" ".join(last))
        for key, meaning in keys:
            used = cell_len(f"{key} {meaning}  ")
            if used > room:
                break
            room -= used
            parts += [(f"{key} ", "$text-accent"), (f"{meaning}  ", "$foreground 75%")]
        key, meaning = last
        return Content.assemble(*parts, (f"{key} ", "$text-accent"), (meaning, "$foreground 75%"))


def keys_for(transcript: Transcript) -> Keys:
    """What can be done now, in the order of use; how to leave comes last."""
    message = transcript.chosen
    if transcript.is_selecting:
        return (("↑↓", "more or fewer lines"), ("c", "copy"), ("Esc", "select nothing"))
    return (*_keys(transcript, message), ("Esc", "back")) if message else (("Esc", "back"),)


def _keys(transcript: Transcript, message: Message) -> Iterator[tuple[str, str]]:
    yield "c", "copy"
    if "```" in message.text or "~~~" in message.text:
        yield "y", "code"
    if transcript.can_unfold(message):
        yield "Enter", "unfold"
    if message.thought:
        yield "t", "thoughts"
    if transcript.fork_of(message)[1] > 1:
        yield "←→", "branch"
    if message.role == "user":
        yield "e", "edit"
    yield "r", "again"
    if message.is_cut_off:
        yield "g", "go on"
    yield "n", "ask from here"
    yield "i", "details"
    yield "v", "select"
    yield "Del", "delete"
