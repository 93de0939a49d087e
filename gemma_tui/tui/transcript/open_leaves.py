"""Leaves that are still growing: each says when a part of it is long enough to be finished.

They hold at most one such part, so copying one to look ahead is cheap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.tui.transcript.containers import indent_of
from gemma_tui.tui.transcript.leaves import Alignment, Code, Leaf, Paragraph, Table, TableRows

if TYPE_CHECKING:
    from collections.abc import Iterator

PARAGRAPH_LENGTH: Final = 800
"""Characters of a paragraph that are redrawn while it grows."""
MAX_JOINED: Final = 16
"""Leaves that share lines at most: those of one very long line are wrapped together."""
CODE_LINES: Final = 24
"""Lines of code that are redrawn while a block grows; it is cut at an empty line after them…"""
MAX_CODE_LINES: Final = 36
"""…or here at the latest. Highlighting starts anew at a cut."""
TABLE_SAMPLE: Final = 24
"""Rows that decide a table's column widths."""
TABLE_ROWS: Final = 12

_DELIMITER_CELL: Final = re.compile(r":?-+:?$")
_CELL_BORDER: Final = re.compile(r"(?<!\\)\|")


@dataclass(slots=True)
class OpenParagraph:
    """Text that more lines may follow."""

    text: str
    starts: bool = True
    joined: int = 0
    """How many finished leaves of this paragraph share lines with what comes next."""

    def add(self, line: str) -> None:
        """The next line."""
        self.text = f"{self.text}\n{line.strip(' ')}" if self.text else line.lstrip(" ")

    def extend(self, text: str) -> None:
        """More of the same line."""
        self.text += text

    def cut(self, line_ended: bool) -> Iterator[Leaf]:
        """The part that is long enough; between lines where possible, else between words."""
        length = len(self.text)
        if length < PARAGRAPH_LENGTH or (length < 2 * PARAGRAPH_LENGTH and not _even(self.text)):
            return
        stop = length if line_ended else _last_break(self.text)
        yield self._leaf(self.text[:stop])
        self.starts = False
        self.text = self.text[stop:]
        self.joined = 0 if line_ended or self.joined == MAX_JOINED else self.joined + 1

    def close(self) -> Iterator[Leaf]:
        """What is left."""
        if self.text:
            yield self._leaf(self.text.rstrip(" "))

    def copy(self) -> OpenParagraph:
        """Another one, to look ahead with."""
        return replace(self)

    def _leaf(self, text: str) -> Paragraph:
        return Paragraph(text, starts=self.starts, joins=self.joined > 0)


@dataclass(slots=True)
class OpenCode:
    """A code block: fenced, or indented when `fence` is empty."""

    fence: str
    indent: int
    """Spaces in front of the fence, which are not part of the code."""
    language: str
    lines: list[str] = field(default_factory=list)
    starts: bool = True
    joins: bool = False
    is_closed: bool = False

    def takes(self, line: str) -> bool:
        """Add a line, or notice that the block ended with it; False if the line is not part."""
        if self.is_closed:
            return False
        if not self.fence:
            if line.strip() and indent_of(line) < self.indent:
                return False
            self.lines.append(line[self.indent :])
            return True
        text = line.strip()
        if text and not text.strip(self.fence[0]) and len(text) >= len(self.fence):
            self.is_closed = indent_of(line) < 4
        if not self.is_closed:
            self.lines.append(line[min(indent_of(line), self.indent) :])
        return True

    def extend(self, text: str) -> None:
        """More of the same line."""
        self.lines.append(text)

    def cut(self, line_ended: bool) -> Iterator[Leaf]:
        """Enough lines, or everything when a long line goes on."""
        enough = len(self.lines) >= CODE_LINES and not self.lines[-1].strip()
        if enough or len(self.lines) >= MAX_CODE_LINES or (self.lines and not line_ended):
            yield self._leaf()
            self.lines = []
            self.starts, self.joins = False, not line_ended

    def close(self) -> Iterator[Leaf]:
        """What is left."""
        while not self.fence and self.lines and not self.lines[-1].strip():
            self.lines.pop()
        if self.lines or self.starts:
            yield self._leaf()

    def copy(self) -> OpenCode:
        """Another one, to look ahead with."""
        return replace(self, lines=list(self.lines))

    def _leaf(self) -> Code:
        return Code(tuple(self.lines), language=self.language, starts=self.starts, joins=self.joins)


@dataclass(slots=True)
class OpenTable:
    """A table that more rows may follow."""

    header: tuple[str, ...]
    alignments: tuple[Alignment, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    sample: Table | None = None

    def add(self, line: str) -> None:
        """The next row. Cells beyond the last column are added to it."""
        cells = cells_of(line)
        last = len(self.header) - 1
        if len(cells) > last + 1:
            cells = (*cells[:last], " | ".join(cells[last:]))
        self.rows.append(cells + ("",) * (last + 1 - len(cells)))

    def extend(self, text: str) -> None:
        """More of the same line: the last cell grows."""
        *cells, last = self.rows[-1] if self.rows else self.header
        self.rows[-1:] = [(*cells, last + text)]

    def cut(self, line_ended: bool) -> Iterator[Leaf]:
        """Enough rows."""
        if line_ended and len(self.rows) >= (TABLE_ROWS if self.sample else TABLE_SAMPLE):
            yield from self.close()
            self.rows = []

    def close(self) -> Iterator[Leaf]:
        """What is left."""
        if self.sample is None:
            self.sample = Table(self.header, self.alignments, tuple(self.rows))
            yield self.sample
        elif self.rows:
            yield TableRows(self.sample, tuple(self.rows))

    def copy(self) -> OpenTable:
        """Another one, to look ahead with."""
        return replace(self, rows=list(self.rows))


OpenLeaf: TypeAlias = OpenParagraph | OpenCode | OpenTable


def cells_of(line: str) -> tuple[str, ...]:
    """The cells of one row of a table."""
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL_BORDER.split(inner))


def alignments_of(line: str, header: str) -> tuple[Alignment, ...] | None:
    """The columns' alignments if `line` is the row under the head of a table, else None."""
    if "|" not in header or line.strip(" |:-") != "":
        return None
    cells = cells_of(line)
    if len(cells) != len(cells_of(header)) or not all(map(_DELIMITER_CELL.match, cells)):
        return None
    return tuple(_alignment(cell) for cell in cells)


def _alignment(cell: str) -> Alignment:
    if not cell.endswith(":"):
        return "left"
    return "center" if cell.startswith(":") else "right"


def _even(text: str) -> bool:
    """Whether emphasis, code and links that begin in `text` seem to end in it."""
    return (
        text.count("`") % 2 == 0
        and text.count("**") % 2 == 0
        and text.count("[") == text.count("]")
    )


def _last_break(text: str) -> int:
    """A position after a space, with its markup even if there is one, else the very end."""
    stop = text.rfind(" ") + 1
    candidate = stop
    while candidate > len(text) - PARAGRAPH_LENGTH // 2 and candidate > 0:
        if _even(text[:candidate]):
            return candidate
        candidate = text.rfind(" ", 0, candidate - 1) + 1
    return stop or len(text)
