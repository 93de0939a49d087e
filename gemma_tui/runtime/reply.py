"""One reply, from the features of its media to its last token.

Knows the order of things and what a reply costs; the networks, the prompt's format, sampling and
the two loops are each their own module. Runs on the MLX thread.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mlx.core as mx

from gemma_tui.chunk_size import chunk_size
from gemma_tui.conversation import Usage
from gemma_tui.errors import CapabilityError, UsageError
from gemma_tui.generation import Finished
from gemma_tui.memory_plan import token_bytes
from gemma_tui.runtime.answer import Answer
from gemma_tui.runtime.fitting import Fitted, Fitting
from gemma_tui.runtime.free_memory import free_memory
from gemma_tui.runtime.gemma4.shape import shape_of
from gemma_tui.runtime.generate import prefill
from gemma_tui.runtime.loader import this_machine
from gemma_tui.runtime.prefill_progress import PrefillTimer
from gemma_tui.runtime.prompt import Prompt
from gemma_tui.runtime.prompt_media import PromptMedia
from gemma_tui.runtime.replay import STEP_TOKENS, Replay, with_reply
from gemma_tui.runtime.reply_ids import open_ids
from gemma_tui.runtime.sampler import check_sampling
from gemma_tui.runtime.unheard import without_unheard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.generation import GenerationRequest, ModelInfo
    from gemma_tui.options import GenerationOptions
    from gemma_tui.runtime.encoder import MediaEncoder
    from gemma_tui.runtime.gemma4.merge import SoftTokens
    from gemma_tui.runtime.jobs import Job
    from gemma_tui.runtime.loader import LoadedModel
    from gemma_tui.runtime.prompt import PromptRenderer
    from gemma_tui.runtime.prompt_cache import PromptCache
    from gemma_tui.runtime.tokenizer import Tokenizer


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


@dataclass(frozen=True, slots=True)
class Written:
    """What a written reply leaves: the caches have seen what it answers and most of itself."""

    fitted: Fitted
    seen: Sequence[int]
    """Tokens of the reply, as far as `cache` has seen them."""
    text: str
    """What the conversation repeats of it."""
    cache: list[Any]
    is_complete: bool
    """Nobody will ask for more of it."""


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
        self._request = without_unheard(request, job, resident.loaded.info)
        self._job = job
        self._model = resident.loaded.model
        self._reply_ids: tuple[int, ...] = ()
        self._prompt_tokens = 0
        self._cached = 0
        self.written: Written | None = None
        """Set once something of it is written."""

    def write(self) -> Finished:
        """Emit everything but the last event, and return that.

        Raises:
            GemmaError: The reply cannot be written.
        """
        check_request(self._request, self._resident.loaded.info)
        mx.reset_peak_memory()
        started = time.perf_counter()
        try:
            media = self._media()
            fitted = self._fit(media.soft_token_counts())
            prompt = fitted.prompt
            cache = self._take_up(prompt)
            self._read(prompt, cache, media.encode(prompt, self._cached))
        except _CancelledError:
            return Finished("cancelled", self._usage(0, time.perf_counter() - started, 0.0))
        read = time.perf_counter()
        resident, options = self._resident, self._request.options
        answer = Answer(
            resident.loaded,
            resident.tokenizer,
            options,
            reply_ids=self._reply_ids,
            in_thought=prompt.opens_thought,
            has_tools=bool(self._request.tools),
            job=self._job,
        )
        reason = answer.write(prompt, cache)
        usage = self._usage(len(answer.written), read - started, time.perf_counter() - read)
        if answer.seen:
            # A call is repeated as it is, with its result behind it.
            text, is_complete = ("", False) if answer.has_calls else (answer.text, reason == "stop")
            self.written = Written(fitted, answer.written[: answer.seen], text, cache, is_complete)
        return Finished(reason, usage, answer.unsent)

    def _media(self) -> PromptMedia:
        return PromptMedia(
            self._request.media,
            model=self._model,
            encoder=self._resident.encoder,
            job=self._job,
            stop_if_cancelled=self._stop_if_cancelled,
        )

    def _fit(self, counts: list[int]) -> Fitted:
        """The prompt that fits, with the reply so far behind it."""
        resident, so_far = self._resident, self._request.reply
        if so_far:
            has_tools = bool(self._request.tools)
            self._reply_ids = open_ids(so_far, resident.tokenizer, has_tools=has_tools)
        fitted = Fitting(
            self._request,
            counts,
            renderer=resident.renderer,
            model=resident.loaded.info,
            reply_ids=self._reply_ids,
        ).fit()
        if fitted.left_out:
            self._job.emit(fitted.left_out)
        self._prompt_tokens = len(fitted.prompt.ids)
        return fitted

    def _take_up(self, prompt: Prompt) -> list[Any]:
        """Caches that have seen as much of the prompt as any remembered state has."""
        cache, self._cached = self._resident.prompt_cache.take_up(prompt)
        return cache

    def _read(self, prompt: Prompt, cache: list[Any], soft: SoftTokens | None) -> None:
        """Prefill all but the last token; keep the state at the end of each turn on the way."""
        done = self._cached
        progress = PrefillTimer(len(prompt.ids), done)
        self._show_progress(progress, done)
        for stop in prefill(
            self._model,
            prompt.ids,
            start=done,
            stop=len(prompt.ids) - 1,
            cache=cache,
            soft=soft,
            chunk_tokens=self._chunk_tokens(),
        ):
            for end in prompt.turn_ends:
                if done < end <= stop and not self._request.is_aside:
                    self._resident.prompt_cache.keep(prompt, end, cache)
            done = stop
            self._show_progress(progress, done)

    def _chunk_tokens(self) -> int:
        if self._request.is_aside:
            return STEP_TOKENS
        loaded = self._resident.loaded
        cost = token_bytes(shape_of(loaded.config), self._prompt_tokens, this_machine())
        return chunk_size(free_bytes=free_memory() - mx.get_active_memory(), token_bytes=cost)

    def _show_progress(self, progress: PrefillTimer, done: int) -> None:
        self._stop_if_cancelled()
        self._job.emit(progress.at(done))

    def keep(self) -> Replay | None:
        """Remember the state behind the reply; returns what is left to read for the next turn.

        Apart from `write`, so that nobody waits for it who waits for the reply.
        """
        written = self.written
        if written is None or self._request.is_aside:
            return None
        cache, prompt = written.cache, written.fitted.prompt
        remembered = self._resident.prompt_cache
        drawn = Prompt((*prompt.ids, *written.seen), prompt.spans, prompt.turn_ends)
        length = len(drawn.ids)
        if not written.is_complete:
            remembered.keep(drawn, length, cache)
        if not written.text.strip():  # the next prompt leaves it out
            return None
        counts = [span.stop - span.start for span in prompt.spans]
        repeated = with_reply(written.fitted.request, written.text)
        coming = self._resident.renderer.render(repeated, counts)
        superseded = None
        if written.is_complete and coming.ids[:length] == drawn.ids:
            superseded = remembered.keep(drawn, length, cache, durably=False)
        return Replay(self._model, remembered, coming, superseded)

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
    check_options(request.options)
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


def check_options(options: GenerationOptions) -> None:
    """Refuse what no reply can be written with.

    Raises:
        UsageError: An option is outside its range.
    """
    check_sampling(options.sampling)
    if options.max_tokens < 1:
        raise UsageError("A reply needs room for one token at least.", "Raise the limit.")
    if options.max_thought_tokens is not None and options.max_thought_tokens < 1:
        raise UsageError("A thought needs room for one token at least.", "Turn thinking off.")
    if "" in options.stop:
        raise UsageError("An empty text would end every reply at once.", "Leave it out.")
