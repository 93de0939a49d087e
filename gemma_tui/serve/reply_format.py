"""Replies as OpenAI's chat API writes them: whole, or as the chunks of a stream."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import (
    ApiRequestError,
    AttachmentError,
    BudgetError,
    CapabilityError,
    ContextOverflowError,
    ModelError,
    UsageError,
)
from gemma_tui.generation import Finished, TextDelta, ThoughtDelta
from gemma_tui.tool_call import MalformedToolCall, ToolCall

if TYPE_CHECKING:
    from gemma_tui.conversation import Usage
    from gemma_tui.errors import GemmaError
    from gemma_tui.generation import FinishReason, GenerationEvent
    from gemma_tui.tool_call import JsonObject

_REASONS: Final[dict[FinishReason, str]] = {
    "stop": "stop",
    "length": "length",
    "repetition": "length",  # it was cut off, too; there is no word for why
    "cancelled": "stop",
}

STREAM_END: Final = b"data: [DONE]\n\n"


@dataclass(slots=True)
class Reply:
    """One reply on its way to a client.

    Args:
        model: What the client calls the model.
    """

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))
    text: str = ""
    thought: str = ""
    calls: list[JsonObject] = field(default_factory=list)
    finish_reason: str = ""
    usage: JsonObject = field(default_factory=dict)

    def take(self, event: GenerationEvent) -> JsonObject:
        """Take an event of the engine; returns what it adds, as the `delta` of a chunk.

        A tool call that is broken is text: the client sees what the model wrote.
        """
        match event:
            case TextDelta(text=text) | MalformedToolCall(text=text):
                self.text += text
                return {"content": text} if text else {}
            case ThoughtDelta(text=text):
                self.thought += text
                return {"reasoning_content": text} if text else {}
            case ToolCall():
                self.calls.append(_call(event))
                return {"tool_calls": [{"index": len(self.calls) - 1, **self.calls[-1]}]}
            case Finished(reason=reason, usage=usage):
                self.finish_reason = "tool_calls" if self.calls else _REASONS.get(reason, "stop")
                self.usage = usage_object(usage)
        return {}

    def completion(self) -> JsonObject:
        """The whole reply."""
        message: JsonObject = {"role": "assistant", "content": self.text or None}
        if not self.calls:
            message["content"] = self.text
        if self.thought:
            message["reasoning_content"] = self.thought
        if self.calls:
            message["tool_calls"] = list(self.calls)
        choice: JsonObject = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self.finish_reason,
        }
        return {**self._head("chat.completion"), "choices": [choice], "usage": self.usage}

    def chunk(self, delta: JsonObject) -> bytes:
        """A piece of a stream."""
        choice: JsonObject = {
            "index": 0,
            "delta": delta,
            "logprobs": None,
            "finish_reason": None if delta else self.finish_reason,
        }
        return server_event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def usage_chunk(self) -> bytes:
        """The piece behind the last one that says what the reply cost."""
        head = self._head("chat.completion.chunk")
        return server_event({**head, "choices": [], "usage": self.usage})

    def _head(self, kind: str) -> JsonObject:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def _call(call: ToolCall) -> JsonObject:
    return {
        "id": f"call_{secrets.token_hex(12)}",
        "type": "function",
        "function": {
            "name": call.name,
            "arguments": json.dumps(call.arguments, ensure_ascii=False),
        },
    }


def usage_object(usage: Usage) -> JsonObject:
    """What a reply cost, in tokens."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.generated_tokens,
        "total_tokens": usage.context_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def server_event(content: JsonObject) -> bytes:
    """A line of a stream of server-sent events."""
    return b"data: " + json.dumps(content, ensure_ascii=False).encode() + b"\n\n"


def error_object(error: GemmaError) -> tuple[int, JsonObject]:
    """The HTTP status of an error, and its object."""
    status, code, parameter = 500, "engine_error", ""
    match error:
        case ApiRequestError():
            status, code, parameter = error.status, error.code, error.parameter
        case ContextOverflowError():
            status, code, parameter = 400, "context_length_exceeded", "messages"
        case AttachmentError() | BudgetError() | CapabilityError() | UsageError():
            status, code, parameter = 400, "invalid_value", "messages"
        case ModelError():
            status, code = 503, "model_not_ready"
    kind = "invalid_request_error" if status < 500 else "server_error"
    if status == 429:
        kind = "rate_limit_error"
    content: JsonObject = {
        "message": str(error),
        "type": kind,
        "param": parameter or None,
        "code": code,
    }
    return status, {"error": content}
