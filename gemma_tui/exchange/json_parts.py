"""Parts of a message in our own JSON: text, thoughts, attachments, and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, get_args

from gemma_tui.conversation import (
    Attachment,
    AttachmentKind,
    AttachmentPart,
    TextPart,
    ThoughtPart,
)
from gemma_tui.exchange import fields
from gemma_tui.exchange.fields import FieldError
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS

if TYPE_CHECKING:
    from gemma_tui.conversation import Part
    from gemma_tui.tool_call import JsonObject, JsonValue

SHA256: Final = re.compile("[0-9a-f]{64}")

_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")
_KINDS: Final[dict[str, AttachmentKind]] = {kind: kind for kind in get_args(AttachmentKind)}


def from_part(part: Part) -> JsonObject:
    """A part as a JSON object."""
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ThoughtPart(text):
            return {"type": "thought", "text": text}
        case AttachmentPart(attachment):
            return {"type": "attachment", **from_attachment(attachment)}


def to_part(value: JsonValue) -> Part:
    """The part that `from_part` wrote; raises `FieldError` if it did not."""
    item = fields.as_object(value, "a part")
    match fields.one_of(item, "type", ("text", "thought", "attachment")):
        case "text":
            return TextPart(fields.text(item, "text"))
        case "thought":
            return ThoughtPart(fields.text(item, "text"))
        case _:
            return AttachmentPart(to_attachment(item))


def from_attachment(attachment: Attachment) -> JsonObject:
    """An attachment as a JSON object; its bytes are elsewhere."""
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
    )
