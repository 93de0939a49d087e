"""Tools as Gemma 4 was trained to see them: declarations, calls and results.

The same text as the macros of Google's canonical chat templates, oddities included: keys are
sorted without regard to case, strings stand between `<|"|>` and are not escaped, and a schema
without a type leaves a brace open. Knows nothing of turns; `tool_call_parser` is the way back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.runtime.tokenizer import Control

if TYPE_CHECKING:
    from gemma_tui.tool_call import JsonObject, JsonValue, ToolCall, ToolDeclaration, ToolResult

ToolPiece: TypeAlias = Control | str
"""A control token, or ordinary text."""

_SCHEMA_KEYS: Final = frozenset({"description", "type", "properties", "required", "nullable"})

_UNKNOWN_TOOL: Final = "unknown"


def declaration_pieces(tool: ToolDeclaration) -> Iterator[ToolPiece]:
    """`<|tool>declaration:…<tool|>`, as it stands in the system turn."""
    schema = tool.parameters
    yield from (Control.TOOL_START, f"declaration:{tool.name}{{description:")
    yield from _quoted(tool.description)
    if schema:
        yield ",parameters:{"
        if properties := schema.get("properties"):
            yield from ("properties:{", *_properties(properties), "},")
        if required := schema.get("required"):
            yield from (*_names(required), ",")
        if kind := schema.get("type"):
            yield from ("type:", *_quoted(_type_name(kind)), "}")
    yield from ("}", Control.TOOL_END)


def call_pieces(call: ToolCall) -> Iterator[ToolPiece]:
    """`<|tool_call>call:…<tool_call|>`, as the model writes it."""
    yield from (Control.TOOL_CALL_START, f"call:{call.name}")
    yield from _value(call.arguments, quoted_keys=False)
    yield Control.TOOL_CALL_END


def result_pieces(result: ToolResult) -> Iterator[ToolPiece]:
    """`<|tool_response>response:…<tool_response|>`."""
    content = result.content
    if not isinstance(content, dict):
        content = {"value": content}
    yield from (Control.TOOL_RESPONSE_START, f"response:{result.name or _UNKNOWN_TOOL}")
    yield from _value(content, quoted_keys=False)
    yield Control.TOOL_RESPONSE_END


def _properties(properties: JsonValue, *, beside_schema: bool = False) -> Iterator[ToolPiece]:
    """The properties of an object, without the braces around them.

    Args:
        properties: Schemas by name.
        beside_schema: They stand directly in an object's schema, between its own keys.
    """
    kept = (
        (name, schema)
        for name, schema in _sorted(properties)
        if not (beside_schema and name in _SCHEMA_KEYS)
    )
    for place, (name, schema) in enumerate(kept):
        yield f"{',' if place else ''}{name}:{{"
        for fields in _schema_fields(schema if isinstance(schema, dict) else {}):
            yield from (*fields, ",")
        kind = _type_name(schema["type"]) if isinstance(schema, dict) and "type" in schema else ""
        yield from ("type:", *_quoted(kind), "}")


def _schema_fields(schema: JsonObject) -> Iterator[tuple[ToolPiece, ...]]:
    """What is said of one property before its type, which is always last."""
    kind = _type_name(schema["type"]) if "type" in schema else ""
    if description := schema.get("description"):
        yield ("description:", *_quoted(str(description)))
    if kind == "STRING" and (choices := schema.get("enum")):
        yield ("enum:", *_value(choices))
    if kind == "ARRAY" and isinstance(items := schema.get("items"), dict) and items:
        yield ("items:{", *_items(items), "}")
    if schema.get("nullable"):
        yield ("nullable:true",)
    if kind == "OBJECT":
        inner = schema.get("properties")
        found = _properties(inner) if isinstance(inner, dict) else None
        yield ("properties:{", *(found or _properties(schema, beside_schema=True)), "}")
        if required := schema.get("required"):
            yield tuple(_names(required))


def _items(items: JsonObject) -> Iterator[ToolPiece]:
    """The schema of an array's items, without the braces around it."""
    said = ((key, value) for key, value in _sorted(items) if value is not None)
    for place, (key, value) in enumerate(said):
        if place:
            yield ","
        match key:
            case "properties":
                yield from ("properties:{", *_properties(value), "}")
            case "required":
                yield from _names(value)
            case "type" if isinstance(value, list):
                yield from ("type:", *_value([_type_name(item) for item in value]))
            case "type":
                yield from ("type:", *_quoted(_type_name(value)))
            case _:
                yield from (f"{key}:", *_value(value))


def _names(names: JsonValue) -> Iterator[ToolPiece]:
    yield "required:["
    for place, name in enumerate(names if isinstance(names, list) else ()):
        yield from ("," if place else "", *_quoted(str(name)))
    yield "]"


def _value(value: JsonValue, *, quoted_keys: bool = True) -> Iterator[ToolPiece]:
    match value:
        case None:
            yield "null"
        case bool():
            yield "true" if value else "false"
        case str():
            yield from _quoted(value)
        case dict():
            yield "{"
            for place, (key, item) in enumerate(_sorted(value)):
                yield "," if place else ""
                yield from _quoted(key) if quoted_keys else (key,)
                yield from (":", *_value(item, quoted_keys=quoted_keys))
            yield "}"
        case list():
            yield "["
            for place, item in enumerate(value):
                yield from ("," if place else "", *_value(item, quoted_keys=quoted_keys))
            yield "]"
        case _:
            yield str(value)


def _quoted(text: str) -> tuple[ToolPiece, ...]:
    return (Control.QUOTE, text, Control.QUOTE)


def _type_name(kind: JsonValue) -> str:
    return str(kind).upper()


def _sorted(mapping: JsonValue) -> Iterable[tuple[str, JsonValue]]:
    """What Jinja's `dictsort` gives; nothing for what is no mapping."""
    if not isinstance(mapping, Mapping):
        return ()
    return sorted(mapping.items(), key=lambda item: item[0].lower())
