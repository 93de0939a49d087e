"""The chunks of a streamed chat completion, to the events of a reply.

Knows JSON and events, no network. Servers differ in where they put what: a thought comes as
`reasoning_content` (vLLM, llama.cpp), `reasoning` (Ollama, mlx-lm, newer vLLM) or as marks in the
text; usage in a chunk of its own or in the last one; an error as a chunk with `error`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.conversation import Usage
from gemma_tui.engine.remote_errors import error_in
from gemma_tui.engine.sse import Comment
from gemma_tui.engine.thought_markup import ThoughtMarkup
from gemma_tui.errors import BrokenReplyError
from gemma_tui.generation import Finished, PrefillProgress, TextDelta, ThoughtDelta
from gemma_tui.tool_call import MalformedToolCall, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.generation import FinishReason, GenerationEvent

MAX_CALLS: Final = 128
"""Tool calls of one reply."""

MAX_CALL_CHARACTERS: Final = 1024 * 1024
"""Of the arguments of one tool call."""

PROGRESS: Final = re.compile(
    r"(?:keepalive (\d{1,9})/(\d{1,9})|reading the prompt, (\d{1,9}) of (\d{1,9}) tokens)"
)
"""How mlx-lm's server and `gemma-tui serve` say in comments how far the prompt is read."""

DONE: Final = "[DONE]"
"""The data of the last event."""


@dataclass(slots=True)
class _Call:
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    length: int = 0


class RemoteReply:
    """One reply, chunk by chunk.

    Args:
        server: Its name, for the sentences.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._markup = ThoughtMarkup()
        self._calls: dict[int, _Call] = {}
        self._reason = ""
        self._usage: dict[str, Any] = {}
        self._deltas = 0
        self._thought_begun = False
        self.is_done = False
        """Whether the server said that nothing follows."""

    @property
    def is_complete(self) -> bool:
        """Whether the server said how the reply ended."""
        return self.is_done or bool(self._reason)

    def add(self, data: str | Comment) -> Iterable[GenerationEvent]:
        """What the data of one event adds, or a comment tells.

        Raises:
            BrokenReplyError: It is no chunk of a chat completion.
            RefusedByServerError: It says what went wrong on the server.
        """
        if isinstance(data, Comment):
            return _progress(data)
        if data.strip() == DONE:
            self.is_done = True
            return []
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            chunk = None
        if not isinstance(chunk, dict):
            raise BrokenReplyError(
                f"{self._server} sent something in its reply that nobody understands.",
                "Is that address one of a chat completion API?",
            )
        if chunk.get("error"):
            raise error_in(self._server, chunk["error"])
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        return self._choose(choice) if isinstance(choice, dict) else []

    def finish(self) -> list[GenerationEvent]:
        """What is left when no chunk follows: the rest of the text, and the calls."""
        calls = [_to_call(call) for _, call in sorted(self._calls.items())]
        self._calls.clear()
        return [*self._markup.finish(), *calls]

    def finished(self, *, is_cancelled: bool, prefill: float, decode: float) -> Finished:
        """The end of the reply.

        Args:
            is_cancelled: The user ended it.
            prefill: Seconds until the first piece of it.
            decode: Seconds from there to its end.
        """
        details = self._usage.get("prompt_tokens_details")
        usage = Usage(
            prompt_tokens=_count(self._usage, "prompt_tokens"),
            cached_tokens=_count(details, "cached_tokens"),
            generated_tokens=_count(self._usage, "completion_tokens") or self._deltas,
            prefill_seconds=prefill,
            decode_seconds=decode,
        )
        reason: FinishReason = "length" if self._reason == "length" else "stop"
        return Finished("cancelled" if is_cancelled else reason, usage)

    def _choose(self, choice: dict[str, Any]) -> Iterable[GenerationEvent]:
        if isinstance(choice.get("finish_reason"), str):
            self._reason = choice["finish_reason"]
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, dict):
            return []
        for item in _list(delta.get("tool_calls")):
            self._add_call(item)
        found: list[GenerationEvent] = []
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str) and thought:
            thought = thought if self._thought_begun else thought.lstrip()
            self._thought_begun = self._thought_begun or bool(thought)
            found += [ThoughtDelta(thought)] if thought else []
        text = delta.get("content")
        if isinstance(text, str) and text:
            found += self._markup.add(text)
        self._deltas += bool(thought) or bool(text)
        return [self._counted(event) for event in found]

    def _counted(self, event: GenerationEvent) -> GenerationEvent:
        """Servers send a token a chunk, or a few: their number is the best there is."""
        return TextDelta(event.text, self._deltas) if isinstance(event, TextDelta) else event

    def _add_call(self, item: dict[str, Any]) -> None:
        index = item.get("index")
        place = index if isinstance(index, int) else len(self._calls)
        call = self._calls.setdefault(place, _Call())
        function = item.get("function")
        if isinstance(function, dict):
            name, arguments = function.get("name"), function.get("arguments")
            call.name = name if isinstance(name, str) and name else call.name
            if isinstance(arguments, dict):  # some send the object itself
                arguments = json.dumps(arguments)
            if isinstance(arguments, str):
                call.arguments.append(arguments)
                call.length += len(arguments)
        if len(self._calls) > MAX_CALLS or call.length > MAX_CALL_CHARACTERS:
            raise BrokenReplyError(f"{self._server} sent more tool calls than any reply has.")


def _progress(comment: Comment) -> list[GenerationEvent]:
    found = PROGRESS.fullmatch(comment.text)
    if found is None:
        return []
    done, total = (int(number) for number in found.groups() if number is not None)
    return [PrefillProgress(min(done, total), total)] if total else []


def _to_call(call: _Call) -> ToolCall | MalformedToolCall:
    text = "".join(call.arguments)
    try:
        arguments = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        arguments = None
    if call.name and isinstance(arguments, dict):
        return ToolCall(call.name, arguments)
    problem = "its arguments are no JSON object" if call.name else "it names no tool"
    return MalformedToolCall(f"{call.name}{text}", f"The tool call cannot be used: {problem}.")


def _list(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _count(table: object, key: str) -> int:
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
