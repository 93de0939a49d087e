"""The engine process: whether it starts, what it computes on, whether it answers."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from gemma_tui.byte_size import format_size
from gemma_tui.conversation import TextPart
from gemma_tui.doctor.finding import Finding, State
from gemma_tui.errors import GemmaError
from gemma_tui.generation import Finished, GenerationRequest, PromptMessage, TextDelta
from gemma_tui.options import GenerationOptions, SamplingOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gemma_tui.engine.interface import ComputeDevice, Engine

QUESTION: Final = "Who are you?"
"""The built-in model knows that."""

_MOST_TOKENS: Final = 48

_LEAST_FREE_BYTES: Final = 4 << 30
"""What the smallest full Gemma 4 takes in four bits with a short conversation."""

_LOG: Final = "The engine's log says more; its folder is in docs/privacy.md."


async def engine(engine: Engine, builtin: Path) -> AsyncIterator[Finding]:
    """Load the built-in model and ask it something.

    Args:
        engine: Not started; it is left running.
        builtin: Folder of the built-in model.

    Yields:
        What it runs on, what memory there is, and how it answered; or where that ended.
    """
    started = time.perf_counter()
    try:
        await engine.load(builtin)
        loaded = time.perf_counter() - started
        status = await engine.status()
        if status.device is not None:
            yield _device(status.device)
            yield _memory(status.device)
        yield await _answer(engine, loaded)
    except GemmaError as error:
        yield Finding("engine", State.PROBLEM, error.message, error.hint or _LOG)


def _device(device: ComputeDevice) -> Finding:
    if device.has_gpu:
        return Finding("MLX", State.OK, f"on the GPU of {device.name}")
    return Finding("MLX", State.NOTE, f"on the CPU ({device.name})", "A GPU is many times faster.")


def _memory(device: ComputeDevice) -> Finding:
    sentence = f"{format_size(device.free_bytes)} may be used by a model"
    if device.free_bytes >= _LEAST_FREE_BYTES:
        return Finding("memory", State.OK, sentence)
    advice = "Enough for the built-in model; close other programs before you load a larger one."
    return Finding("memory", State.NOTE, sentence, advice)


async def _answer(engine: Engine, loaded: float) -> Finding:
    options = GenerationOptions(SamplingOptions(temperature=0), max_tokens=_MOST_TOKENS)
    request = GenerationRequest(
        (PromptMessage("user", (TextPart(QUESTION),)),), options=options, is_aside=True
    )
    text, usage = "", None
    async with aclosing(engine.generate(request)) as events:
        async for event in events:
            match event:
                case TextDelta():
                    text += event.text
                case Finished():
                    usage = event.usage
    if not text.strip() or usage is None:
        return Finding("engine", State.PROBLEM, "The built-in model says nothing.", _LOG)
    speed = usage.generated_tokens / max(usage.decode_seconds, 1e-6)
    sentence = f"ready in {loaded:.1f} s; the built-in model answers with {speed:.0f} tokens/s"
    return Finding("engine", State.OK, sentence)
