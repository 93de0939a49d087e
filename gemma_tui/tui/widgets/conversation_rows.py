"""The rows of the list of conversations: which are shown, under which headings. Pure."""

from __future__ import annotations

import calendar
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gemma_tui.conversation import Conversation

UNTITLED: Final = "Untitled"
"""Stands for a title that is empty."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a group; cannot be chosen."""

    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One conversation."""

    conversation: Conversation
    mark: str
    """One character in front of it."""

    @property
    def title(self) -> str:
        """The title, harmless to show."""
        return sanitize_line(self.conversation.title) or UNTITLED

    @property
    def tags(self) -> str:
        """All tags, each with its `#`, harmless to show."""
        return " ".join(f"#{sanitize_line(tag)}" for tag in self.conversation.tags)


Row: TypeAlias = Heading | Entry


def rows_of(
    conversations: Iterable[Conversation],
    *,
    marks: Mapping[int, str],
    now: float,
    wanted: str = "",
) -> tuple[Row, ...]:
    """Headings and entries, in the order of the conversations.

    Args:
        conversations: The pinned first, then the one changed last.
        marks: What stands before some, by id.
        now: Seconds since the epoch.
        wanted: Only those are shown that `matches`.
    """
    return tuple(_rows(conversations, marks, now, wanted))


def _rows(
    conversations: Iterable[Conversation], marks: Mapping[int, str], now: float, wanted: str
) -> Iterator[Row]:
    heading, words, today = "", _folded(wanted).split(), date.fromtimestamp(now)  # noqa: DTZ012
    for conversation in conversations:
        if not matches(conversation, words):
            continue
        group = "Pinned" if conversation.is_pinned else day_of(conversation.updated_at, today)
        if group != heading:
            heading = group
            yield Heading(group)
        yield Entry(conversation, marks.get(conversation.id, " "))


def matches(conversation: Conversation, words: Iterable[str]) -> bool:
    """Whether every word is in the title or in a tag; `#word` is the beginning of a tag.

    Args:
        conversation: One of the list.
        words: As `str.casefold` and NFKC leave them.
    """
    text = tags = None
    for word in words:
        if tags is None:
            tags = [f"#{_folded(tag)}" for tag in conversation.tags]
        if word.startswith("#"):
            if not any(tag.startswith(word) for tag in tags):
                return False
            continue
        if text is None:
            text = " ".join((_folded(conversation.title), *tags))
        if word not in text:
            return False
    return True


def day_of(moment: float, today: date) -> str:
    """When something changed, as a reader groups it: by days, then by months."""
    day = date.fromtimestamp(moment)  # noqa: DTZ012  # local
    match (today - day).days:
        case 0:
            return "Today"
        case 1:
            return "Yesterday"
        case days if 1 < days < 7:
            return "Last seven days"
        case days if days < 0:  # the clock was wrong then, or is now
            return "Today"
        case _:
            return f"{calendar.month_name[day.month]} {day.year}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
