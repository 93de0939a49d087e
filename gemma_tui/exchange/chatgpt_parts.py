"""What one message of a ChatGPT export says, as parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Attachment, AttachmentPart, TextPart, ThoughtPart
from gemma_tui.exchange.markdown_text import fenced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

    from gemma_tui.conversation import Part, Role
    from gemma_tui.tool_call import JsonObject, JsonValue

_POINTER: Final = re.compile(r"[a-z-]{1,20}://(file[-_][A-Za-z0-9]{4,80})")
_POINTER_FIELDS: Final = ("asset_pointer", "audio_asset_pointer")
_UNSAID: Final = {"reasoning_recap", "user_editable_context", "model_editable_context"}
"""How long it thought, and notes that ChatGPT keeps of its user."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says."""

    role: Role
    parts: tuple[Part, ...]
    model: str
    is_cut_off: bool


def pointers(message: JsonObject) -> Iterator[str]:
    """The keys of what a message refers to."""
    content = message.get("content")
    for entry in _entries(content) if isinstance(content, dict) else ():
        if isinstance(entry, dict) and (key := _pointer(entry)):
            yield key


def said(message: JsonObject, media: Set[str]) -> Said | None:
    """What a message says; None if it says nothing, or is not shown by ChatGPT either."""
    author, content, about = (
        value if isinstance(value, dict) else {}
        for value in (message.get("author"), message.get("content"), message.get("metadata"))
    )
    role = _text(author.get("role"))
    if role not in {"user", "assistant", "tool"} or _text(content.get("content_type")) in _UNSAID:
        return None
    if about.get("is_visually_hidden_from_conversation") is True:
        return None
    is_aside = role == "tool" or _text(message.get("recipient")) not in {"all", ""}
    parts = with_more((), _parts(content, media, is_aside=role != "user" and is_aside))
    details = about.get("finish_details")
    return (
        Said(
            role="user" if role == "user" else "model",
            parts=parts,
            model=_text(about.get("model_slug")),
            is_cut_off=isinstance(details, dict) and details.get("type") == "max_tokens",
        )
        if parts
        else None
    )


def with_more(parts: tuple[Part, ...], more: Iterable[Part]) -> tuple[Part, ...]:
    """Parts with others after them; what is of one kind is one part, an empty line between."""
    whole = list(parts)
    for part in more:
        last = whole[-1] if whole else None
        match part, last:
            case (TextPart(text), TextPart(before)):
                whole[-1] = TextPart(f"{before}\n\n{text}")
            case (ThoughtPart(text), ThoughtPart(before)):
                whole[-1] = ThoughtPart(f"{before}\n\n{text}")
            case (TextPart(text), _) if any(isinstance(p, TextPart) for p in whole):
                whole.append(TextPart(f"\n\n{text}"))  # a reply is read as all its text in one
            case _:
                whole.append(part)
    return tuple(whole)


def _parts(content: JsonObject, media: Set[str], *, is_aside: bool) -> Iterator[Part]:
    kind = _text(content.get("content_type"))
    if kind == "thoughts":
        if thought := _thoughts(content.get("thoughts")):
            yield ThoughtPart(thought)
        return
    wrap = ThoughtPart if is_aside or kind == "execution_output" else TextPart
    for entry in _entries(content):
        if isinstance(entry, dict) and (key := _pointer(entry)):
            yield from _attachment(entry, key, media)
            continue
        words = _text(entry.get("text")) if isinstance(entry, dict) else _text(entry)
        if words.strip():
            yield wrap(words)
    for name in ("text", "result"):
        if (words := _text(content.get(name))).strip():
            is_code = kind in {"code", "execution_output"}
            language = _language(content) if kind == "code" else "text"
            yield wrap(fenced(words, language) if is_code else words)


def _entries(content: JsonObject) -> list[JsonValue]:
    entries = content.get("parts")
    return entries if isinstance(entries, list) else []


def _pointer(entry: JsonObject) -> str:
    for name in _POINTER_FIELDS:
        value = entry.get(name)
        if isinstance(value, dict):  # a picture and a sound at once
            value = value.get("asset_pointer")
        if found := _POINTER.match(_text(value)):
            return found[1]
    return ""


def _attachment(entry: JsonObject, key: str, media: Set[str]) -> Iterator[Part]:
    is_picture = "image" in _text(entry.get("content_type"))
    if key in media:
        # What it really is replaces all this, once its bytes are looked into.
        yield AttachmentPart(Attachment(key, "image" if is_picture else "audio", key, "", 0))
    elif is_picture:
        yield TextPart(f"[a picture that the export does not hold: {key}]")
    # What was spoken is there as text as well, whether its sound is or not.


def _thoughts(value: JsonValue) -> str:
    if isinstance(value, str):
        return value.strip()
    lines: list[str] = []
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            lines += filter(str.strip, (_text(entry.get("summary")), _text(entry.get("content"))))
    return "\n\n".join(lines)


def _language(content: JsonObject) -> str:
    found = re.fullmatch(r"[A-Za-z0-9+#.-]{1,20}", _text(content.get("language")))
    return found[0] if found and found[0] != "unknown" else "text"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
