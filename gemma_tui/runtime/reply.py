"""One reply, from the features of its media to its last token.

Knows the order of things and what a reply costs; the networks, the prompt's format, sampling and
the two loops are each their own module. Runs on the MLX thread.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx

from gemma_tui.conversation import Usage
from gemma_tui.errors import CapabilityError, ContextOverflowError, UsageError
from gemma_tui.generation import Finished, FinishReason, MediaProgress, PrefillProgress
from gemma_tui.runtime.gemma4.merge import SoftTokens, join_soft_tokens
from gemma_tui.runtime.generate import decode, prefill
from gemma_tui.runtime.prompt import Prompt
from gemma_tui.runtime.replay import Replay, answer_text, with_reply
from gemma_tui.runtime.reply_parser import ReplyParser
from gemma_tui.runtime.sampler import check_sampling, make_sampler
from gemma_tui.runtime.tokenizer import Control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.generation import GenerationRequest, ModelInfo
    from gemma_tui.runtime.encoder import MediaEncoder
    from gemma_tui.runtime.features import Features
    from gemma_tui.runtime.jobs import Job
    from gemma_tui.runtime.loader import LoadedModel
    from gemma_tui.runtime.prompt import PromptRenderer
    from gemma_tui.runtime.prompt_cache import PromptCache
    from gemma_tui.runtime.tokenizer import Tokenizer

_MEDIA_MARKERS: Final = (
    *(Control.IMAGE_START, Control.IMAGE, Control.IMAGE_END),
    *(Control.AUDIO_START, Control.AUDIO, Control.AUDIO_END),
)
"""Tokens that a model reads and never writes, whatever its checkpoint says about them."""


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory, with everything that belongs to it."""

    loaded: LoadedModel
    tokenizer: Tokenizer
    renderer: PromptRenderer
    prompt_cache: PromptCache
    encoder: MediaEncoder

    def forget(self) -> None:
        """Drop every remembered state."""
        self.prompt_cache.clear()
        self.encoder.clear()


class _CancelledError(Exception):
    """The reply is not wanted any more, and nothing of it has been written."""


class Reply:
    """Writes one reply.

    Args:
        resident: The model.
        request: The conversation.
        job: Where its features come from and its events go to.
    """

    def __init__(self, resident: Resident, request: GenerationRequest, job: Job) -> None:
        self._resident = resident
        self._request = request
        self._job = job
        self._model = resident.loaded.model
        self._context = resident.loaded.info.context_length
        self._prompt_tokens = 0
        self._cached = 0
        self.replay: Replay | None = None
        """What is left to do when the reply is finished."""

    def write(self) -> Finished:
        """Emit everything but the last event, and return that.

        Raises:
            GemmaError: The reply cannot be written.
        """
        check_request(self._request, self._resident.loaded.info)
        mx.reset_peak_memory()
        started = time.perf_counter()
        try:
            prompt = self._render(self._count_soft_tokens())
            cache = self._take_up(prompt)
            self._read(prompt, cache, self._encode(prompt))
        except _CancelledError:
            return Finished("cancelled", self._usage(0, time.perf_counter() - started, 0.0))
        read = time.perf_counter()
        reason, written = self._write_tokens(prompt, cache)
        usage = self._usage(written, read - started, time.perf_counter() - read)
        return Finished(reason, usage)

    def _count_soft_tokens(self) -> list[int]:
        """How many soft tokens each medium takes: remembered, or told by its features."""
        media = self._request.media
        counts: list[int] = []
        for place, item in enumerate(media):
            count = self._resident.encoder.count(item.kind, item.sha256, item.token_budget)
            counts.append(self._features(place).token_count if count is None else count)
            self._job.emit(MediaProgress(len(counts), len(media)))
        return counts

    def _features(self, place: int) -> Features:
        """Wait for what the media threads make of the n-th medium."""
        future = self._job.features[place].future()
        awaited: tuple[Future[Any], ...] = (future, self._job.cancelled)
        wait(awaited, return_when=FIRST_COMPLETED)
        self._stop_if_cancelled()
        return future.result()

    def _render(self, counts: list[int]) -> Prompt:
        prompt = self._resident.renderer.render(self._request, counts)
        self._prompt_tokens = len(prompt.ids)
        if self._prompt_tokens >= self._context:
            raise ContextOverflowError(
                f"The conversation takes {self._prompt_tokens:,} tokens, and the context of "
                f"{self._resident.loaded.info.name} holds {self._context:,}.",
                "Start a new conversation, or remove something from this one.",
            )
        return prompt

    def _take_up(self, prompt: Prompt) -> list[Any]:
        """Caches that have seen as much of the prompt as any remembered state has."""
        cache, self._cached = self._resident.prompt_cache.take_up(prompt)
        return cache

    def _encode(self, prompt: Prompt) -> SoftTokens | None:
        """Soft tokens of the media that the caches have not seen: remembered, or from a tower."""
        encoder = self._resident.encoder
        encoded: list[tuple[int, mx.array]] = []
        for place, span in enumerate(prompt.spans):
            if span.start < self._cached:
                continue
            self._stop_if_cancelled()
            soft = encoder.recall(span)
            if soft is None:
                soft = encoder.encode(span, self._features(place))
            encoded.append((span.start, soft))
        return join_soft_tokens(encoded)

    def _read(self, prompt: Prompt, cache: list[Any], soft: SoftTokens | None) -> None:
        """Prefill all but the last token; keep the state at the end of each turn on the way."""
        done = self._cached
        self._show_progress(done)
        for stop in prefill(
            self._model, prompt.ids, start=done, stop=len(prompt.ids) - 1, cache=cache, soft=soft
        ):
            for end in prompt.turn_ends:
                if done < end <= stop:
                    self._resident.prompt_cache.keep(prompt, end, cache)
            done = stop
            self._show_progress(done)

    def _show_progress(self, done: int) -> None:
        self._stop_if_cancelled()
        self._job.emit(PrefillProgress(done, self._prompt_tokens, self._cached))

    def _write_tokens(self, prompt: Prompt, cache: list[Any]) -> tuple[FinishReason, int]:
        """Decode until the model, a limit or the user ends it; keep the state for the next turn."""
        options, tokenizer = self._request.options, self._resident.tokenizer
        markers = {tokenizer.id_of(marker) for marker in _MEDIA_MARKERS}
        suppressed = markers.union(self._resident.loaded.suppressed_ids)
        sampler = make_sampler(options.sampling, suppressed=suppressed)
        parser = ReplyParser(tokenizer)
        limit = min(options.max_tokens, self._context - len(prompt.ids))
        tokens = decode(self._model, prompt.ids[-1], cache=cache, sampler=sampler)
        written: list[int] = []
        reason: FinishReason = "length"
        while len(written) < limit:
            if self._job.is_cancelled():
                reason = "cancelled"
                break
            token = next(tokens)
            written.append(token)
            if token in self._resident.loaded.stop_ids:
                reason = "stop"
                break
            for delta in parser.add(token):
                self._job.emit(delta)
        tokens.close()
        for delta in parser.finish():
            self._job.emit(delta)
        if written:
            self._keep_reply(prompt, written, cache, is_complete=reason == "stop")
        return reason, len(written)

    def _keep_reply(
        self, prompt: Prompt, written: Sequence[int], cache: list[Any], *, is_complete: bool
    ) -> None:
        """Keep the state behind the reply, and plan to read what the next turn repeats of it.

        Args:
            prompt: What the reply answers.
            written: Its tokens, all of which `cache` has seen.
            cache: Of the model.
            is_complete: Nobody will ask for more of it.
        """
        remembered = self._resident.prompt_cache
        drawn = Prompt((*prompt.ids, *written), prompt.spans, prompt.turn_ends)
        length = len(drawn.ids)
        if not is_complete:
            remembered.keep(drawn, length, cache)
        text = answer_text(self._resident.tokenizer, written)
        if not text.strip():  # the next prompt leaves it out
            return
        counts = [span.stop - span.start for span in prompt.spans]
        repeated = self._resident.renderer.render(with_reply(self._request, text), counts)
        superseded = None
        if is_complete and repeated.ids[:length] == drawn.ids:
            superseded = remembered.keep(drawn, length, cache, durably=False)
        self.replay = Replay(self._model, remembered, repeated, superseded)

    def _usage(self, written: int, prefill_seconds: float, decode_seconds: float) -> Usage:
        return Usage(
            prompt_tokens=self._prompt_tokens,
            cached_tokens=self._cached,
            generated_tokens=written,
            prefill_seconds=prefill_seconds,
            decode_seconds=decode_seconds,
            peak_memory_bytes=mx.get_peak_memory(),
        )

    def _stop_if_cancelled(self) -> None:
        if self._job.is_cancelled():
            raise _CancelledError


def check_request(request: GenerationRequest, model: ModelInfo) -> None:
    """Refuse at once what can never be answered.

    Raises:
        CapabilityError: The model cannot see, or cannot hear, what the prompt contains.
        UsageError: There is nothing to answer, or an option is outside its range.
    """
    if not request.messages:
        raise UsageError("There is no message to answer.", "Write one first.")
    check_sampling(request.options.sampling)
    if request.options.max_tokens < 1:
        raise UsageError("A reply needs room for one token at least.", "Raise the limit.")
    for media in request.media:
        if media.kind == "image" and not model.can_see:
            raise CapabilityError(
                f"{model.name} cannot see, and the conversation contains {media.name}.",
                "Choose a model that sees, or remove the picture.",
            )
        if media.kind == "audio" and not model.can_hear:
            raise CapabilityError(
                f"{model.name} cannot hear, and the conversation contains {media.name}.",
                "Choose a model that hears, or remove the clip.",
            )
