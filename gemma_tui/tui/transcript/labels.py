"""The short lines around a message's text: who wrote it, what is attached, how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Attachment, Message, MessageState
from gemma_tui.documents import is_document, pages_in_words
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.preprocessing.media_cost import soft_token_count
from gemma_tui.preprocessing.picture_cost import picture_tokens
from gemma_tui.preprocessing.sound_cost import sound_length
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.transcript.leaves import Frame, Leaf, Paragraph
from gemma_tui.videos import video_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

_GAP: Final = Frame(gap=())

WELCOME: Final = (
    "Type a message and press Enter.",
    "Drop a picture or a sound into the window, or press Ctrl+O, and ask about it.",
    "F1 shows every key. Nothing leaves this computer unasked.",
)
"""What an empty transcript says."""


def heading(message: Message, fork: tuple[int, int] = (1, 1)) -> Leaf:
    """Who wrote it, and which of how many siblings it is."""
    which = f"  ‹ {fork[0]}/{fork[1]} ›" if fork[1] > 1 else ""
    if message.role == "user":
        return _line(f"You{which}", "author user", _GAP)
    name = sanitize_line(message.model) or "Gemma"
    return _line(f"{name}{which}", "author model", _GAP)


def model_change(message: Message, former: str) -> Leaf:
    """The line below the heading of the first reply that another model wrote."""
    name, before = sanitize_line(message.model), sanitize_line(former)
    return _line(f"From here on {name} answers; before it was {before}.", "note")


def chip(attachment: Attachment, *, is_open: bool = False) -> Leaf:
    """An attachment in one line, with what it costs or how long it is."""
    name = sanitize_line(attachment.name)
    if is_open:
        name = f"{name} ▾"
    if attachment.kind == "audio":
        return _line(f"♪ {name} · {sound_length(attachment)}", "chip")
    if attachment.kind == "text":
        which = sanitize_line(attachment.segments[0].label) if attachment.segments else ""
        return _line(" · ".join(filter(None, (f"≡ {name}", which))), "chip")
    if not (attachment.width and attachment.height and attachment.token_budget):
        return _line(f"▣ {name}", "chip")
    tokens = picture_tokens(attachment)
    if is_document(attachment):
        pages = pages_in_words(attachment)
        return _line(f"▤ {name} · {pages} · {tokens:,} tokens", "chip")
    if is_video(attachment):
        what, total = video_in_words(attachment), soft_token_count(attachment)
        return _line(f"▶ {name} · {what} · {total:,} tokens", "chip")
    return _line(f"▣ {name} · {tokens} tokens", "chip")


def thought_label(text: str, seconds: float, is_folded: bool, is_open: bool) -> Leaf:
    """The line above a thought, or in place of one; how long it took is known if it was seen."""
    if is_open:
        return _line("▾ Thinking…", "note")
    count = len(text.split())
    words = "1 word" if count == 1 else f"{count:,} words"
    label = f"Thought for {duration(seconds)}, {words}" if seconds >= 0.1 else f"Thought, {words}"
    return fold_label(f"{label} (Alt+Up, t shows it)" if is_folded else label, is_folded)


def fold_label(label: str, is_folded: bool) -> Leaf:
    """The line of something that can be unfolded."""
    return _line(f"{'▸' if is_folded else '▾'} {label}", "note")


def duration(seconds: float) -> str:
    """A time in words: `0.4 s`, `12 s`, `3 min 5 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def details(message: Message) -> Iterator[Leaf]:
    """What is known of how a message came to be, line by line."""
    at = datetime.fromtimestamp(message.created_at).astimezone()
    yield _line(f"  {at:%Y-%m-%d %H:%M:%S}", "note")
    if message.role == "user":
        return
    asked = "thinking on" if message.thinking else "thinking off"
    yield _line(f"  {sanitize_line(message.model) or 'model not recorded'} · {asked}", "note")
    reason = sanitize_line(message.finish_reason)
    yield _line(f"  {message.state}" + (f", finish reason {reason}" if reason else ""), "note")
    usage = message.usage
    if usage is None:
        return
    yield _line(
        f"  prompt {usage.prompt_tokens:,} tokens, {usage.cached_tokens:,} of them remembered;"
        f" read in {duration(usage.prefill_seconds)}",
        "note",
    )
    speed = f", {usage.tokens_per_second:.1f} tokens/s" if usage.decode_seconds > 0 else ""
    written = f"  written {usage.generated_tokens:,} tokens in {duration(usage.decode_seconds)}"
    yield _line(written + speed, "note")
    if usage.peak_memory_bytes:
        yield _line(f"  at most {_memory(usage.peak_memory_bytes)} of memory", "note")


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


def _memory(count: int) -> str:
    """`3.0 GiB`, or `12 MiB` where that would be nearly nothing."""
    gib = count / 2**30
    return f"{gib:.1f} GiB" if gib >= 0.95 else f"{max(1, round(gib * 1024)):,} MiB"


def welcome() -> tuple[Leaf, ...]:
    """The text of an empty transcript."""
    title = _line("gemma-tui", "author model", _GAP)
    return (
        title,
        *(_line(line, "note", _GAP if i == 0 else Frame()) for i, line in enumerate(WELCOME)),
    )


def _line(text: str, style: str, frame: Frame = Frame()) -> Leaf:  # noqa: B008  # it is frozen
    return Paragraph(text, frame, style, markup=False)
