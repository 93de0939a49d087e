"""The quotes and list items that stand around a line of Markdown.

Follows CommonMark 0.31 (sections 5.1 and 5.2) as far as chat answers need it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from gemma_tui.tui.transcript.rows import Span, Spans

MAX_DEPTH: Final = 12
"""Deeper nesting is shown as text: no answer needs it, and it would leave no room for words."""

_QUOTE: Final = re.compile(r" {0,3}> ?")
_ITEM: Final = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])( +|$)")
_RULE: Final = re.compile(r" {0,3}([-*_])( *\1){2,} *$")
_BULLETS: Final = "•◦▪"


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quote that is open."""

    key: int


@dataclass(frozen=True, slots=True)
class Item:
    """A list item that is open."""

    key: int
    indent: int
    """Columns a line must be indented by to belong to it."""
    marker: str
    fresh: bool = True
    """Nothing of it has been shown yet, so the marker is still due."""


Container: TypeAlias = Quote | Item
Containers: TypeAlias = tuple[Container, ...]


@dataclass(frozen=True, slots=True)
class Sibling:
    """The latest item of a list, for the number of the next."""

    delimiter: str
    number: int


def indent_of(line: str) -> int:
    """Number of spaces at the start."""
    return len(line) - len(line.lstrip(" "))


def is_rule(line: str) -> bool:
    """Whether it is a thematic break: three or more of `-`, `*` or `_`."""
    return _RULE.match(line) is not None


def enter(containers: Containers, line: str) -> tuple[int, str]:
    """How many of the open containers a line belongs to, and what is left of it inside them."""
    for depth, container in enumerate(containers):
        match container:
            case Quote():
                found = _QUOTE.match(line)
                if not found:
                    return depth, line
                line = line[found.end() :]
            case Item(indent=indent):
                if line.strip() and indent_of(line) < indent:
                    return depth, line
                line = line[indent:]
    return len(containers), line


def open_quote(line: str) -> str | None:
    """What is inside, if `line` begins a block quote."""
    found = _QUOTE.match(line)
    return line[found.end() :] if found else None


@dataclass(frozen=True, slots=True)
class ItemStart:
    """The beginning of a list item."""

    delimiter: str
    number: int
    """0 for a bullet."""
    indent: int
    content: str

    @property
    def may_interrupt(self) -> bool:
        """Whether it ends a paragraph: not every number at the start of a line is a list."""
        return bool(self.content.strip()) and self.number <= 1

    def marker(self, bullets_around: int) -> str:
        """How it is drawn."""
        if self.delimiter in ".)":
            return f"{self.number}{self.delimiter}"
        return _BULLETS[min(bullets_around, len(_BULLETS) - 1)]


def open_item(line: str, sibling: Sibling | None) -> ItemStart | None:
    """The list item that `line` begins, if it does; numbers go on from its `sibling`."""
    found = _ITEM.match(line)
    if not found or is_rule(line):
        return None
    before, mark, space = found.groups()
    # More than four spaces: the item's content is indented code, one column belongs to the marker.
    padding = len(space) if 1 <= len(space) <= 4 and line[found.end() :] else 1
    indent = len(before) + len(mark) + padding
    delimiter = mark[-1]
    number = int(mark[:-1]) if delimiter in ".)" else 0
    if sibling and sibling.delimiter == delimiter and number:
        number = sibling.number + 1
    return ItemStart(delimiter, number, indent, line[indent:])


def leads(containers: Containers) -> tuple[Spans, Spans]:
    """Left side of the first row and of the other rows of a leaf inside them."""
    first: list[Span] = []
    rest: list[Span] = []
    for container in containers:
        match container:
            case Quote():
                first.append(("▎ ", "quote"))
                rest.append(("▎ ", "quote"))
            case Item(marker=marker, fresh=fresh):
                blank = (" " * (len(marker) + 1), "")
                first.append((f"{marker} ", "marker") if fresh else blank)
                rest.append(blank)
    return tuple(first), tuple(rest)


def shown(containers: Containers) -> Containers:
    """The same containers after a leaf inside them has been drawn."""
    return tuple(replace(c, fresh=False) if isinstance(c, Item) else c for c in containers)


def shared_lead(before: Containers, now: Containers) -> Spans:
    """Left side of the empty row between two leaves: what goes on around both."""
    depth = 0
    while depth < min(len(before), len(now)) and before[depth].key == now[depth].key:
        depth += 1
    return leads(shown(now[:depth]))[1]
