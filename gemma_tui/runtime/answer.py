"""The tokens of one reply, from the first to whatever ends it, as events.

Knows what ends a reply: the model, a limit, a stop string, a loop, the user. How tokens are drawn
and how text is made of them is the business of other modules. Runs on the MLX thread.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.conversation import TextPart
from gemma_tui.generation import Resumed, TextDelta, ThoughtDelta
from gemma_tui.runtime.generate import TokenStream
from gemma_tui.runtime.repetition import LoopDetector
from gemma_tui.runtime.reply_ids import to_parts
from gemma_tui.runtime.reply_parser import ReplyParser
from gemma_tui.runtime.sampler import Sampler
from gemma_tui.runtime.stop_strings import StopStrings
from gemma_tui.runtime.tokenizer import Control
from gemma_tui.tool_call import MalformedToolCall, ToolCall

if TYPE_CHECKING:
    from gemma_tui.generation import FinishReason
    from gemma_tui.options import GenerationOptions
    from gemma_tui.runtime.jobs import Job
    from gemma_tui.runtime.loader import LoadedModel
    from gemma_tui.runtime.prompt import Prompt
    from gemma_tui.runtime.reply_parser import Delta, Words
    from gemma_tui.runtime.tokenizer import Tokenizer

_MEDIA_MARKERS: Final = (
    *(Control.IMAGE_START, Control.IMAGE, Control.IMAGE_END),
    *(Control.AUDIO_START, Control.AUDIO, Control.AUDIO_END),
)
"""Tokens that a model reads and never writes, whatever its checkpoint says about them."""


class Answer:
    """Writes the tokens of one reply.

    Args:
        loaded: The model.
        tokenizer: Its vocabulary.
        options: What ends the reply, and how tokens are drawn.
        reply_ids: The reply so far, which the prompt ends with.
        in_thought: The prompt has opened a thought that the reply goes on with.
        has_tools: The prompt declares tools that may be called.
        job: Where events go to.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        tokenizer: Tokenizer,
        options: GenerationOptions,
        *,
        reply_ids: tuple[int, ...],
        in_thought: bool,
        has_tools: bool,
        job: Job,
    ) -> None:
        self._loaded = loaded
        self._tokenizer = tokenizer
        self._options = options
        self._reply_ids = reply_ids
        self._job = job
        self._parser = ReplyParser(tokenizer, in_thought=in_thought, has_tools=has_tools)
        self._stops = StopStrings(options.stop)
        self._loop = LoopDetector()
        self._closing = (
            *tokenizer.encode_text("\n"),
            tokenizer.id_of(Control.CHANNEL_END),
        )
        """What ends a thought that has become too long, as the chat templates write it."""
        self._unsent: list[int] = []
        self.written: list[int] = []
        """The tokens so far, without those of the reply so far."""
        self.seen = 0
        """How many of them the caches have seen."""
        self.text = ""
        """The answer as the conversation stores it, the reply so far included."""

        self.has_calls = False
        """Whether it calls a tool, or tries to."""

    @property
    def unsent(self) -> tuple[int, ...]:
        """Tokens that no delta has carried."""
        return tuple(self._unsent)

    def write(self, prompt: Prompt, cache: list[Any]) -> FinishReason:
        """Decode until something ends the reply; emits everything that is to be shown.

        Args:
            prompt: All but its last token is what `cache` has seen.
            cache: Of the model.
        """
        self._resume()
        sampler = self._make_sampler(prompt)
        if self._has_thought_enough:
            sampler.suppress(self._tokenizer.id_of(Control.CHANNEL_START))
        tokens = TokenStream(self._loaded.model, prompt.ids[-1], cache=cache, sampler=sampler)
        room = self._loaded.info.context_length - len(prompt.ids)
        limit = min(self._options.max_tokens, room)
        reason: FinishReason | None = None
        while reason is None:
            self._steer(tokens, sampler)
            if self._job.is_cancelled():
                reason = "cancelled"
            elif len(self.written) == limit - 1:
                reason = "length"
            else:
                reason = self._take(next(tokens))
        self.seen = len(self.written)
        if reason != "stop":
            # One more is known already, and with it the reply can go on from these caches.
            self._steer(tokens, sampler)
            if self._take(tokens.last()) == "stop":
                reason = "stop"
        self._finish()
        return reason

    def _make_sampler(self, prompt: Prompt) -> Sampler:
        markers = {self._tokenizer.id_of(marker) for marker in _MEDIA_MARKERS}
        begin = len(prompt.ids) - len(self._reply_ids)
        return Sampler(
            self._options.sampling.filled(self._loaded.info.sampling),
            suppressed=markers.union(self._loaded.suppressed_ids),
            prompt=prompt.ids[:begin],
            written=self._reply_ids,
        )

    def _resume(self) -> None:
        """Bring everything to where the reply so far ends, and say what it says."""
        if not self._reply_ids:
            return
        parts = to_parts([d for token in self._reply_ids for d in self._parser.add(token)])
        if parts and isinstance(parts[-1], TextPart):
            # The begin of a stop string may have been shown when the reply was cut off.
            shown = TextPart(self._stops.resume(parts[-1].text))
            parts = (*parts[:-1], *((shown,) if shown.text else ()))
        self.text = "".join(part.text for part in parts if isinstance(part, TextPart))
        self._job.emit(Resumed(parts, self._reply_ids))

    def _steer(self, tokens: TokenStream, sampler: Sampler) -> None:
        """Have a thought end that has become too long, and no other one begin."""
        most = self._options.max_thought_tokens
        if most is None or not self._has_thought_enough:
            return
        if self._parser.is_thinking:
            place = min(self._parser.thought_tokens - most, len(self._closing) - 1)
            tokens.force(self._closing[place])
        sampler.suppress(self._tokenizer.id_of(Control.CHANNEL_START))

    def _take(self, token: int) -> FinishReason | None:
        """Take in a token and show what it completes; why the reply ends with it, if it does."""
        self.written.append(token)
        if token in self._loaded.stop_ids:
            return "stop"
        self._unsent.append(token)
        for delta in self._parser.add(token):
            self._show(delta)
        if self._stops.is_found:
            return "stop"
        if self._options.stops_loops and self._loop.add(token):
            return "repetition"
        return None

    def _show(self, delta: Delta) -> None:
        match delta:
            case ThoughtDelta():
                # A stop string does not begin before a thought and end behind it.
                self._emit(TextDelta(self._stops.finish(), self._token_count))
                self._emit(delta)
            case TextDelta(text=text):
                self._emit(replace(delta, text=self._stops.add(text)))
            case ToolCall() | MalformedToolCall():
                self.has_calls = True
                self._emit(TextDelta(self._stops.finish(), self._token_count))
                self._job.emit(delta)

    def _emit(self, delta: Words) -> None:
        if delta.text:
            self.text += delta.text if isinstance(delta, TextDelta) else ""
            self._job.emit(replace(delta, token_ids=self.unsent))
            self._unsent.clear()

    def _finish(self) -> None:
        """Show what was held back: nothing follows."""
        for delta in self._parser.finish():
            self._show(delta)
        self._emit(TextDelta(self._stops.finish(), self._token_count))

    @property
    def _has_thought_enough(self) -> bool:
        most = self._options.max_thought_tokens
        return most is not None and self._parser.thought_tokens >= most

    @property
    def _token_count(self) -> int:
        return len(self._reply_ids) + len(self.written)
