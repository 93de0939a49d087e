"""Helpers of these tests: text in, rows of text out."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from gemma_tui.conversation import (
    Message,
    MessageState,
    Part,
    Role,
    TextPart,
    Usage,
)
from gemma_tui.tui.transcript.blocks import MarkdownBlocks
from gemma_tui.tui.transcript.layout import Layout
from gemma_tui.tui.transcript.leaves import Leaf, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.tui.transcript.plain_blocks import PlainBlocks
    from gemma_tui.tui.transcript.rows import Row


def leaves_of(source: MarkdownBlocks | PlainBlocks, chunks: Iterable[str]) -> list[Leaf]:
    """The leaves of a text that arrives in pieces; looks ahead after each, as the widget does."""
    found: list[Leaf] = []
    for chunk in chunks:
        found.extend(source.feed(chunk))
        source.tail()
    return found + source.close()


def rows_of(leaves: Iterable[Leaf], width: int = 60) -> list[Row]:
    """The rows of leaves below each other."""
    layout = Layout()
    rows: list[Row] = []
    for leaf in leaves:
        joins = isinstance(leaf, Paragraph) and leaf.joins
        rows.extend(layout.rows(leaf, width, rows.pop() if joins else None))
    return rows


def draw(text: str, width: int = 60, *, step: int | None = None) -> list[Row]:
    """The rows of a Markdown text, streamed in pieces of `step` characters."""
    size = step or max(1, len(text))
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    return rows_of(leaves_of(MarkdownBlocks(), chunks), width)


def shown(text: str, width: int = 60) -> list[str]:
    """What a Markdown text looks like, without colours and without space at the ends."""
    return [row.text.rstrip() for row in draw(text, width)]


def pieces(text: str, cuts: Iterable[int]) -> list[str]:
    """The text cut at some positions."""
    at = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(at)]


def message(
    number: int,
    role: Role,
    *parts: Part | str,
    state: MessageState = MessageState.COMPLETE,
    usage: Usage | None = None,
    error: str = "",
    finish_reason: str = "",
) -> Message:
    """A message; strings are its text."""
    return Message(
        id=number,
        conversation_id=1,
        parent_id=None,
        role=role,
        parts=tuple(TextPart(part) if isinstance(part, str) else part for part in parts),
        state=state,
        created_at=0.0,
        model="Gemma" if role == "model" else "",
        usage=usage,
        error=error,
        finish_reason=finish_reason,
    )
