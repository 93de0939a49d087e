"""Values of function calling: what a tool is, how the model calls it, and what it gave back.

Pure values. How they become tokens, and what runs a tool, is the business of other modules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]
"""Never changed once it is part of a value."""


@dataclass(frozen=True, slots=True)
class ToolDeclaration:
    """A tool the model may call."""

    name: str
    description: str
    parameters: JsonObject = field(default_factory=dict)
    """JSON schema of the arguments, of type `object`. Gemma 4 is told names, descriptions, types,
    enums, items and what is required; `anyOf`, `oneOf`, `$ref` and `const` do not reach it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants a tool to be run. An event of a reply, and a part of later prompts."""

    name: str
    """As the model wrote it: there may be no such tool."""
    arguments: JsonObject = field(default_factory=dict)
    """As the model wrote them: they may not fit the tool's schema."""


@dataclass(frozen=True, slots=True)
class MalformedToolCall:
    """The model began a tool call and did not write one; an event of a reply."""

    text: str
    """What it wrote, without the markers around it."""
    problem: str
    """What is wrong with that; a sentence for the model as well as for people."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back; pictures and sounds it made follow it in the prompt."""

    name: str
    content: JsonValue
