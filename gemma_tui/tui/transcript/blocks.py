"""Cuts streamed Markdown into leaves, line by line; nothing is ever read twice.

Follows CommonMark with GitHub's tables, in one pass and with bounded state: newlines inside a
paragraph are kept, reference definitions and HTML are text. The leaves depend on the text alone,
not on the pieces it arrived in. Knows nothing of widths and colours.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from typing import Final

from gemma_tui.tui.transcript import containers as c
from gemma_tui.tui.transcript.leaves import (
    Frame,
    Leaf,
    Paragraph,
    Picture,
    Rule,
    Table,
    TableRows,
)
from gemma_tui.tui.transcript.lines import LineCutter, Piece
from gemma_tui.tui.transcript.open_leaves import (
    OpenCode,
    OpenLeaf,
    OpenParagraph,
    OpenTable,
    alignments_of,
    cells_of,
)

_HEADING: Final = re.compile(r" {0,3}(#{1,6})(?:(?= )(.*?))?(?: #+)? *$")
_FENCE: Final = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)$")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-+) *$")
_UNDECIDED: Final = re.compile(r"[ >]*([-*_=+#~`]{1,3}|\d{1,9}[.)])? *$")
"""A line that may yet become a rule, a fence, a list item…: it is not shown until that is clear."""
_FENCE_START: Final = re.compile(r"[ >]*(`+|~+) *$")


class MarkdownBlocks:
    """Takes Markdown as it streams in and gives back the leaves that are finished."""

    def __init__(self) -> None:
        self._lines = LineCutter()
        self._containers: c.Containers = ()
        self._siblings: dict[int, c.Sibling] = {}
        self._open: OpenLeaf | None = None
        self._blank = False
        self._last: tuple[c.Containers, bool] | None = None
        self._keys = 0
        self._finished: list[Leaf] = []

    def feed(self, text: str) -> list[Leaf]:
        """Every leaf that `text` finishes."""
        for piece in self._lines.feed(text):
            self._take(piece)
        finished, self._finished = self._finished, []
        return finished

    def tail(self) -> list[Leaf]:
        """The leaves after the finished ones, as far as the text goes now."""
        rest = self._lines.rest
        if rest and rest.starts:
            pattern = _FENCE_START if isinstance(self._open, OpenCode) else _UNDECIDED
            rest = None if pattern.match(rest.text) else rest
        return self._ahead(rest)

    def close(self) -> list[Leaf]:
        """The leaves after the finished ones: the text ends here."""
        return self._ahead(self._lines.rest)

    def _ahead(self, rest: Piece | None) -> list[Leaf]:
        other = copy(self)
        other._open = self._open.copy() if self._open else None
        other._finished = []
        if rest:
            other._take(rest)
        other._close()
        other._leave(0)
        return other._finished

    def _take(self, piece: Piece) -> None:
        if not piece.starts and self._open:
            self._open.extend(piece.text)
        elif not piece.starts:  # the line began with a leaf that is whole, a heading for example
            self._open = OpenParagraph(piece.text)
            self._blank = False
        else:
            self._line(piece.text.expandtabs(4) if "\t" in piece.text else piece.text)
        if self._open:
            for leaf in self._open.cut(piece.ends):
                self._emit(leaf)

    def _line(self, line: str) -> None:
        depth, inside = c.enter(self._containers, line)
        whole = depth == len(self._containers)
        if whole and isinstance(self._open, OpenCode) and self._open.takes(inside):
            return
        if not inside.strip():
            self._close()
            self._leave(depth)
            self._blank = True
            return
        if not whole:
            if isinstance(self._open, OpenParagraph) and not self._starts_block(inside):
                self._open.add(inside)
                return
            self._leave(depth)
        self._begin(self._open_containers(inside))

    def _starts_block(self, line: str) -> bool:
        """Whether a line that lacks the containers' marks ends the paragraph in them."""
        return (
            c.open_quote(line) is not None
            or c.open_item(line, None) is not None
            or c.is_rule(line)
            or _FENCE.match(line) is not None
            or _HEADING.match(line) is not None
        )

    def _open_containers(self, line: str) -> str:
        """Open the quotes and items that `line` begins; returns what is inside them."""
        while len(self._containers) < c.MAX_DEPTH and c.indent_of(line) < 4:
            depth = len(self._containers)
            quoted = c.open_quote(line)
            item = c.open_item(line, self._siblings.get(depth))
            if quoted is not None:
                self._push(c.Quote(self._next_key()))
                line = quoted
            elif item and (item.may_interrupt or not isinstance(self._open, OpenParagraph)):
                around = sum(isinstance(container, c.Item) for container in self._containers)
                self._push(c.Item(self._next_key(), item.indent, item.marker(around)))
                self._siblings[depth] = c.Sibling(item.delimiter, item.number)
                line = item.content
            else:
                break
        return line

    def _push(self, container: c.Container) -> None:
        self._close()
        self._forget_lists()
        self._containers = (*self._containers, container)

    def _next_key(self) -> int:
        self._keys += 1
        return self._keys

    def _forget_lists(self) -> None:
        """What begins now at this depth ends the lists there: their numbers do not go on."""
        depth = len(self._containers)
        self._siblings = {d: sibling for d, sibling in self._siblings.items() if d < depth}

    def _begin(self, line: str) -> None:
        """Begin or continue the leaf that `line` belongs to, inside its containers."""
        if not line.strip():
            return
        if isinstance(self._open, OpenParagraph) and self._continues(line, self._open):
            return
        if heading := _HEADING.match(line):
            self._whole(Paragraph((heading[2] or "").strip(), style=f"heading{len(heading[1])}"))
        elif fence := _FENCE.match(line):
            language = fence[3].split()[0] if fence[3].strip() else ""
            self._replace(OpenCode(fence[2], len(fence[1]), language))
        elif c.is_rule(line):
            self._whole(Rule())
        elif isinstance(self._open, OpenTable):
            self._open.add(line)
        elif c.indent_of(line) >= 4:
            self._replace(OpenCode("", 4, "", [line[4:]]))
        else:
            self._replace(OpenParagraph(line.lstrip(" ")))

    def _continues(self, line: str, paragraph: OpenParagraph) -> bool:
        """Whether `line` goes on with the open paragraph, or makes it a heading or a table."""
        if paragraph.text and _UNDERLINE.match(line):
            self._open = None
            style = "heading1" if "=" in line else "heading2"
            self._emit(Paragraph(paragraph.text, style=style, starts=paragraph.starts))
            return True
        before, _, header = paragraph.text.rpartition("\n")
        alignments = alignments_of(line, header)
        if alignments:
            paragraph.text = before
            self._replace(OpenTable(cells_of(header), alignments))
            return True
        if _HEADING.match(line) or _FENCE.match(line) or c.is_rule(line):
            return False
        paragraph.add(line)
        return True

    def _replace(self, leaf: OpenLeaf) -> None:
        self._close()
        self._forget_lists()
        self._open = leaf

    def _whole(self, leaf: Leaf) -> None:
        self._close()
        self._forget_lists()
        self._emit(leaf)

    def _close(self) -> None:
        """Finish the open leaf."""
        closing, self._open = self._open, None
        for leaf in closing.close() if closing else ():
            self._emit(leaf)

    def _leave(self, depth: int) -> None:
        """Close all containers but the outermost `depth`."""
        if depth == len(self._containers):
            return
        self._close()
        if any(isinstance(each, c.Item) and each.fresh for each in self._containers[depth:]):
            self._emit(Paragraph(""))
        self._containers = self._containers[:depth]

    def _emit(self, leaf: Leaf) -> None:
        """Pass a finished leaf on, with what stands to its left and above."""
        starts = not isinstance(leaf, TableRows) and (
            isinstance(leaf, Table | Rule | Picture) or leaf.starts
        )
        spaced = not isinstance(leaf, Paragraph) or leaf.style != ""
        gap = None
        if starts and self._last is not None:
            before, was_spaced = self._last
            if self._blank or spaced or was_spaced:
                gap = c.shared_lead(before, self._containers)
        first, rest = c.leads(self._containers)
        self._finished.append(replace(leaf, frame=Frame(first, rest, gap)))
        self._containers = c.shown(self._containers)
        self._last = (self._containers, spaced)
        self._blank = False
