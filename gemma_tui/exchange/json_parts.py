"""Parts of a message in our own JSON: text, thoughts, attachments, tool calls, and back."""

from __future__ import annotations

import re
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Segment,
    TextPart,
    ThoughtPart,
)
from gemma_tui.exchange import fields
from gemma_tui.exchange.fields import FieldError
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    from gemma_tui.conversation import AttachmentKind, Part
    from gemma_tui.tool_call import JsonObject, JsonValue

SHA256: Final = re.compile("[0-9a-f]{64}")

_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")
_TYPES: Final = (
    *("text", "thought", "attachment"),
    *("tool_call", "malformed_tool_call", "tool_result"),
)
_KINDS: Final[dict[str, AttachmentKind]] = {
    "image": "image",
    "audio": "audio",
    "text": "text",
}


def from_part(part: Part) -> JsonObject:
    """A part as a JSON object."""
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ThoughtPart(text):
            return {"type": "thought", "text": text}
        case AttachmentPart(attachment):
            return {"type": "attachment", **from_attachment(attachment)}
        case ToolCall(name, arguments):
            return {"type": "tool_call", "name": name, "arguments": _finite(arguments)}
        case MalformedToolCall(text, problem):
            return {"type": "malformed_tool_call", "text": text, "problem": problem}
        case ToolResult(name, content):
            return {"type": "tool_result", "name": name, "content": _finite(content)}


def to_part(value: JsonValue) -> Part:
    """The part that `from_part` wrote; raises `FieldError` if it did not."""
    item = fields.as_object(value, "a part")
    match fields.one_of(item, "type", _TYPES):
        case "text":
            return TextPart(fields.text(item, "text"))
        case "thought":
            return ThoughtPart(fields.text(item, "text"))
        case "attachment":
            return AttachmentPart(to_attachment(item))
        case "tool_call":
            arguments = fields.as_object(item.get("arguments"), "arguments")
            return ToolCall(fields.text(item, "name"), arguments)
        case "malformed_tool_call":
            return MalformedToolCall(fields.text(item, "text"), fields.text(item, "problem"))
        case _:
            return ToolResult(fields.text(item, "name"), item.get("content"))


def _finite(value: JsonValue) -> JsonValue:
    """A value of a tool as JSON can hold it: numbers that are none are null."""
    match value:
        case float() if not isfinite(value):
            return None
        case dict():
            return {name: _finite(item) for name, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case _:
            return value


def from_attachment(attachment: Attachment) -> JsonObject:
    """An attachment as a JSON object; its bytes are elsewhere."""
    segments: list[JsonValue] = [dict(asdict(segment)) for segment in attachment.segments]
    return {
        "sha256": attachment.sha256,
        "kind": attachment.kind,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size_bytes": attachment.size_bytes,
        "width": attachment.width,
        "height": attachment.height,
        "sample_count": attachment.sample_count,
        "token_budget": attachment.token_budget,
        "segments": segments,
    }


def to_attachment(value: JsonValue) -> Attachment:
    """The attachment that `from_attachment` wrote; raises `FieldError` if it did not."""
    item = fields.as_object(value, "an attachment")
    sha256 = fields.text(item, "sha256")
    media_type = fields.text(item, "media_type")
    budget = fields.integer(item, "token_budget")
    if not SHA256.fullmatch(sha256):
        raise FieldError("sha256 is none")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise FieldError("media_type is none")
    if budget and budget not in TOKEN_BUDGETS:
        raise FieldError("token_budget is none of the budgets")
    return Attachment(
        sha256=sha256,
        kind=_KINDS[fields.one_of(item, "kind", tuple(_KINDS))],
        name=fields.text(item, "name"),
        media_type=media_type,
        size_bytes=fields.integer(item, "size_bytes"),
        width=fields.integer(item, "width"),
        height=fields.integer(item, "height"),
        sample_count=fields.integer(item, "sample_count"),
        token_budget=budget,
        segments=tuple(map(_to_segment, fields.as_list(item.get("segments", []), "segments"))),
    )


def _to_segment(value: JsonValue) -> Segment:
    item = fields.as_object(value, "a segment")
    return Segment(
        kind=_KINDS[fields.one_of(item, "kind", tuple(_KINDS))],
        start=fields.integer(item, "start"),
        length=fields.integer(item, "length"),
        width=fields.integer(item, "width"),
        height=fields.integer(item, "height"),
        label=fields.text(item, "label"),
    )
