"""The branch of a conversation that is shown, and the words its readable exports share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gemma_tui.conversation import MessageState
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    from gemma_tui.conversation import Message, ToolPart
    from gemma_tui.storage.trees import Tree
    from gemma_tui.tool_call import JsonValue


def branch_of(tree: Tree) -> tuple[Message, ...]:
    """The messages from the root down to the leaf, in order."""
    by_id = {message.id: message for message in tree.messages}
    found: list[Message] = []
    at = tree.conversation.leaf_id
    while at is not None and at in by_id and len(found) < len(by_id):
        found.append(by_id[at])
        at = by_id[at].parent_id
    return tuple(reversed(found))


def title_of(tree: Tree) -> str:
    """The title on one line; never empty."""
    return sanitize_line(tree.conversation.title).strip() or "Conversation"


def writer_of(message: Message) -> str:
    """Who wrote a message."""
    return "You" if message.role == "user" else sanitize_line(message.model).strip() or "Model"


def day_of(seconds: float) -> str:
    """A time as a date, in UTC so that the same conversation is always the same text."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):  # a clock from another world
        return ""


def ending_of(message: Message) -> str:
    """How a message ended, if it did not end by itself."""
    match message.state:
        case MessageState.COMPLETE if message.finish_reason in {"length", "repetition"}:
            return "cut off"
        case MessageState.COMPLETE:
            return ""
        case MessageState.FAILED:
            return f"failed: {sanitize_line(message.error)}" if message.error else "failed"
        case MessageState.CANCELLED:
            return "stopped"
        case _:
            return "interrupted"


def tool_text(part: ToolPart) -> tuple[str, str]:
    """What was wanted of a tool or came from it: a heading, and the text as it is."""
    match part:
        case ToolCall(name, arguments):
            return f"Tool call: {sanitize_line(name)}", _as_text(arguments)
        case MalformedToolCall(text, problem):
            return f"Tool call that is none: {sanitize_line(problem)}", text
        case ToolResult(name, content):
            return f"Tool result: {sanitize_line(name)}", _as_text(content)


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def length_of(seconds: float) -> str:
    """The length of a sound."""
    return f"{seconds:.1f} s"
