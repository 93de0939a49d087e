"""Parts of a text that can be chosen: lines, rows of a table, items of a list; and its shape.

Pure. A part is a stretch of characters, so that what is sent is cut out without looking again at
what lies around it.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.conversation import Segment
from gemma_tui.selection import describe_selection, selected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Stretch: TypeAlias = tuple[int, int]
"""First character, and the one behind the last."""

GAP: Final = "…"
"""A line of its own where something between two parts is left out."""

_DELIMITERS: Final = ",;\t|"
_DELIMITER_NAMES: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LOOKED_AT: Final = 20
"""Rows by which the delimiter is found."""

_MAX_KEYS: Final = 8
"""Keys of an object that are named."""

_PARTIAL: Final = re.compile(r"(line|row|item|character)s? [0-9, -]+ of ")

_SPACE: Final = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class TextParts:
    """A text as parts that are sent whole or not at all."""

    unit: str
    """What they are, in the singular: line, row, item."""
    stretches: tuple[Stretch, ...]
    """Of each part, in order."""
    head: Stretch | None = None
    """The first row of a table: it names the columns, and is sent with every part."""
    shape: str = ""
    """What else is to be known: `5 columns`, `an object with the keys …`."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.stretches)

    def fitting(self, most: int) -> int:
        """How many of the first parts have at most so many characters together; one at least."""
        start = self.stretches[0][0] if self.stretches else 0
        count = sum(stop - start <= most for _, stop in self.stretches)
        return max(1, count)

    def segments(self, runs: Iterable[range]) -> tuple[Segment, ...]:
        """The parts with these indexes, each run of them as one segment, behind the head."""
        chosen = selected(runs)
        label = self.label(chosen)
        stretches = list(_joined(self.stretches[index] for index in chosen))
        if self.head is not None:
            stretches = list(_joined((self.head, *stretches)))
        return tuple(
            Segment("text", start, stop - start, label="" if place else label)
            for place, (start, stop) in enumerate(stretches)
        )

    def whole(self, length: int) -> tuple[Segment, ...]:
        """All of a text of so many characters; no segment where nothing is to be said about it."""
        return (Segment("text", 0, length, label=self.label()),) if self.shape else ()

    def beginning(self, most: int, length: int) -> tuple[Segment, ...]:
        """Its first parts with at most so many characters; of a first one that is longer, a piece.

        Args:
            most: Characters.
            length: All characters of the text.
        """
        head = self.head[1] - self.head[0] if self.head else 0
        start, stop = self.stretches[0] if self.stretches else (0, length)
        if head + stop - start > most:
            return (Segment("text", 0, most, label=f"characters 1-{most:,} of {length:,}"),)
        return self.segments((range(self.fitting(most - head)),))

    def label(self, chosen: tuple[int, ...] | None = None) -> str:
        """Which parts, and the shape: `rows 1-200 of 5,000, 4 columns`."""
        if chosen is None or len(chosen) == self.count:
            which = f"1 {self.unit}" if self.count == 1 else f"{self.count:,} {self.unit}s"
        else:
            word = self.unit if len(chosen) == 1 else f"{self.unit}s"
            which = f"{word} {describe_selection(chosen)} of {self.count:,}"
        return ", ".join(filter(None, (which, self.shape)))


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours as one."""
    start = stop = -1
    for first, behind in stretches:
        if first != stop:
            if stop >= 0:
                yield start, stop
            start = first
        stop = behind
    if stop >= 0:
        yield start, stop


def is_partial(label: str) -> bool:
    """Whether the label of a segment says that not all of a text is sent."""
    return _PARTIAL.match(label) is not None


def cut_out(text: str, segments: Iterable[Segment]) -> str:
    """What is sent of a text, with a mark where something between is left out."""
    pieces, last = [], None
    for segment in segments:
        if last is not None and segment.start > last:
            pieces.append(GAP)
        last = segment.start + segment.length
        pieces.append(text[segment.start : last].strip("\n"))
    return "\n".join(pieces)


def parts_of(name: str, text: str) -> TextParts:
    """How a text can be cut, by the suffix of its name: a table by rows, JSON by items, else lines.

    Args:
        name: Of the file.
        text: All of it, with line feeds only.
    """
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122  # a name, not a path
    found: TextParts | None = None
    if suffix in {".csv", ".tsv"}:
        found = _table(text)
    elif suffix == ".json":
        found = _json_parts(text)
    elif suffix in {".jsonl", ".ndjson"}:
        found = TextParts("item", tuple(_lines(text)))
    return found or TextParts("line", tuple(_lines(text)))


def _lines(text: str) -> Iterator[Stretch]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        stop = len(text) if end < 0 else end + 1
        yield start, stop
        start = stop


def _table(text: str) -> TextParts | None:
    rows = tuple(_rows(text))
    delimiter, columns = _delimiter(text[slice(*row)] for row in rows[:_LOOKED_AT])
    if len(rows) < 2 or columns < 2:
        return None
    shape = f"{columns} columns separated by {_DELIMITER_NAMES[delimiter]}"
    return TextParts("row", rows[1:], head=rows[0], shape=shape)


def _rows(text: str) -> Iterator[Stretch]:
    """Rows of a table: line breaks between quotes are inside one (RFC 4180, section 2)."""
    start, is_quoted = 0, False
    for first, stop in _lines(text):
        is_quoted ^= text.count('"', first, stop) % 2 == 1
        if not is_quoted:
            yield start, stop
            start = stop
    if start < len(text):  # a quote that nothing closes
        yield start, len(text)


def _delimiter(rows: Iterable[str]) -> tuple[str, int]:
    """What separates the columns, and how many there are: what most rows have equally often."""
    counts = [[_outside_quotes(row).count(each) for each in _DELIMITERS] for row in rows]
    best, most = ",", (0, 0)
    for place, each in enumerate(_DELIMITERS):
        column = [count[place] for count in counts]
        usual = column[0] if column else 0
        found = (column.count(usual) if usual else 0, usual)
        if found > most:
            best, most = each, found
    return best, most[1] + 1


def _outside_quotes(row: str) -> str:
    return "".join(row.split('"')[::2])


def _json_parts(text: str) -> TextParts | None:
    """The items of an array; of an object its keys, cut by lines."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match whole:
        case dict():
            keys = ", ".join(f"{key} ({_kind(value)})" for key, value in _first(whole.items()))
            more = ", …" if len(whole) > _MAX_KEYS else ""
            shape = f"an object with {len(whole):,} keys: {keys}{more}" if whole else ""
            return TextParts("line", tuple(_lines(text)), shape=shape)
        case [first, *_]:
            return TextParts("item", tuple(_items(text)), shape=_item_shape(first))
    return None


def _first(items: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    for _, item in zip(range(_MAX_KEYS), items, strict=False):
        yield item


def _item_shape(item: object) -> str:
    """What the first item of a list is."""
    if not isinstance(item, dict) or not item:
        return f"the first is {_kind(item)}"
    more = ", …" if len(item) > _MAX_KEYS else ""
    return f"the first has {', '.join(key for key, _ in _first(item.items()))}{more}"


def _kind(value: object) -> str:
    match value:
        case dict():
            return f"an object of {len(value):,}"
        case list():
            return f"a list of {len(value):,}"
        case str():
            return "a text"
        case bool():
            return "true or false"
        case None:
            return "null"
    return "a number"


def _items(text: str) -> Iterator[Stretch]:
    """Items of the array that a text is, each with its comma and the space in front of it."""
    decoder, place = json.JSONDecoder(), text.index("[") + 1
    ends = [place]
    while True:
        place = _behind_space(text, place)
        if text[place] == ",":
            place = _behind_space(text, place + 1)
        elif text[place] == "]":
            break
        _, place = decoder.raw_decode(text, place)
        comma = _behind_space(text, place)
        ends.append(comma + 1 if text[comma] == "," else place)
    yield from pairwise(ends)


def _behind_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
