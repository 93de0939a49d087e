"""A prompt as the OpenAI chat API takes it (`POST /v1/chat/completions`). Pure.

Fields: OpenAI's API reference, "Create chat completion". `top_k`, `min_p`, `repetition_penalty`
and `chat_template_kwargs` are not OpenAI's, but of vLLM, llama.cpp, SGLang and mlx-lm; they are
sent where the user wants something, and left out for a server that refuses them.
"""

from __future__ import annotations

import json
import secrets
from collections import deque
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.generation import Media, media_key
from gemma_tui.tool_call import ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gemma_tui.generation import GenerationRequest, MediaKey, PromptMessage, PromptPart

Json: TypeAlias = dict[str, Any]

EXTENSIONS: Final = (
    "chat_template_kwargs",
    "top_k",
    "min_p",
    "repetition_penalty",
    "stream_options",
)
"""Fields that not every server knows."""


@dataclass(frozen=True, slots=True)
class EncodedMedium:
    """A picture or a sound as text, ready to be sent."""

    media_type: str
    """`image/png`, `image/jpeg` or `audio/wav`."""
    base64: str


def chat_body(
    request: GenerationRequest, model: str, media: Mapping[MediaKey, EncodedMedium]
) -> Json:
    """The body of the request.

    Args:
        request: The conversation; thoughts are not sent, as there is no field all servers know.
        model: Its id on the server.
        media: Every picture and sound of the prompt.
    """
    messages: list[Json] = []
    if request.system_prompt.strip():
        messages.append({"role": "system", "content": request.system_prompt})
    calls = _CallIds()
    for message in request.messages:
        messages += _messages(message, media, calls)
    body: Json = {"model": model, "messages": messages, "stream": True}
    body["stream_options"] = {"include_usage": True}
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters or {"type": "object", "properties": {}},
                },
            }
            for tool in request.tools
        ]
    return body | _options(request)


def body_variants(body: Json) -> tuple[Json, ...]:
    """The same for servers that know less, one after the other.

    As it is; with OpenAI's own way to ask for a thought; with nothing that not all servers know.
    """
    effort = "medium" if body["chat_template_kwargs"]["enable_thinking"] else "none"
    rest = {key: value for key, value in body.items() if key != "chat_template_kwargs"}
    plain = {key: value for key, value in body.items() if key not in EXTENSIONS}
    return body, {**rest, "reasoning_effort": effort}, plain


def json_bytes(body: Json) -> bytes:
    """The JSON of a body. Base64 is copied and not searched for what would have to be escaped.

    Searching 16 MB takes 0.3 s, in which no key is answered.
    """
    mark = secrets.token_hex(16)  # in no text of the conversation
    long: list[str] = []
    messages = [_with_marks(message, mark, long) for message in body["messages"]]
    first, *texts = json.dumps({**body, "messages": messages}).split(mark)
    pieces = [first]
    for data, text in zip(long, texts, strict=True):
        pieces += (data, text)
    return b"".join(piece.encode() for piece in pieces)


def _with_marks(message: Json, mark: str, long: list[str]) -> Json:
    """A message with a mark in the place of each medium, which is appended to `long`."""
    if not isinstance(message["content"], list):
        return message
    items = []
    for item in message["content"]:
        match item:
            case {"image_url": {"url": data}}:
                long.append(data)
                items.append({**item, "image_url": {"url": mark}})
            case {"input_audio": {"data": data, **rest}}:
                long.append(data)
                items.append({**item, "input_audio": {"data": mark, **rest}})
            case _:
                items.append(item)
    return {**message, "content": items}


def _options(request: GenerationRequest) -> Json:
    """What the user wants; the rest is as the server says."""
    options = request.options
    sampling = options.sampling
    wanted = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": sampling.seed,
        "min_p": sampling.min_p or None,
        "repetition_penalty": _unless(sampling.repetition_penalty, 1.0),
        "presence_penalty": sampling.presence_penalty or None,
        "max_tokens": options.max_tokens,
        "stop": list(options.stop) or None,
        "chat_template_kwargs": {"enable_thinking": options.thinking},
    }
    return {key: value for key, value in wanted.items() if value is not None}


def _unless(value: float, usual: float) -> float | None:
    return None if value == usual else value


class _CallIds:
    """Ids of tool calls: the API wants them, and the conversation has only names and an order."""

    def __init__(self) -> None:
        self._count = 0
        self._open: deque[tuple[str, str]] = deque()

    def of_call(self, call: ToolCall) -> str:
        self._count += 1
        number = f"call_{self._count}"
        self._open.append((call.name, number))
        return number

    def of_result(self, result: ToolResult) -> str:
        """The first open call of that name, else the first there is."""
        found = next((entry for entry in self._open if entry[0] == result.name), None)
        if found is None:
            found = self._open[0] if self._open else (result.name, "call_0")
        if found in self._open:
            self._open.remove(found)
        return found[1]


def _messages(
    message: PromptMessage, media: Mapping[MediaKey, EncodedMedium], calls: _CallIds
) -> Iterator[Json]:
    if message.role == "user":
        yield {"role": "user", "content": _content(message.parts, media)}
    else:
        yield from _model_messages(message.parts, media, calls)


def _model_messages(
    parts: tuple[PromptPart, ...], media: Mapping[MediaKey, EncodedMedium], calls: _CallIds
) -> Iterator[Json]:
    """What the model said, with the results of its calls as messages between.

    Media of a result follow in a message of the user: results are text in this API.
    """
    for kind, group in groupby(parts, _place):
        together = tuple(group)
        if kind == "said" and not all(isinstance(part, ThoughtPart) for part in together):
            yield _spoken(together, media, calls)
        elif kind == "shown":
            yield {"role": "user", "content": _content(together, media)}
        elif kind == "given":
            yield from (_result(part, calls) for part in together if isinstance(part, ToolResult))


def _place(part: PromptPart) -> str:
    """Whose message a part of the model's turn belongs to."""
    if isinstance(part, ToolResult):
        return "given"
    return "shown" if isinstance(part, Media) else "said"


def _spoken(
    parts: tuple[PromptPart, ...], media: Mapping[MediaKey, EncodedMedium], calls: _CallIds
) -> Json:
    said = tuple(part for part in parts if isinstance(part, TextPart))
    called = [_call(part, calls.of_call(part)) for part in parts if isinstance(part, ToolCall)]
    message: Json = {"role": "assistant", "content": _content(said, media) if said else None}
    return message | ({"tool_calls": called} if called else {})


def _result(result: ToolResult, calls: _CallIds) -> Json:
    content = result.content
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return {"role": "tool", "tool_call_id": calls.of_result(result), "content": text}


def _call(call: ToolCall, number: str) -> Json:
    function = {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    return {"id": number, "type": "function", "function": function}


def _content(
    parts: tuple[PromptPart, ...], media: Mapping[MediaKey, EncodedMedium]
) -> str | list[Json]:
    """One text where there is nothing else: some servers take no list."""
    if not any(isinstance(part, Media) for part in parts):
        return "\n\n".join(part.text for part in parts if isinstance(part, TextPart))
    return [item for part in parts for item in _items(part, media)]


def _items(part: PromptPart, media: Mapping[MediaKey, EncodedMedium]) -> Iterator[Json]:
    match part:
        case TextPart(text):
            yield {"type": "text", "text": text}
        case Media():
            medium = media[media_key(part)]
            if part.stamp:
                yield {"type": "text", "text": part.stamp}
            if part.kind == "image":
                url = f"data:{medium.media_type};base64,{medium.base64}"
                yield {"type": "image_url", "image_url": {"url": url}}
            else:
                sound = {"data": medium.base64, "format": "wav"}
                yield {"type": "input_audio", "input_audio": sound}
