"""A request of the chat API as a value: what is wanted, and how it is to be answered.

The shape is that of OpenAI's `POST /v1/chat/completions`. Nothing is looked up and nothing decoded
here but base64.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gemma_tui.serve.messages import Conversation, read_messages
from gemma_tui.serve.request_fields import Fields, wrong
from gemma_tui.tool_call import ToolDeclaration

if TYPE_CHECKING:
    from gemma_tui.options import GenerationOptions
    from gemma_tui.tool_call import JsonValue

MAX_TOKENS: Final = 1 << 20
MAX_STOPS: Final = 16
MAX_TOOLS: Final = 128

_TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")

_FREE_TEXT: Final = "the model writes freely"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a client wants answered."""

    model: str
    """As the client names it; empty if it does not."""
    conversation: Conversation
    options: GenerationOptions
    tools: tuple[ToolDeclaration, ...] = ()
    streams: bool = False
    includes_usage: bool = False
    """Whether a stream ends with what it cost."""
    client: str = ""
    """Whom the client asks for, as it says."""


def read_chat_request(body: JsonValue, defaults: GenerationOptions) -> ChatRequest:
    """Read a request.

    Args:
        body: The JSON of the request.
        defaults: What is left out is as these say.

    Raises:
        ApiRequestError: Something is wrong or not supported; its name is in the message.
    """
    fields = Fields(body)
    model = fields.text("model", "")
    conversation = read_messages(fields.items("messages"))
    options = _options(fields, defaults)
    tools = _tools(fields)
    streams = fields.flag("stream", default=False)
    includes_usage = False
    if (given := fields.take("stream_options")) is not None:
        stream_options = Fields(given, "stream_options")
        includes_usage = stream_options.flag("include_usage", default=False)
        stream_options.only("include_obfuscation", False, why="nothing is padded")
        stream_options.end()
    client = fields.text("user", "") or fields.text("safety_identifier", "")
    _refuse(fields)
    return ChatRequest(model, conversation, options, tools, streams, includes_usage, client)


def _options(fields: Fields, defaults: GenerationOptions) -> GenerationOptions:
    found = {
        "temperature": fields.number("temperature", 0, 2),
        "top_p": fields.number("top_p", 0, 1),
        "top_k": fields.whole("top_k", 0, 1 << 20),
        "min_p": fields.number("min_p", 0, 1),
        "seed": fields.whole("seed", -(1 << 63), (1 << 63) - 1),
        "presence_penalty": fields.number("presence_penalty", -2, 2),
        "repetition_penalty": fields.number("repetition_penalty", 0.01, 10),
    }
    given = {name: value for name, value in found.items() if value is not None}
    most = fields.whole("max_completion_tokens", 1, MAX_TOKENS)
    older = fields.whole("max_tokens", 1, MAX_TOKENS)
    most = older if most is None else most
    return replace(
        defaults,
        sampling=replace(defaults.sampling, **given),  # type: ignore[arg-type]  # by its names
        max_tokens=defaults.max_tokens if most is None else most,
        stop=_stops(fields),
        thinking=_thinking(fields, default=defaults.thinking),
    )


def _thinking(fields: Fields, *, default: bool) -> bool:
    """By OpenAI's field, or by the one that vLLM, llama.cpp and mlx-lm take."""
    if (given := fields.take("chat_template_kwargs")) is not None:
        template = Fields(given, "chat_template_kwargs")
        default = template.flag("enable_thinking", default=default)
        template.end()
    effort = fields.text("reasoning_effort", "")
    if effort not in {"", "none", "minimal", "low", "medium", "high", "xhigh"}:
        raise wrong("reasoning_effort", "is none of none, low, medium, high")
    return effort not in {"none", "minimal"} if effort else default


def _stops(fields: Fields) -> tuple[str, ...]:
    value = fields.take("stop")
    stops = [value] if isinstance(value, str) else value or []
    if not isinstance(stops, list) or len(stops) > MAX_STOPS:
        raise wrong("stop", f"is neither a text nor a list of at most {MAX_STOPS}")
    for stop in stops:
        if not isinstance(stop, str) or not stop:
            raise wrong("stop", "holds something that is no text, or an empty one")
    return tuple(str(stop) for stop in stops)


def _tools(fields: Fields) -> tuple[ToolDeclaration, ...]:
    given = fields.items("tools")
    if len(given) > MAX_TOOLS:
        raise wrong("tools", f"has {len(given)} entries, and may have {MAX_TOOLS}")
    tools = tuple(_tool(Fields(item, f"tools[{n}]")) for n, item in enumerate(given))
    choice = fields.take("tool_choice")
    if choice not in (None, "auto", "none"):
        raise wrong("tool_choice", "may be auto or none: the model cannot be made to call a tool")
    fields.only("parallel_tool_calls", True, why="the model decides")
    return () if choice == "none" else tools


def _tool(fields: Fields) -> ToolDeclaration:
    if fields.text("type") != "function":
        raise wrong(fields.path("type"), "may only be function")
    function = Fields(fields.take("function"), fields.path("function"))
    fields.end()
    name = function.text("name")
    if not _TOOL_NAME.fullmatch(name):
        raise wrong(function.path("name"), "may have 64 letters, digits, _, - and . at most")
    description = function.text("description", "")
    parameters = function.take("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise wrong(function.path("parameters"), "is no object")
    function.only("strict", False, why=_FREE_TEXT)
    function.end()
    return ToolDeclaration(name, description, parameters or {})


def _refuse(fields: Fields) -> None:
    """Everything else: what changes nothing is fine, what would is refused by its name."""
    fields.only("n", 1, why="there is one answer")
    fields.only("response_format", {"type": "text"}, why=_FREE_TEXT)
    fields.only("logprobs", False, why="no probabilities are kept")
    fields.only("frequency_penalty", 0, why="presence_penalty and repetition_penalty are")
    fields.only("logit_bias", {}, why="tokens cannot be weighted")
    fields.only("modalities", ["text"], why="the model writes, and does not speak")
    fields.only("store", False, why="nothing is stored")
    fields.only("metadata", {}, why="nothing is stored")
    fields.only("service_tier", "auto", "default", why="there is one")
    fields.end()
