"""The short lines around a message's text: who wrote it, what is attached, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Attachment, Message, MessageState
from gemma_tui.preprocessing.budget import SAMPLE_RATE, image_tokens
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.transcript.leaves import Frame, Leaf, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

_GAP: Final = Frame(gap=())

WELCOME: Final = (
    "Type a message and press Enter.",
    "Drop a picture or a sound into the window, or press Ctrl+O, and ask about it.",
    "F1 shows every key. Nothing leaves this computer.",
)
"""What an empty transcript says."""


def heading(message: Message) -> Leaf:
    """Who wrote it."""
    if message.role == "user":
        return _line("You", "author user", _GAP)
    return _line(sanitize_line(message.model) or "Gemma", "author model", _GAP)


def chip(attachment: Attachment) -> Leaf:
    """An attachment in one line, with what it costs or how long it is."""
    name = sanitize_line(attachment.name)
    if attachment.kind == "audio":
        return _line(f"♪ {name} · {attachment.sample_count / SAMPLE_RATE:.1f} s", "chip")
    if attachment.kind == "text":
        return _line(f"≡ {name}", "chip")
    if not (attachment.width and attachment.height and attachment.token_budget):
        return _line(f"▣ {name}", "chip")
    tokens = image_tokens(attachment.width, attachment.height, attachment.token_budget)
    return _line(f"▣ {name} · {tokens} tokens", "chip")


def thought_label(word_count: int, *, is_folded: bool) -> Leaf:
    """The line above a thought, or in place of one."""
    if is_folded:
        words = "1 word" if word_count == 1 else f"{word_count} words"
        return _line(f"▸ thought · {words} (t shows it)", "note")
    return _line("▾ thought", "note")


def ending(message: Message) -> Iterator[Leaf]:
    """How it ended, unless it simply is complete, and what it cost."""
    match message.state:
        case MessageState.CANCELLED:
            yield _line("■ stopped", "warning", _GAP)
        case MessageState.INTERRUPTED:
            yield _line("■ interrupted: the program ended while this was written", "warning", _GAP)
        case MessageState.FAILED:
            reason = sanitize_line(message.error) or "for a reason that was not recorded"
            yield _line(f"✗ failed: {reason}", "error", _GAP)
        case MessageState.COMPLETE if message.finish_reason == "length":
            yield _line("■ cut off: the reply reached its longest length", "warning", _GAP)
        case MessageState.COMPLETE if message.finish_reason == "repetition":
            yield _line("■ cut off: the reply said the same over and over", "warning", _GAP)
        case _:
            pass
    usage = message.usage
    if message.role == "model" and usage and usage.generated_tokens:
        speed = f" · {usage.tokens_per_second:.1f} tokens/s" if usage.decode_seconds > 0 else ""
        yield _line(f"{usage.generated_tokens} tokens{speed}", "note", _GAP)


def welcome() -> tuple[Leaf, ...]:
    """The text of an empty transcript."""
    title = _line("gemma-tui", "author model", _GAP)
    return (
        title,
        *(_line(line, "note", _GAP if i == 0 else Frame()) for i, line in enumerate(WELCOME)),
    )


def _line(text: str, style: str, frame: Frame = Frame()) -> Leaf:  # noqa: B008  # it is frozen
    return Paragraph(text, frame, style, markup=False)
