"""Rows of styled text, and wrapping them to a width in terminal cells.

Styles are names here (`"strong em"`); which colours they mean is the theme's business.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from rich.cells import cell_len

from gemma_tui.tui.transcript.graphemes import extends, graphemes, whole_graphemes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Span: TypeAlias = tuple[str, str]
"""Text and the names of its styles, separated by spaces."""

Spans: TypeAlias = tuple[Span, ...]

_OPENING: Final = "「『（［｛〈《【〔“‘"
_CLOSING: Final = "、。，．！？：；）］｝」』】〉》〕”’ー…"
_IDEOGRAPH: Final = "\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff65\U00020000-\U0003ffff"
_TOKEN: Final = re.compile(
    f" +|[{_OPENING}]*[{_IDEOGRAPH}][{_CLOSING}]*|[^ {_IDEOGRAPH}{_OPENING}]+|[{_OPENING}]+"
)


class Row(NamedTuple):
    """One line on the screen."""

    spans: Spans = ()
    lead: int = 0
    """Characters of decoration at its start (indent, quote bar, bullet)."""
    join: str = "\n"
    """What stands between it and the row above in copied text: nothing or a space where only the
    width made a break."""
    fill: str = ""
    """Style of the cells to its right, up to the full width."""

    @property
    def text(self) -> str:
        """What it says, decoration included."""
        return "".join(text for text, _ in self.spans)

    def part(self, first: int, last: int) -> Row:
        """Its characters from `first` to `last`, without style, for copying."""
        text = self.text[first:last]
        return Row(((text, ""),), max(0, min(self.lead, last) - first), self.join, self.fill)


class Cut(NamedTuple):
    """A row's place in the text that is wrapped."""

    start: int
    stop: int
    join: str


def wrap(spans: Sequence[Span], width: int) -> list[tuple[Spans, str]]:
    """Break styled text at newlines and wherever a row of `width` cells is full.

    Breaks at spaces and between ideographs; a longer word is cut between graphemes. White space
    at a break is dropped, everything else is kept. A grapheme wider than `width` gets a row.

    Returns:
        For each row its spans, and what joins it to the row before (see `Row.join`).
    """
    spans = whole_graphemes(spans)
    plain = "".join(text for text, _ in spans)
    cuts: list[Cut] = []
    base = 0
    for line in plain.split("\n"):
        cuts.extend(_cut_line(line, base, max(1, width)))
        base += len(line) + 1
    return [(piece, cut.join) for piece, cut in zip(_slices(spans, cuts), cuts, strict=True)]


def fold(spans: Sequence[Span], width: int) -> list[tuple[Spans, str]]:
    """Like `wrap` for one line of code: cut where the row is full, white space and all."""
    spans = whole_graphemes(spans)
    plain = "".join(text for text, _ in spans)
    stops = [*graphemes_that_fit(plain, max(1, width)), len(plain)]
    starts = [0, *stops[:-1]]
    cuts = [Cut(a, b, "" if a else "\n") for a, b in zip(starts, stops, strict=True)]
    return [(piece, cut.join) for piece, cut in zip(_slices(spans, cuts), cuts, strict=True)]


def graphemes_that_fit(text: str, width: int) -> Iterator[int]:
    """Where to cut `text` so that each piece but one too wide by itself fits `width` cells."""
    if text.isascii():
        yield from range(width, len(text), width)
        return
    used = 0
    for start, cells in graphemes(text):
        if used + cells > width and start:
            yield start
            used = 0
        used += cells


def _cut_line(line: str, base: int, width: int) -> Iterator[Cut]:
    if cell_len(line) <= width:
        yield Cut(base, base + len(line), "\n")
        return
    start = end = 0
    used = 0
    join = "\n"
    for begin, stop in _tokens(line):
        token = line[begin:stop]
        cells = cell_len(token)
        if token[0] == " " or used + cells <= width:
            used += cells
            end = end if token[0] == " " else stop
            continue
        if end > start:
            yield Cut(base + start, base + end, join)
            join = "" if begin == end else " "
        start, used = begin, cells
        if cells > width:
            for cut in graphemes_that_fit(token, width):
                yield Cut(base + start, base + begin + cut, join)
                start, join = begin + cut, ""
            used = cell_len(line[start:stop])
        end = stop
    yield Cut(base + start, base + len(line), join)


def _tokens(line: str) -> Iterator[tuple[int, int]]:
    """Where the pieces begin and end between which a row may end."""
    begin = stop = 0
    for match in _TOKEN.finditer(line):
        if stop > begin and not (extends(line, match.start()) and line[match.start() - 1] != " "):
            yield begin, stop
            begin = match.start()
        stop = match.end()
    if stop > begin:
        yield begin, stop


def _slices(spans: Sequence[Span], cuts: Iterable[Cut]) -> Iterator[Spans]:
    """The spans between each pair of positions; positions only ever rise."""
    index = 0
    offset = 0  # position of spans[index] in the whole text
    for start, stop, _ in cuts:
        while index < len(spans) and offset + len(spans[index][0]) <= start:
            offset += len(spans[index][0])
            index += 1
        found: list[Span] = []
        at, position = index, offset
        while at < len(spans) and position < stop:
            text, style = spans[at]
            piece = text[max(0, start - position) : stop - position]
            if piece:
                found.append((piece, style))
            position += len(text)
            at += 1
        yield tuple(found)
