"""One message as blocks: its heading, attachments, thoughts, text, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from gemma_tui.conversation import (
    Message,
    MessageState,
    TextPart,
    ThoughtPart,
)
from gemma_tui.tui.transcript.blocks import MarkdownBlocks
from gemma_tui.tui.transcript.labels import chip, ending, heading, thought_label
from gemma_tui.tui.transcript.layout import Layout, estimate
from gemma_tui.tui.transcript.leaves import Leaf, Paragraph
from gemma_tui.tui.transcript.plain_blocks import PlainBlocks

if TYPE_CHECKING:
    from gemma_tui.tui.transcript.rows import Row

SectionKind: TypeAlias = Literal["text", "thought"]


@dataclass(slots=True, eq=False)
class Block:
    """A leaf and its rows at the width they were drawn for (0: not drawn yet)."""

    leaf: Leaf
    rows: list[Row] = field(default_factory=list)
    width: int = 0

    @property
    def joins(self) -> bool:
        """Whether it begins inside the last row of the block above."""
        return isinstance(self.leaf, Paragraph) and self.leaf.joins


class Section:
    """Text of one kind as it grows, and the blocks of it that are finished."""

    def __init__(self, kind: SectionKind, source: MarkdownBlocks | PlainBlocks) -> None:
        self.kind = kind
        self.blocks: list[Block] = []
        self.is_open = True
        self._source = source
        self._chunks: list[str] = []
        self._fed = 0

    @property
    def text(self) -> str:
        """Everything that was added."""
        return "".join(self._chunks)

    def add(self, text: str) -> None:
        """More text; it is looked at by `advance`."""
        self._chunks.append(text)

    def advance(self) -> list[Block]:
        """Cut the text added since the last time; returns the blocks it finished."""
        text = "".join(self._chunks[self._fed :])
        self._fed = len(self._chunks)
        finished = [Block(leaf) for leaf in self._source.feed(text)]
        self.blocks.extend(finished)
        return finished

    def tail(self) -> list[Block]:
        """What follows the finished blocks, as the text stands."""
        return [Block(leaf) for leaf in self._source.tail()] if self.is_open else []

    def close(self) -> None:
        """No more text will come."""
        if self.is_open:
            self.advance()
            self.blocks.extend(Block(leaf) for leaf in self._source.close())
            self.is_open = False


class Entry:
    """A message on its way to the screen.

    Args:
        message: As it stands; a streaming one grows by `add`.
        shows_thoughts: Whether finished thoughts are shown in full.
    """

    def __init__(self, message: Message, *, shows_thoughts: bool) -> None:
        self.message = message
        self.progress = ""
        """What the message waits for, while it has no text."""
        self.blocks: list[Block] = []
        self.tops: list[int] = [0]
        """First row of each block, and last the number of rows."""
        self._shows_thoughts = shows_thoughts
        self._sections: list[Section] = []
        self._fixed = 0  # blocks that will not change any more
        self._width = 0
        self._arranged = 0  # blocks whose tops are right
        self._read()
        self._rebuild()

    @property
    def height(self) -> int:
        """Rows, partly estimated."""
        return self.tops[-1]

    @property
    def _is_closed(self) -> bool:
        return bool(self._sections) and not self._sections[-1].is_open

    def add(self, kind: SectionKind, text: str) -> None:
        """More text, to be drawn with the next `refresh`."""
        section = self._sections[-1] if self._sections else None
        if section is None or section.kind != kind or not section.is_open:
            self._begin_section(kind)
            self._rebuild()
        self._sections[-1].add(text)

    def refresh(self) -> None:
        """Cut what was added into blocks; only the tail is cut anew."""
        section = self._sections[-1] if self._sections else None
        if section and section.is_open:
            finished = section.advance()
            del self.blocks[self._fixed :]
            self._arranged = min(self._arranged, max(0, self._fixed - 1))
            self.blocks.extend(finished)
            self._fixed = len(self.blocks)
        self._replace_tail()

    def finish(self, message: Message) -> None:
        """The new values of the message; what is drawn stays if its text is the same.

        They are final, unless the message goes on: then its last block is open again.
        """
        self.message, self.progress = message, ""
        streamed = [(section.kind, section.text) for section in self._sections]
        goes_on = message.state is MessageState.STREAMING and self._is_closed
        if goes_on or streamed != _texts(message):
            self._sections.clear()
            self._read()
        elif message.state is not MessageState.STREAMING:
            self._close_section()
        self._rebuild()

    def show_thoughts(self, shows: bool) -> None:
        """Unfold or fold the finished thoughts."""
        self._shows_thoughts = shows
        self._rebuild()

    def arrange(self, width: int) -> None:
        """Bring `tops` up to date; blocks not drawn for this width yet are estimated."""
        if width != self._width:
            self._width, self._arranged = width, 0
        del self.tops[self._arranged + 1 :]
        top = self.tops[-1]
        blocks = self.blocks
        for index in range(self._arranged, len(blocks)):
            block = blocks[index]
            drawn = block.width == width
            height = len(block.rows) if drawn else estimate(block.leaf, width)
            if drawn and index + 1 < len(blocks) and blocks[index + 1].joins:
                height -= 1
            top += height
            self.tops.append(top)
        self._arranged = max(0, len(blocks) - 1)

    def draw(self, index: int, width: int, layout: Layout) -> bool:
        """Draw block `index` unless it is; returns whether anything was drawn."""
        first = index
        while self.blocks[first].joins and first and self.blocks[first].width != width:
            first -= 1
        drawn = False
        for at in range(first, index + 1):
            block = self.blocks[at]
            if block.width == width:
                continue
            carry = self.blocks[at - 1].rows[-1] if block.joins and at else None
            block.rows = layout.rows(block.leaf, width, carry)
            block.width = width
            self._arranged = min(self._arranged, max(0, at - 1))
            drawn = True
        return drawn

    def _read(self) -> None:
        for kind, text in _texts(self.message):
            self._begin_section(kind)
            self._sections[-1].add(text)
        if self.message.state is not MessageState.STREAMING:
            self._close_section()
        elif self._sections:
            self._sections[-1].advance()

    def _begin_section(self, kind: SectionKind) -> None:
        self._close_section()
        source: MarkdownBlocks | PlainBlocks
        if kind == "thought":
            source = PlainBlocks("thought")
        else:
            source = PlainBlocks() if self.message.role == "user" else MarkdownBlocks()
        self._sections.append(Section(kind, source))

    def _close_section(self) -> None:
        if self._sections:
            self._sections[-1].close()

    def _rebuild(self) -> None:
        """Put all blocks together anew; those that are drawn stay drawn."""
        message = self.message
        self.blocks = [Block(heading(message))]
        self.blocks.extend(Block(chip(attachment)) for attachment in message.attachments)
        for number, section in enumerate(self._sections):
            if number:
                self.blocks.append(Block(Paragraph("")))
            is_folded = section.kind == "thought" and not (section.is_open or self._shows_thoughts)
            if section.kind == "thought":
                words = len(section.text.split())
                self.blocks.append(Block(thought_label(words, is_folded=is_folded)))
            if not is_folded:
                self.blocks.extend(section.blocks)
        self._fixed = len(self.blocks)
        self._arranged = 0
        self._replace_tail()

    def _replace_tail(self) -> None:
        del self.blocks[self._fixed :]
        self._arranged = min(self._arranged, max(0, self._fixed - 1))
        if self._sections:
            self.blocks.extend(self._sections[-1].tail())
        elif self.progress:
            self.blocks.append(Block(Paragraph(self.progress, style="note", markup=False)))
        self.blocks.extend(Block(leaf) for leaf in ending(self.message))


def _texts(message: Message) -> list[tuple[SectionKind, str]]:
    """The texts of a message in order; neighbours of one kind are one."""
    found: list[tuple[SectionKind, str]] = []
    for part in message.parts:
        match part:
            case TextPart(text=text):
                kind: SectionKind = "text"
            case ThoughtPart(text=text):
                kind = "thought"
            case _:
                continue
        if found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1] + text)
        else:
            found.append((kind, text))
    return found
