"""Messages of the chat API as those of a prompt, their pictures and sounds still in memory."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.serve.request_fields import Fields, wrong
from gemma_tui.tool_call import ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.conversation import MediaKind, Role
    from gemma_tui.tool_call import JsonValue

BUDGET_OF_DETAIL: Final = {"low": 70, "auto": 0, "high": 1120}
"""Token budget of a picture by OpenAI's word for how closely it is looked at; 0: the model's."""

_DATA_URL: Final = re.compile(r"data:(image/[\w.+-]+);base64,", re.ASCII)


@dataclass(frozen=True, slots=True)
class InlineMedia:
    """A picture or a sound that a request brings."""

    kind: MediaKind
    data: bytes
    name: str
    """The field it stands in, for messages."""
    token_budget: int = 0
    """Of a picture; 0: as the model says."""


ServedPart: TypeAlias = TextPart | ThoughtPart | InlineMedia | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class ServedMessage:
    """A turn of the prompt."""

    role: Role
    parts: tuple[ServedPart, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said so far."""

    system_prompt: str
    messages: tuple[ServedMessage, ...]


def read_messages(given: list[JsonValue]) -> Conversation:
    """Read the messages of a request.

    Raises:
        ApiRequestError: One of them is wrong, or cannot stand where it stands.
    """
    system: list[str] = []
    messages: list[ServedMessage] = []
    names: dict[str, str] = {}
    for number, item in enumerate(given):
        fields = Fields(item, f"messages[{number}]")
        match fields.text("role"):
            case "system" | "developer" if not messages:
                system.append(_plain_text(fields))
            case "system" | "developer":
                raise wrong(fields.path("role"), "may be system in front of all others only")
            case "user":
                messages.append(ServedMessage("user", tuple(_content(fields))))
            case "assistant":
                messages.append(ServedMessage("model", tuple(_said(fields, names))))
            case "tool":
                result = _result(fields, names)
                if not messages or messages[-1].role != "model":
                    raise wrong(fields.path("role"), "may be tool behind a call only")
                last = messages.pop()
                messages.append(ServedMessage("model", (*last.parts, result)))
            case _:
                raise wrong(fields.path("role"), "is none of system, user, assistant, tool")
        fields.end()
    if not messages:
        raise wrong("messages", "holds no question")
    if messages[-1].role == "model" and not isinstance(messages[-1].parts[-1], ToolResult):
        raise wrong("messages", "ends with an answer: the last one has to be of user or tool")
    return Conversation("\n\n".join(system), tuple(messages))


def _plain_text(fields: Fields) -> str:
    """The content where only text can be."""
    parts = list(_content(fields))
    if not all(isinstance(part, TextPart) for part in parts):
        raise wrong(fields.path("content"), "may only be text")
    return "\n\n".join(part.text for part in parts if isinstance(part, TextPart))


def _said(fields: Fields, names: dict[str, str]) -> Iterator[ServedPart]:
    """What the model said; `names` learns which tool each call is of."""
    thought = fields.text("reasoning_content", "")
    fields.only("refusal", "", why="the model refuses in words")
    fields.only("audio", why="the model does not speak")
    text = _plain_text(fields)
    calls = [
        _call(Fields(item, fields.path(f"tool_calls[{number}]")), names)
        for number, item in enumerate(fields.items("tool_calls"))
    ]
    if thought:
        yield ThoughtPart(thought)
    if text or not calls:
        yield TextPart(text)
    yield from calls


def _call(fields: Fields, names: dict[str, str]) -> ToolCall:
    if fields.text("type", "function") != "function":
        raise wrong(fields.path("type"), "may only be function")
    call_id = fields.text("id")
    function = Fields(fields.take("function"), fields.path("function"))
    fields.take("index")  # left over from a stream by some clients
    fields.end()
    name, text = function.text("name"), function.text("arguments")
    function.end()
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise wrong(function.path("arguments"), "is no JSON of an object")
    names[call_id] = name
    return ToolCall(name, arguments)


def _result(fields: Fields, names: dict[str, str]) -> ToolResult:
    call_id = fields.text("tool_call_id")
    if call_id not in names:
        raise wrong(fields.path("tool_call_id"), "is the id of no call in front of it")
    fields.text("name", "")  # the call has it
    return ToolResult(names[call_id], _plain_text(fields))


def _content(fields: Fields) -> Iterator[ServedPart]:
    """Text, or a list of parts; a missing one is empty."""
    value = fields.take("content")
    if value is None:
        return
    if isinstance(value, str):
        if value:
            yield TextPart(value)
        return
    if not isinstance(value, list):
        raise wrong(fields.path("content"), "is neither a text nor a list of parts")
    for number, item in enumerate(value):
        yield _part(Fields(item, f"{fields.path('content')}[{number}]"))


def _part(fields: Fields) -> TextPart | InlineMedia:
    match fields.text("type"):
        case "text":
            found: TextPart | InlineMedia = TextPart(fields.text("text"))
        case "image_url":
            found = _image(fields)
        case "input_audio":
            sound = Fields(fields.take("input_audio"), fields.path("input_audio"))
            name = sound.path("data")
            found = InlineMedia("audio", _decoded(sound.text("data"), name), name)
            sound.text("format", "")  # its first bytes say what it really is
            sound.end()
        case other:
            raise wrong(
                fields.path("type"), f"is {other}: text, image_url and input_audio are taken"
            )
    fields.end()
    return found


def _image(fields: Fields) -> InlineMedia:
    image = Fields(fields.take("image_url"), fields.path("image_url"))
    url, name = image.text("url"), image.path("url")
    detail = image.text("detail", "auto")
    if detail not in BUDGET_OF_DETAIL:
        raise wrong(image.path("detail"), "is none of low, auto, high")
    image.end()
    head = _DATA_URL.match(url)
    if head is None:
        raise wrong(
            name,
            "is no data: URL of a picture in base64, and this server connects to nobody",
            "Send data:image/png;base64,… instead.",
        )
    return InlineMedia("image", _decoded(url[head.end() :], name), name, BUDGET_OF_DETAIL[detail])


def _decoded(text: str, name: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong(name, "is no base64") from error
    if not data:
        raise wrong(name, "is empty")
    return data
