"""The leaves a message's text is cut into: a paragraph, lines of code, rows of a table, a rule.

A long paragraph, code block or table is several leaves, so that none is ever expensive to draw.
Leaves are compared by identity: they are looked up far more often than they are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from gemma_tui.generation import MediaPreview
    from gemma_tui.tui.graphics.kitty import Graphic
    from gemma_tui.tui.transcript.rows import Spans

Alignment: TypeAlias = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands to the left of a leaf's rows: quote bars, bullets, indents."""

    first: Spans = ()
    rest: Spans = ()
    gap: Spans | None = None
    """Left side of an empty row above the leaf; None where it follows without one."""


@dataclass(frozen=True, slots=True, eq=False)
class Paragraph:
    """Running text, or a heading."""

    text: str
    frame: Frame = Frame()
    style: str = ""
    """Name of a style for all of it, for example `heading1`."""
    markup: bool = True
    """Whether emphasis, code and links in it are drawn; else it is shown as it stands."""
    starts: bool = True
    """The paragraph begins here."""
    joins: bool = False
    """It goes on in the middle of the line on which the leaf before it ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """Lines of a code block."""

    lines: tuple[str, ...]
    frame: Frame = Frame()
    language: str = ""
    starts: bool = True
    """The block begins here."""
    joins: bool = False
    """Its first line goes on from the last one of the leaf before it."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table's head and its first rows, which decide how wide its columns are."""

    header: tuple[str, ...]
    alignments: tuple[Alignment, ...]
    rows: tuple[tuple[str, ...], ...]
    frame: Frame = Frame()


@dataclass(frozen=True, slots=True, eq=False)
class TableRows:
    """More rows of a table whose columns are settled."""

    table: Table
    rows: tuple[tuple[str, ...], ...]
    frame: Frame = Frame()


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A horizontal line."""

    frame: Frame = Frame()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What a picture looks like, or how loud a sound is, in small."""

    preview: MediaPreview | Graphic
    frame: Frame = Frame()


Leaf: TypeAlias = Paragraph | Code | Table | TableRows | Rule | Picture
