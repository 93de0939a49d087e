"""The last line of the screen: what the engine does, with which model, how fast, how full.

Also the lines above the composer that say what went wrong. Both only show what they are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.focus_hints import focus_hints
from gemma_tui.tui.widgets.short_text import ShortText

if TYPE_CHECKING:
    from gemma_tui.tui.widgets.attachment_tray import AttachmentTray


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the status line can say."""

    phase: str = "starting"
    model: str = ""
    download: str = ""
    """How far a model is that is being downloaded."""
    is_busy: bool = False
    """Whether Esc would stop something."""
    is_broken: bool = False
    """Whether the engine needs the user's attention."""
    tokens_per_second: float = 0.0
    context_tokens: int = 0
    context_length: int = 0
    thinking: bool = False
    drops_oldest: bool = False
    """Whether the oldest turns are left out when the context is full."""

    def details(self) -> list[str]:
        """What stands on the right, the most important first."""
        found = [sanitize_line(text) for text in (self.model, self.download) if text]
        if self.context_tokens and self.context_length:
            share = 100 * self.context_tokens / self.context_length
            used = f"{format_count(self.context_tokens)} of {format_count(self.context_length)}"
            found.append(f"context {used} ({share:.0f} %)")
        if self.tokens_per_second:
            found.append(f"{self.tokens_per_second:.1f} tok/s")
        found.append("thinking on" if self.thinking else "thinking off")
        if self.drops_oldest:
            found.append("leaves out the oldest")
        return found


def format_count(count: int) -> str:
    """A number of tokens, short: `812`, `1.2k`, `128k`. A k is 1024, as in context lengths."""
    if count < 1024:
        return str(count)
    digits = 0 if count >= 10 * 1024 or count % 1024 == 0 else 1
    return f"{count / 1024:.{digits}f}k"


class StatusLine(Widget):
    """One line; on a narrow screen it drops what matters least."""

    status: reactive[Status] = reactive(Status())
    """What to say."""
    hints: reactive[tuple[str, ...]] = reactive(())
    """What keys do where the focus is, the most useful first."""

    def on_mount(self) -> None:
        """Follow the focus."""
        self.watch(self.screen, "focused", self.show_hints)

    def follow(self, tray: AttachmentTray) -> None:
        """Say what keys do with the chosen chip: they differ from one to the other."""
        for name in ("attachments", "cursor"):
            self.watch(tray, name, self.show_hints, init=False)

    def show_hints(self) -> None:
        """Say what keys do now."""
        self.hints = tuple(focus_hints(self.screen))

    def render(self) -> Content:
        """Phase on the left, what keys do, details on the right as far as they fit.

        Keys of something else than the composer are worth more than the least important details.
        """
        status, width = self.status, self.content_size.width
        mark = "●" if not status.is_busy else "◆"
        phase = sanitize_line(status.phase)
        room = width - cell_len(mark) - 1 - cell_len(phase) - 3
        hints = [*self.hints] or ["F1 help"]
        if status.is_busy:
            hints.insert(0, "Esc stops")
        kept = hints[: max(1, len(hints) - 1)] if len(hints) > 1 else []
        details = status.details()
        wanted = cell_len("  " + " · ".join(kept)) if kept else 0
        while len(details) > 1 and cell_len(" · ".join(details)) > room - wanted:
            details.pop()
        while details and cell_len(" · ".join(details)) > room:
            details.pop()
        right = " · ".join(details)
        while hints and cell_len("  " + " · ".join(hints)) > room - cell_len(right):
            hints.pop()
        hint = "  " + " · ".join(hints) if hints else ""
        gap = " " * max(0, width - cell_len(mark + " " + phase + hint + right))
        colour = "$error" if status.is_broken else "$warning" if status.is_busy else "$success"
        return Content.assemble(
            (f"{mark} ", colour),
            (phase, "$foreground"),
            (hint, "$foreground 75%"),
            gap,
            (right, "$foreground 75%"),
        )


class ProblemLine(ShortText):
    """What went wrong last, in a sentence, until something succeeds or it is put away."""

    class Told(Message):
        """Something went wrong."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence
            """What."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._sentence = ""

    def withdraw(self, *sentences: str) -> None:
        """Put the line away if it says one of these: they are not true any more."""
        if self._sentence in sentences:
            self.tell("")

    def tell(self, sentence: str) -> None:
        """Show a sentence; an empty one puts the line away."""
        self._sentence = sentence
        self.update(Content(f"! {sanitize(sentence)}") if sentence else "")
        self.display = bool(sentence)
        if sentence:
            self.post_message(self.Told(sentence))
