"""Our own JSON: a conversation as an object and back, without loss.

The file is `{"format": NAME, "version": VERSION, "files": [...], "conversations": [...]}`. What is
in `files` is the business of `json_export` and `json_import`. Messages are numbered from 1 in the
order they were added, so that the same conversation is always the same text, whatever its rows.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, get_args

from gemma_tui.conversation import (
    Conversation,
    Draft,
    Message,
    MessageState,
    Role,
    TitleOrigin,
    Usage,
    normalize_tags,
)
from gemma_tui.exchange import fields
from gemma_tui.exchange.fields import FieldError
from gemma_tui.exchange.json_parts import from_attachment, from_part, to_attachment, to_part
from gemma_tui.storage.rows import pack_ids, to_text, unpack_ids
from gemma_tui.storage.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.tool_call import JsonObject, JsonValue

FORMAT: Final = "gemma-tui conversations"
VERSION: Final = 1

_ORIGINS: Final[dict[str, TitleOrigin]] = {origin: origin for origin in get_args(TitleOrigin)}
_STATES: Final = tuple(state.value for state in MessageState if state != MessageState.STREAMING)


def to_json(tree: Tree) -> JsonObject:
    """A conversation as a JSON object; every key is always there, in this order.

    A reply that is being written is `interrupted`, as it would be had the program ended now.
    """
    numbers: dict[int | None, int | None] = {None: None}
    numbers |= {message.id: n for n, message in enumerate(tree.messages, start=1)}
    known = tree.conversation
    return {
        "title": known.title,
        "title_origin": known.title_origin,
        "system_prompt": known.system_prompt,
        "created_at": known.created_at,
        "updated_at": known.updated_at,
        "is_pinned": known.is_pinned,
        "is_archived": known.is_archived,
        "tags": list(known.tags),
        "settings": known.settings,
        "leaf": numbers[known.leaf_id],
        "draft": _from_draft(tree.draft),
        "messages": [_from_message(m, numbers[m.parent_id]) for m in tree.messages],
    }


def from_json(value: JsonValue) -> Tree:
    """The conversation that `to_json` wrote; its ids are its numbers.

    Raises:
        FieldError: It was not written by `to_json`.
    """
    item = fields.as_object(value, "a conversation")
    found = fields.as_list(item.get("messages"), "messages")
    messages = tuple(_to_message(entry, n) for n, entry in enumerate(found, start=1))
    leaf = _reference(item, "leaf", len(messages))
    conversation = Conversation(
        id=0,
        title=fields.text(item, "title"),
        created_at=fields.number(item, "created_at"),
        updated_at=fields.number(item, "updated_at"),
        system_prompt=fields.text(item, "system_prompt"),
        leaf_id=leaf,
        title_origin=_ORIGINS[fields.one_of(item, "title_origin", tuple(_ORIGINS))],
        is_pinned=fields.flag(item, "is_pinned"),
        is_archived=fields.flag(item, "is_archived"),
        tags=normalize_tags(_to_tags(item)),
        settings=_to_settings(item),
    )
    return Tree(conversation, messages, _to_draft(item.get("draft")))


def _to_tags(item: JsonObject) -> Iterator[str]:
    for tag in fields.as_list(item.get("tags"), "tags"):
        if not isinstance(tag, str):
            raise FieldError("a tag is no text")
        yield tag


def _to_settings(item: JsonObject) -> str:
    """As they are; `json_import` looks into them."""
    settings = fields.text(item, "settings")
    if settings:
        try:
            value = json.loads(settings)
        except (ValueError, RecursionError) as error:
            raise FieldError("settings are no JSON") from error
        fields.as_object(value, "settings")
    return settings


def _from_draft(draft: Draft) -> JsonObject | None:
    if not draft.text and not draft.attachments:
        return None
    return {"text": draft.text, "attachments": [from_attachment(a) for a in draft.attachments]}


def _to_draft(value: JsonValue) -> Draft:
    if value is None:
        return Draft()
    item = fields.as_object(value, "draft")
    attachments = fields.as_list(item.get("attachments"), "attachments")
    return Draft(fields.text(item, "text"), tuple(to_attachment(entry) for entry in attachments))


def _from_message(message: Message, parent: int | None) -> JsonObject:
    is_streaming = message.state is MessageState.STREAMING
    token_ids = pack_ids(message.token_ids)
    return {
        "parent": parent,
        "role": message.role,
        "state": (MessageState.INTERRUPTED if is_streaming else message.state).value,
        "created_at": message.created_at,
        "model": message.model,
        "thinking": message.thinking,
        "finish_reason": message.finish_reason,
        "error": message.error,
        "usage": asdict(message.usage) if message.usage else None,
        "token_ids": b64encode(token_ids).decode() if token_ids else None,
        "parts": [from_part(part) for part in message.parts],
    }


def _to_message(value: JsonValue, number: int) -> Message:
    item = fields.as_object(value, "a message")
    state = MessageState(fields.one_of(item, "state", _STATES))
    usage = item.get("usage")
    return Message(
        id=number,
        conversation_id=0,
        parent_id=_reference(item, "parent", number - 1),
        role=_role(item),
        parts=tuple(to_part(entry) for entry in fields.as_list(item.get("parts"), "parts")),
        state=state,
        created_at=fields.number(item, "created_at"),
        model=fields.text(item, "model"),
        finish_reason=to_text(fields.text(item, "finish_reason")),
        usage=None if usage is None else _to_usage(fields.as_object(usage, "usage")),
        error=fields.text(item, "error"),
        thinking=fields.flag(item, "thinking"),
        token_ids=_to_token_ids(item),
    )


def _role(item: JsonObject) -> Role:
    return "user" if fields.one_of(item, "role", get_args(Role)) == "user" else "model"


def _reference(item: JsonObject, name: str, last: int) -> int | None:
    """The number of another message, none that comes later."""
    if item.get(name) is None:
        return None
    number = fields.integer(item, name)
    if not 1 <= number <= last:
        raise FieldError(f"{name} names a message that is not there")
    return number


def _to_usage(item: JsonObject) -> Usage:
    return Usage(
        prompt_tokens=fields.integer(item, "prompt_tokens"),
        cached_tokens=fields.integer(item, "cached_tokens"),
        generated_tokens=fields.integer(item, "generated_tokens"),
        prefill_seconds=fields.number(item, "prefill_seconds"),
        decode_seconds=fields.number(item, "decode_seconds"),
        peak_memory_bytes=fields.integer(item, "peak_memory_bytes"),
    )


def _to_token_ids(item: JsonObject) -> tuple[int, ...]:
    if item.get("token_ids") is None:
        return ()
    try:
        packed = b64decode(fields.text(item, "token_ids"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FieldError("token_ids is no base64") from error
    if len(packed) % 4:
        raise FieldError("token_ids is cut off")
    return unpack_ids(packed)
