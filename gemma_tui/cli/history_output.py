"""What `gemma-tui history` prints: lists and conversations, as text or JSON.

On a terminal nothing in them can act; a pipe gets a conversation's text unchanged.
"""

from __future__ import annotations

import sys
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from gemma_tui.conversation import AttachmentPart, TextPart, ThoughtPart
from gemma_tui.errors import GemmaError
from gemma_tui.exchange.branch import branch_of, ending_of, title_of, tool_text, writer_of
from gemma_tui.exchange.json_export import to_line
from gemma_tui.exchange.json_format import to_json
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gemma_tui.cli.history_place import HistoryPlace
    from gemma_tui.conversation import Conversation, Message
    from gemma_tui.storage.search import SearchHit
    from gemma_tui.storage.trees import Tree
    from gemma_tui.tool_call import JsonObject


async def print_list(place: HistoryPlace, *, archived: bool, as_json: bool) -> None:
    """One line for each conversation: id, when it was changed, title, tags."""
    conversations = await place.store.list(archived=archived)
    if as_json:
        print_lines(to_line(_summary(item)) for item in conversations)
        return
    if not conversations:
        which = "archived conversations" if archived else "conversations yet"
        sys.stderr.write(f"There are no {which}.\n")
    width = max((len(str(item.id)) for item in conversations), default=1)
    print_lines(
        f"{item.id:>{width}}  {_when(item.updated_at)}  {_title(item)}{_labels(item)}"
        for item in conversations
    )


async def print_hits(place: HistoryPlace, query: str, *, limit: int, as_json: bool) -> None:
    """One line for each hit: the conversation's id, when, its title, and what was found."""
    hits = (await place.store.search(query, limit=limit)).hits
    if not hits:
        sys.stderr.write("Nothing was found.\n")
    if as_json:
        print_lines(to_line(_hit(hit)) for hit in hits)
        return
    width = max((len(str(hit.conversation.id)) for hit in hits), default=1)
    print_lines(
        f"{hit.conversation.id:>{width}}  {_when(hit.created_at)}  {_title(hit.conversation)}"
        + (f"  {sanitize_line(hit.snippet)}" if hit.message_id is not None else "")
        for hit in hits
    )


async def print_conversation(place: HistoryPlace, conversation_id: int, *, as_json: bool) -> None:
    """The shown branch as text; as JSON all of it, as it would be exported."""
    await place.existing(conversation_id)
    tree = await place.trees.read(conversation_id)
    if as_json:
        print_lines([to_line(to_json(tree))])
        return
    is_terminal = sys.stdout.isatty()
    print_lines(sanitize(line) if is_terminal else line for line in _text(tree))


def print_lines(lines: Iterable[str]) -> None:
    """Print to the standard output at once.

    Raises:
        BrokenPipeError: Nobody reads any more.
        GemmaError: It takes no more, as a file on a full disk.
    """
    try:
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise output_refused(error) from error


def output_refused(error: OSError) -> GemmaError:
    """The sentence for a standard output that takes no more."""
    return GemmaError(
        f"The standard output takes no more ({error.strerror}).", "Send it to another place."
    )


def _summary(item: Conversation) -> JsonObject:
    return {
        "id": item.id,
        "title": item.title,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "is_pinned": item.is_pinned,
        "is_archived": item.is_archived,
        "tags": list(item.tags),
    }


def _hit(hit: SearchHit) -> JsonObject:
    return {
        "conversation_id": hit.conversation.id,
        "title": hit.conversation.title,
        "message_id": hit.message_id,
        "role": hit.role,
        "created_at": hit.created_at,
        "snippet": hit.snippet,
        "ranges": [[start, end] for start, end in hit.ranges],
    }


def _when(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):  # a clock from another world
        return " " * len("2026-01-01 00:00")


def _title(item: Conversation) -> str:
    # Combining marks would pile up on what stands before the title.
    title = sanitize_line(item.title).strip()
    return title if not title or not unicodedata.combining(title[0]) else f" {title}"


def _labels(item: Conversation) -> str:
    names = (["pinned"] if item.is_pinned else []) + [f"#{sanitize_line(t)}" for t in item.tags]
    return f"  ({', '.join(names)})" if names else ""


def _text(tree: Tree) -> Iterator[str]:
    yield title_of(tree)
    for message in branch_of(tree):
        yield ""
        yield f"── {writer_of(message)}"
        yield from _parts(message)
        if ending := ending_of(message):
            yield f"({ending})"


def _parts(message: Message) -> Iterator[str]:
    for part in message.parts:
        match part:
            case TextPart(text) if text.strip():
                yield text.strip("\n")
            case ThoughtPart(text) if text.strip():
                yield _barred(text)
            case AttachmentPart(attachment):
                yield f"[{attachment.kind}: {sanitize_line(attachment.name)}]"
            case ToolCall() | MalformedToolCall() | ToolResult():
                heading, text = tool_text(part)
                yield f"│ {heading}\n{_barred(text)}".rstrip("\n")
            case _:
                pass


def _barred(text: str) -> str:
    return "".join(f"│ {line}\n" for line in text.strip().splitlines()).rstrip("\n")
