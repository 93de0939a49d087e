"""One message as blocks: its heading, attachments, thoughts, text, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.conversation import Message, MessageState
from gemma_tui.tui.transcript.blocks import MarkdownBlocks
from gemma_tui.tui.transcript.labels import (
    chip,
    details,
    ending,
    fold_label,
    heading,
    model_change,
    thought_label,
)
from gemma_tui.tui.transcript.layout import Layout, estimate
from gemma_tui.tui.transcript.leaves import Paragraph, Picture
from gemma_tui.tui.transcript.plain_blocks import PlainBlocks
from gemma_tui.tui.transcript.sections import (
    Block,
    Chip,
    Fold,
    Section,
    SectionKind,
    SourceText,
    Target,
    names_of,
    texts_of,
)

if TYPE_CHECKING:
    from gemma_tui.generation import MediaPreview
    from gemma_tui.tui.graphics.kitty import Graphic
    from gemma_tui.tui.transcript.leaves import Leaf
    from gemma_tui.tui.transcript.matching import Query


class Entry:
    """A message on its way to the screen.

    Args:
        message: As it stands; a streaming one grows by `add`.
        shows_thoughts: Whether finished thoughts are shown in full.
        fork: Which of how many siblings it is, counted from 1.
        former: The model that wrote the reply before, if another one wrote this; else empty.
    """

    def __init__(
        self,
        message: Message,
        *,
        shows_thoughts: bool,
        fork: tuple[int, int] = (1, 1),
        former: str = "",
    ) -> None:
        self.message = message
        self.progress = ""
        """What the message waits for, while it has no text."""
        self.blocks: list[Block] = []
        self.tops: list[int] = [0]
        """First row of each block, and last the number of rows."""
        self._shows_thoughts = shows_thoughts
        self._fork = fork
        self._former = former
        self._shows_details = False
        self._toggled: set[int] = set()  # sections that are not as `shows_thoughts` says
        self._previews: dict[int, MediaPreview | Graphic] = {}
        self._shown_previews: set[int] = set()
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
            self._sections[-1].watch()
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
        streamed = [SourceText(each.kind, each.text, each.label) for each in self._sections]
        goes_on = message.state is MessageState.STREAMING and self._is_closed
        if goes_on or streamed != texts_of(message):
            seen, self._sections = self._sections, []
            self._read()
            for before, now in zip(seen, self._sections, strict=False):
                now.seconds = before.seconds
        elif message.state is not MessageState.STREAMING:
            self._close_section()
        self._rebuild()

    @property
    def has_folds(self) -> bool:
        """Whether a thought or a tool call can be shown or folded."""
        return any(section.kind != "text" and not section.is_open for section in self._sections)

    def set_fork(self, fork: tuple[int, int]) -> None:
        """It has other siblings now."""
        if fork != self._fork:
            self._fork = fork
            self._rebuild()

    def set_former(self, former: str) -> None:
        """Another model wrote the reply before, or none did; see `former`."""
        if former != self._former:
            self._former = former
            self._rebuild()

    def show_thoughts(self, shows: bool) -> None:
        """Unfold or fold the finished thoughts."""
        self._shows_thoughts = shows
        self._toggled.clear()
        self._rebuild()

    def toggle(self, fold: Fold | None = None) -> None:
        """Fold or unfold one part; None means all parts that fold, to the same state."""
        if fold is not None:
            self._toggled ^= {fold.section}
        else:
            folds = {number for number, s in enumerate(self._sections) if s.kind != "text"}
            shown = {number for number in folds if not self._is_folded(number)}
            self._toggled ^= shown or folds
        self._rebuild()

    def toggle_details(self) -> None:
        """Show or hide what is known about how it came to be."""
        self._shows_details = not self._shows_details
        self._rebuild()

    def show_preview(self, number: int, preview: MediaPreview | Graphic) -> None:
        """Show an attachment in small, and remember how it looks."""
        self._previews[number] = preview
        self._shown_previews.add(number)
        self._rebuild()

    def knows_preview(self, number: int) -> bool:
        """Whether it is known what an attachment looks like."""
        return number in self._previews

    def toggle_preview(self, number: int) -> None:
        """Show or hide a preview that is known."""
        self._shown_previews ^= {number}
        self._rebuild()

    def count_in_source(self, query: Query) -> int:
        """About how many hits it has, folded parts included."""
        names = names_of(self.message)
        return sum(map(query.count_in_source, (*names, *(s.text for s in self._sections))))

    def unfold_matching(self, query: Query) -> bool:
        """Unfold what a hit is hidden in; returns whether there was something."""
        hidden = {
            number
            for number, section in enumerate(self._sections)
            if self._is_folded(number) and query.count_in_source(section.text)
        }
        if hidden:
            self._toggled ^= hidden
            self._rebuild()
        return bool(hidden)

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
        for source in texts_of(self.message):
            self._begin_section(source.kind, source.label)
            self._sections[-1].add(source.text)
        if self.message.state is not MessageState.STREAMING:
            self._close_section()
        elif self._sections:
            self._sections[-1].advance()

    def _begin_section(self, kind: SectionKind, label: str = "") -> None:
        self._close_section()
        source: MarkdownBlocks | PlainBlocks
        if kind != "text":
            source = PlainBlocks("thought" if kind == "thought" else "note")
        else:
            source = PlainBlocks() if self.message.role == "user" else MarkdownBlocks()
        self._sections.append(Section(kind, source, label))

    def _close_section(self) -> None:
        if self._sections:
            self._sections[-1].close()

    def _rebuild(self) -> None:
        """Put all blocks together anew; those that are drawn stay drawn."""
        message = self.message
        self.blocks = [Block(heading(message, self._fork))]
        if self._former:
            self.blocks.append(Block(model_change(message, self._former)))
        if self._shows_details:
            self.blocks.extend(Block(leaf) for leaf in details(message))
        for number, attachment in enumerate(message.attachments):
            preview = self._previews.get(number) if number in self._shown_previews else None
            label = chip(attachment, is_open=preview is not None)
            target: Target | None = None if attachment.kind == "text" else Chip(number)
            self.blocks.append(Block(label, target=target))
            if preview is not None:
                self.blocks.append(Block(Picture(preview)))
        for number, section in enumerate(self._sections):
            if number:
                self.blocks.append(Block(Paragraph("")))
            is_folded = self._is_folded(number)
            if section.kind != "text":
                target = None if section.is_open else Fold(number)
                self.blocks.append(Block(_label(section, is_folded), target=target))
            if not is_folded:
                self.blocks.extend(section.blocks)
        self._fixed = len(self.blocks)
        self._arranged = 0
        self._replace_tail()

    def _is_folded(self, number: int) -> bool:
        section = self._sections[number]
        if section.kind == "text" or (section.kind == "thought" and section.is_open):
            return False
        is_shown = self._shows_thoughts and section.kind == "thought"
        return is_shown == (number in self._toggled)

    def _replace_tail(self) -> None:
        del self.blocks[self._fixed :]
        self._arranged = min(self._arranged, max(0, self._fixed - 1))
        if self._sections:
            self.blocks.extend(self._sections[-1].tail())
        elif self.progress:
            self.blocks.append(Block(Paragraph(self.progress, style="note", markup=False)))
        self.blocks.extend(Block(leaf) for leaf in ending(self.message))


def _label(section: Section, is_folded: bool) -> Leaf:
    if section.kind == "thought":
        return thought_label(section.text, section.seconds, is_folded, section.is_open)
    return fold_label(section.label, is_folded)
