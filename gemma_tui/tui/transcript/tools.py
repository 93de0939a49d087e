"""Tool calls and their results in words: one line while folded, everything when unfolded. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    from gemma_tui.tool_call import JsonValue

ToolPart: TypeAlias = ToolCall | ToolResult | MalformedToolCall

MAX_LABEL: Final = 60
"""Characters of arguments or of a result in the line that is shown while it is folded."""


def tool_label(part: ToolPart) -> str:
    """What the model wanted, or got, in one line."""
    match part:
        case ToolCall(name, arguments):
            shown = ", ".join(f"{key}: {_short(value)}" for key, value in arguments.items())
            return f"⚙ {_line(name)}({_line(shown)})"
        case ToolResult(name, content):
            return f"⚙ {_line(name)} gave {_line(_short(content))}"
        case MalformedToolCall(_, problem):
            return f"⚙ a tool call that could not be read: {_line(problem)}"


def tool_text(part: ToolPart) -> str:
    """All of it."""
    match part:
        case ToolCall(_, arguments):
            return _pretty(arguments)
        case ToolResult(_, content):
            return content if isinstance(content, str) else _pretty(content)
        case MalformedToolCall(text, _):
            return text


def _pretty(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _short(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(text: str) -> str:
    tidy = " ".join(sanitize_line(text).split())
    return tidy if len(tidy) <= MAX_LABEL else f"{tidy[: MAX_LABEL - 1]}…"
