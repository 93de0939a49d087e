"""What of a message is copied: its source, or one of its code blocks. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.sanitize import sanitize
from gemma_tui.tui.transcript.blocks import MarkdownBlocks
from gemma_tui.tui.transcript.leaves import Code

if TYPE_CHECKING:
    from gemma_tui.conversation import Message


def source_of(message: Message) -> str:
    """The text of a message as it was written, made harmless: it may be pasted into a shell."""
    return sanitize(message.text)


def counted(number: int, noun: str) -> str:
    """`1 line`, `1,234 lines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def code_blocks(text: str) -> tuple[str, ...]:
    """The code blocks of a Markdown text, without their fences."""
    source = MarkdownBlocks()
    found: list[str] = []
    for leaf in (*source.feed(text), *source.close()):
        if not isinstance(leaf, Code):
            continue
        code = "\n".join(leaf.lines)
        if leaf.starts or not found:
            found.append(code)
        else:  # a long block is several leaves
            found[-1] += code if leaf.joins else f"\n{code}"
    return tuple(sanitize(code) for code in found)
