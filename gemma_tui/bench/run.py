"""One benchmark: loads a model into an engine process, asks it, and takes the time.

Everything goes the way of a conversation, through the pipe. Nothing that is asked was asked before,
so no snapshot and no soft tokens are taken up but where that is measured.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.bench.result import (
    BenchmarkOrder,
    BenchmarkProgress,
    ContextSpeed,
    MediaSpeed,
    ModelBenchmark,
    describe_device,
)
from gemma_tui.bench.sample_media import write_clip, write_picture
from gemma_tui.conversation import TextPart, Usage
from gemma_tui.errors import EngineError
from gemma_tui.generation import (
    Finished,
    GenerationRequest,
    PromptMessage,
    TextDelta,
    ThoughtDelta,
)
from gemma_tui.options import GenerationOptions, SamplingOptions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gemma_tui.engine.bandwidth_request import Bandwidth
    from gemma_tui.engine.client import EngineClient
    from gemma_tui.engine.interface import ComputeDevice
    from gemma_tui.generation import Media, ModelInfo

SHORT_PROMPT: Final = 512
"""Tokens of the question whose first token is waited for."""

LEAST_TOKENS: Final = 8
"""Written at least, else a speed would say nothing."""

_ATTEMPTS: Final = 4
"""How often a model that ends its reply at once is asked."""

_WORDS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_HOT: Final = SamplingOptions(temperature=2.0, top_k=0, top_p=1.0)
"""Tokens are drawn almost at random, so that a reply does not end when it has said something."""


async def benchmark(
    engine: EngineClient, folder: Path, order: BenchmarkOrder, scratch: Path
) -> AsyncGenerator[BenchmarkProgress | ModelBenchmark, None]:
    """Measure one model, ending with its `ModelBenchmark`. It stays loaded.

    Args:
        engine: Without a cache on disk, and with nothing else to do.
        folder: The model.
        order: What to measure.
        scratch: A folder for the files that are encoded.

    Raises:
        ModelError: The folder cannot be loaded.
        EngineError: The engine failed.
    """
    yield BenchmarkProgress("loading")
    started = time.perf_counter()
    model = await engine.load(folder)
    load_seconds = time.perf_counter() - started
    yield BenchmarkProgress("the memory's bandwidth")
    bandwidth = await engine.measure_bandwidth()
    run = _Run(engine, model, order)
    yield BenchmarkProgress("the first token, cold and warm")
    await run.first_tokens()
    for tokens in run.contexts:
        yield BenchmarkProgress(f"a prompt of {tokens:,} tokens")
        await run.speed_at(tokens)
    for kind, can, write in (
        ("picture", model.can_see, write_picture),
        ("clip", model.can_hear, write_clip),
    ):
        if can:
            yield BenchmarkProgress(f"a {kind}")
            await run.encoding(write(scratch))
    yield run.result(load_seconds, bandwidth, (await engine.status()).device)


def held_contexts(order: BenchmarkOrder, context_length: int) -> tuple[int, ...]:
    """The prompts of an order that a model holds, the shortest first; if none, its longest.

    Args:
        order: What is to be measured.
        context_length: Most tokens of prompt and reply together.
    """
    room = max(1, context_length - order.decode_tokens - SHORT_PROMPT // 2)
    return tuple(sorted({tokens for tokens in order.contexts if tokens <= room})) or (room,)


class _Run:
    """Asks one model."""

    def __init__(self, engine: EngineClient, model: ModelInfo, order: BenchmarkOrder) -> None:
        self._engine = engine
        self._order = order
        self.contexts = held_contexts(order, model.context_length)
        self._model = model
        self._short = min(SHORT_PROMPT, model.context_length // 2)
        self._cold = self._warm = 0.0
        self._speeds: list[ContextSpeed] = []
        self._media: dict[str, MediaSpeed] = {}
        self._peak = 0

    def result(
        self, load_seconds: float, bandwidth: Bandwidth, device: ComputeDevice | None
    ) -> ModelBenchmark:
        """Everything that was measured."""
        name, has_gpu = describe_device(device)
        return ModelBenchmark(
            model=self._model.name,
            weight_bytes=self._model.weight_bytes,
            measured_at=time.time(),
            device=name,
            has_gpu=has_gpu,
            load_seconds=load_seconds,
            first_token_cold_seconds=self._cold,
            first_token_warm_seconds=self._warm,
            contexts=tuple(self._speeds),
            picture=self._media.get("image"),
            clip=self._media.get("audio"),
            peak_memory_bytes=self._peak,
            bandwidth=bandwidth.bytes_per_second,
            step_bytes=bandwidth.step_bytes,
        )

    async def first_tokens(self) -> None:
        """Seconds to the first token of a new conversation, and of the next question in it."""
        question = await self._text(self._short)
        self._cold, said, _ = await self._ask(_request(question, tokens=LEAST_TOKENS))
        messages = (
            *_request(question).messages,
            PromptMessage("model", (TextPart(said or "Yes."),)),
        )
        following = PromptMessage("user", (TextPart("And then?"),))
        request = replace(_request("", tokens=LEAST_TOKENS), messages=(*messages, following))
        self._warm, _, _ = await self._ask(request)

    async def speed_at(self, tokens: int) -> None:
        """Read a prompt of so many tokens that is new, and write behind it."""
        request = _request(await self._text(tokens), tokens=self._order.decode_tokens)
        usage = (await self._ask(request))[2]
        read = usage.prompt_tokens - usage.cached_tokens
        written, seconds = usage.generated_tokens, usage.decode_seconds
        for _ in range(_ATTEMPTS):
            if written >= LEAST_TOKENS:
                break
            again = (await self._ask(request))[2]  # the prompt is known now
            written, seconds = written + again.generated_tokens, seconds + again.decode_seconds
        reading = read / max(usage.prefill_seconds, 1e-9)
        writing = written / seconds if written >= LEAST_TOKENS else 0.0
        self._speeds.append(ContextSpeed(usage.prompt_tokens, reading, writing))

    async def encoding(self, media: Media) -> None:
        """A prompt with a medium, less the same prompt when its soft tokens are known already."""
        request = _request(_nonce(), media)
        size = await self._engine.count(request)
        new = (await self._ask(request))[2]
        known = (await self._ask(_request(_nonce(), media)))[2]
        seconds = max(0.0, new.prefill_seconds - known.prefill_seconds)
        self._media[media.kind] = MediaSpeed(size.media_tokens, seconds)

    async def _ask(self, request: GenerationRequest) -> tuple[float, str, Usage]:
        """Seconds to the first token, the text, and what it cost."""
        started, first, said = time.perf_counter(), 0.0, []
        async for event in self._engine.generate(request):
            match event:
                case TextDelta(text=text) | ThoughtDelta(text=text):
                    first = first or time.perf_counter() - started
                    said.append(text)
                case Finished(usage=usage):
                    self._peak = max(self._peak, usage.peak_memory_bytes)
                    return first or time.perf_counter() - started, "".join(said), usage
        raise EngineError("The engine ended a reply without saying so.")

    async def _text(self, tokens: int) -> str:
        """A text that nobody has read, with which a prompt takes about so many tokens."""
        nonce, words = _nonce(), max(1, tokens // 2)
        bare = (await self._engine.count(_request(nonce))).tokens
        for _ in range(2):
            size = await self._engine.count(_request(_text(nonce, words)))
            each = max(1, size.tokens - bare) / words
            words = max(1, round((tokens - bare) / each))
        return _text(nonce, words)


def _text(nonce: str, words: int) -> str:
    """A text of so many words behind what tells it from all others."""
    return " ".join((nonce, *(_WORDS * (words // len(_WORDS) + 1))[:words]))


def _nonce() -> str:
    return uuid.uuid4().hex


def _request(text: str, media: Media | None = None, *, tokens: int = 1) -> GenerationRequest:
    """A question, its text in front, so that nothing of its prompt was read before."""
    parts = (TextPart(text), media) if media else (TextPart(text),)
    options = GenerationOptions(sampling=_HOT, max_tokens=tokens, stops_loops=False)
    return GenerationRequest((PromptMessage("user", parts),), options=options)
