"""The texts of a message as they grow, and the blocks they are cut into."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeAlias

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult
from gemma_tui.tui.transcript.leaves import Leaf, Paragraph
from gemma_tui.tui.transcript.tools import tool_label, tool_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.conversation import Message, Part
    from gemma_tui.tui.transcript.blocks import MarkdownBlocks
    from gemma_tui.tui.transcript.matching import Match
    from gemma_tui.tui.transcript.plain_blocks import PlainBlocks
    from gemma_tui.tui.transcript.rows import Row

SectionKind: TypeAlias = Literal["text", "thought", "tool"]


@dataclass(frozen=True, slots=True)
class Fold:
    """What a click or Enter on a row folds or unfolds."""

    section: int


@dataclass(frozen=True, slots=True)
class Chip:
    """An attachment whose preview a click or Enter on its row shows or hides."""

    number: int
    """Its place among the attachments of the message."""


Target: TypeAlias = Fold | Chip


@dataclass(slots=True, eq=False)
class Block:
    """A leaf and its rows at the width they were drawn for (0: not drawn yet)."""

    leaf: Leaf
    rows: list[Row] = field(default_factory=list)
    width: int = 0
    target: Target | None = None
    matches: tuple[Match, ...] = ()
    """Where the rows match `searched`."""
    searched: object = None
    """The query and the width that `matches` belongs to."""

    @property
    def joins(self) -> bool:
        """Whether it begins inside the last row of the block above."""
        return isinstance(self.leaf, Paragraph) and self.leaf.joins


class Section:
    """Text of one kind as it grows, and the blocks of it that are finished."""

    def __init__(
        self, kind: SectionKind, source: MarkdownBlocks | PlainBlocks, label: str = ""
    ) -> None:
        self.kind = kind
        self.label = label
        self.blocks: list[Block] = []
        self.is_open = True
        self.seconds = 0.0
        """How long it was written, if that was seen."""
        self._source = source
        self._chunks: list[str] = []
        self._fed = 0
        self._begun = 0.0

    @property
    def text(self) -> str:
        """Everything that was added."""
        return "".join(self._chunks)

    def add(self, text: str) -> None:
        """More text; it is looked at by `advance`."""
        self._chunks.append(text)

    def watch(self) -> None:
        """From now on it is written before the reader's eyes."""
        self._begun = monotonic()

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
            self.seconds = monotonic() - self._begun if self._begun else 0.0


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text of a message, before it is cut into blocks."""

    kind: SectionKind
    text: str
    label: str = ""
    """What stands in place of it while it is folded; a thought's is made from its text."""


def texts_of(message: Message) -> list[SourceText]:
    """The texts of a message in order; neighbours of one kind are one, but each call is its own."""
    found: list[SourceText] = []
    for part in message.parts:
        source = _source_of(part)
        if source is None:
            continue
        if found and found[-1].kind == source.kind != "tool":
            source = SourceText(source.kind, found[-1].text + source.text)
            found.pop()
        found.append(source)
    return found


def names_of(message: Message) -> tuple[str, ...]:
    """The names of a message's attachments, as its chips show them."""
    return tuple(sanitize_line(item.name) for item in message.attachments)


def searched_in(message: Message) -> Iterator[str]:
    """What a search in the conversation looks into."""
    yield from names_of(message)
    yield from (source.text for source in texts_of(message))


def _source_of(part: Part) -> SourceText | None:
    match part:
        case TextPart(text=text):
            return SourceText("text", text)
        case ThoughtPart(text=text):
            return SourceText("thought", text)
        case ToolCall() | ToolResult() | MalformedToolCall():
            return SourceText("tool", tool_text(part), tool_label(part))
        case _:
            return None
