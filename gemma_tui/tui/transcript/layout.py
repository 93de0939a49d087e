"""Turns one leaf into rows of a given width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from rich.cells import cell_len

from gemma_tui.tui.graphics.kitty import Graphic
from gemma_tui.tui.transcript.code import Highlighter
from gemma_tui.tui.transcript.inline import InlineParser, plain_spans
from gemma_tui.tui.transcript.leaves import (
    Code,
    Frame,
    Leaf,
    Paragraph,
    Picture,
    Rule,
    Table,
    TableRows,
)
from gemma_tui.tui.transcript.pictures import picture_rows
from gemma_tui.tui.transcript.rows import Row, Spans, fold, wrap
from gemma_tui.tui.transcript.tables import MIN_COLUMN, TableLayout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.conversation import Message

MIN_TEXT: Final = 12
"""Cells that text keeps; where a frame would leave less, the frame is dropped."""


class Layout:
    """Draws leaves. Keeps parsers, but nothing about the leaves it has drawn."""

    def __init__(self) -> None:
        self._inline = InlineParser()
        self._highlighter = Highlighter()
        self._tables = TableLayout(self._inline)

    def warm_up(self) -> None:
        """Load the parsers, which takes a while the first time; any thread may do it."""
        self._inline.spans("`x`")
        self._highlighter.highlight(["x"], "python")

    def rows(self, leaf: Leaf, width: int, carry: Row | None = None) -> list[Row]:
        """The rows of `leaf` in `width` cells.

        Args:
            leaf: What to draw.
            width: Cells available, at least 1.
            carry: For a leaf that joins the one before: that one's last row. It is drawn again
                as the beginning of this leaf's first row.
        """
        frame = _fitting(leaf.frame, width)
        inner = max(1, width - sum(cell_len(text) for text, _ in frame.rest))
        match leaf:
            case Paragraph():
                found = self._paragraph(leaf, inner, carry)
            case Code():
                found = self._code(leaf, inner)
            case Table():
                found = self._table(leaf, leaf, inner)
            case TableRows(table=table):
                found = self._table(leaf, table, inner)
            case Rule():
                found = [Row((("─" * inner, "rule"),))]
            case Picture(preview=preview):
                found = picture_rows(preview, inner)
            case _:
                assert_never(leaf)
        lead = _split(carry)[0] if carry else frame.first
        rows = [_framed(row, lead if index == 0 else frame.rest) for index, row in enumerate(found)]
        return rows if frame.gap is None else [Row(frame.gap), *rows]

    def _paragraph(self, leaf: Paragraph, width: int, carry: Row | None) -> list[Row]:
        parse = self._inline.spans if leaf.markup else plain_spans
        spans = parse(leaf.text, leaf.style)
        before = _split(carry)[1] if carry else ()
        rows = [Row(piece, join=join) for piece, join in wrap((*before, *spans), width)]
        return [rows[0]._replace(join=carry.join), *rows[1:]] if carry else rows

    def _code(self, leaf: Code, width: int) -> list[Row]:
        margin = (" ", "code")
        rows = []
        if leaf.starts and leaf.language:
            label = "".join(text for text, _ in plain_spans(leaf.language[:width]))
            rows.append(Row((margin, (label, "code label")), lead=1, fill="code"))
        for number, spans in enumerate(self._highlighter.highlight(leaf.lines, leaf.language)):
            for piece, join in fold(spans, width - 2):
                glue = "" if leaf.joins and number == 0 else join
                rows.append(Row((margin, *piece), lead=1, join=glue, fill="code"))
        return rows

    def _table(self, leaf: Table | TableRows, head: Table, width: int) -> list[Row]:
        columns = len(head.header)
        if columns * (MIN_COLUMN + 3) - 3 <= width:
            return self._tables.rows(leaf, head, width)
        lines = [head.header, *leaf.rows] if leaf is head else list(leaf.rows)
        text = "\n".join(" │ ".join(cells) for cells in lines)
        return [Row(piece, join=join) for piece, join in wrap(self._inline.spans(text), width)]


def estimate_message(message: Message, width: int) -> int:
    """Rows of a message that was never cut into blocks, roughly."""
    text = message.text
    return 4 + len(message.attachments) + text.count("\n") + len(text) // width


def estimate(leaf: Leaf, width: int) -> int:
    """About how many rows a leaf will take, without drawing it."""
    gap = 0 if leaf.frame.gap is None else 1
    match leaf:
        case Paragraph(text=text):
            return gap + sum(1 + len(line) // width for line in text.split("\n"))
        case Code(lines=lines):
            return gap + sum(1 + len(line) // width for line in lines) + bool(leaf.language)
        case Table(rows=rows):
            return gap + len(rows) + 2
        case TableRows(rows=rows):
            return len(rows)
        case Rule():
            return gap + 1
        case Picture(preview=preview):
            return gap + (
                preview.rows if isinstance(preview, Graphic) else max(1, (preview.height + 1) // 2)
            )


def _fitting(frame: Frame, width: int) -> Frame:
    if width - sum(cell_len(text) for text, _ in frame.rest) >= MIN_TEXT:
        return frame
    return Frame((), (), None if frame.gap is None else ())


def _framed(row: Row, lead: Spans) -> Row:
    characters = sum(len(text) for text, _ in lead)
    return row._replace(spans=(*lead, *row.spans), lead=row.lead + characters)


def _split(row: Row) -> tuple[Spans, Spans]:
    """A row's decoration and its content."""
    left = row.lead
    lead: list[tuple[str, str]] = []
    for text, style in row.spans:
        if left <= 0:
            break
        lead.append((text, style))
        left -= len(text)
    return tuple(lead), tuple(row.spans[len(lead) :])


def joined_text(rows: Iterable[Row]) -> str:
    """The rows as text to copy: lines that only the width broke are whole again."""
    pieces: list[str] = []
    for row in rows:
        text = row.text
        if pieces and row.join != "\n":
            text = text[row.lead :]
        elif row.fill and row.lead:
            text = text[: row.lead - 1] + text[row.lead :]  # the margin of code is not code
        if pieces:
            pieces.append(row.join)
        pieces.append(text.rstrip() if not row.fill else text)
    return "".join(pieces)
