"""Full-text search over everything that was said, and over titles.

What a query means is decided in `search_query`, what is found in `search_index`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Final

from gemma_tui.storage.labels import LabelStore, read_conversations
from gemma_tui.storage.search_index import content, place_of
from gemma_tui.storage.search_query import SearchQuery

if TYPE_CHECKING:
    import sqlite3

    from gemma_tui.conversation import Conversation, Role

_NEWEST: Final = (1 << 63) - 1
_BEFORE_MATCH: Final = 40
_AFTER_MATCH: Final = 160
"""Characters of a snippet around the first match: two lines of a narrow screen."""

_SHOWN: Final = content("' · '")
"""SQL: the text, and the names of the attachments set off from it, as a snippet shows them."""

# CROSS JOIN keeps the index outside: it gives its rows by id, so that a page ends the search.
_HITS: Final = f"""
    SELECT message.id, message.conversation_id, role, message.created_at, {_SHOWN} AS content
    FROM search
        CROSS JOIN message ON message.id = search.rowid
        CROSS JOIN conversation ON conversation.id = conversation_id
    WHERE search MATCH ? AND search.rowid < ?
        AND deleted_with IS NULL AND conversation.deleted_by IS NULL
    ORDER BY search.rowid DESC LIMIT ?
"""  # noqa: S608  # constants only
_TITLES: Final = "SELECT id, title FROM conversation WHERE deleted_by IS NULL"


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A message, or a conversation's title, that has what was asked for."""

    conversation: Conversation
    """With its title and whether it is archived."""
    message_id: int | None
    """The message; None if it is the title."""
    role: Role | None
    created_at: float
    """Of the message, or of the last change of the conversation."""
    snippet: str
    """The first match with what stands around it, in one line; not sanitised."""
    ranges: tuple[tuple[int, int], ...]
    """The matches in the snippet: start and end in characters."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some hits; the newest message first, and titles before all messages."""

    hits: tuple[SearchHit, ...]
    next_before: int | None
    """What to give `search` as `before` for the next page; None at the end."""


class SearchStore(LabelStore):
    """Search in conversations; part of `ConversationStore`."""

    async def search(
        self,
        query: str,
        *,
        conversation_id: int | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> SearchPage:
        """Find messages and titles, those of archived conversations too, of deleted ones not.

        Searched are texts and the names of attachments; not thoughts, and not what is being
        written. Titles are on the first page of a search over everything.

        Args:
            query: See `SearchQuery.parse`; nothing a user types is wrong.
            conversation_id: To search in one conversation only, all of its branches.
            before: `next_before` of the page before.
            limit: The most messages on a page, and the most titles.
        """
        wanted = SearchQuery.parse(query)
        if wanted.is_empty:
            return SearchPage((), None)

        def work(connection: sqlite3.Connection) -> SearchPage:
            expression = f"content : ({wanted.to_fts()})"
            if conversation_id is not None:
                expression = f'place : "{place_of(conversation_id)}" AND {expression}'
            older_than = _NEWEST if before is None else before
            rows = connection.execute(_HITS, (expression, older_than, limit + 1)).fetchall()
            hits = _message_hits(connection, wanted, rows[:limit])
            if before is None and conversation_id is None:
                hits = (*_title_hits(connection, wanted)[:limit], *hits)
            return SearchPage(hits, rows[limit - 1]["id"] if len(rows) > limit else None)

        return await self._database.read(work)


def _message_hits(
    connection: sqlite3.Connection, query: SearchQuery, rows: list[sqlite3.Row]
) -> tuple[SearchHit, ...]:
    places = tuple({row["conversation_id"] for row in rows})
    condition = f"id IN ({', '.join('?' * len(places))})"
    found = {c.id: c for c in read_conversations(connection, condition, places)}
    return tuple(
        SearchHit(
            found[row["conversation_id"]],
            row["id"],
            row["role"],
            row["created_at"],
            *snippet(query, row["content"]),
        )
        for row in rows
    )


def _title_hits(connection: sqlite3.Connection, query: SearchQuery) -> tuple[SearchHit, ...]:
    # Titles are few and short: looking through them takes less than keeping an index true.
    rows = connection.execute(_TITLES).fetchall()
    ids = list(compress((row["id"] for row in rows), query.filter(row["title"] for row in rows)))
    condition = f"id IN ({', '.join('?' * len(ids))})"
    return tuple(
        SearchHit(item, None, None, item.updated_at, *snippet(query, item.title))
        for item in sorted(read_conversations(connection, condition, ids), key=_newest_first)
    )


def _newest_first(conversation: Conversation) -> float:
    return -conversation.updated_at


def snippet(query: SearchQuery, text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The first match in a text with what stands around it, in one line, and where matches are.

    Where FTS5 found what cannot be found here (it knows other characters), the text's begin.
    """
    ranges = query.ranges(text)
    first = ranges[0][0] if ranges else 0
    start, end = max(0, first - _BEFORE_MATCH), min(len(text), first + _AFTER_MATCH)
    if start and (space := _space(text, start, first)) is not None:
        start = space
    line = " ".join(text[start:end].split())
    line = f"{'…' if start else ''}{line}{'…' if end < len(text) else ''}"
    return line, query.ranges(line)


def _space(text: str, start: int, end: int) -> int | None:
    """The first white space from `start` to `end`."""
    return next((place for place in range(start, end) if text[place].isspace()), None)
