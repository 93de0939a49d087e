"""From settings to the options of a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.options import GenerationOptions, SamplingOptions

if TYPE_CHECKING:
    from gemma_tui.settings.schema import Settings


def reply_options(settings: Settings) -> GenerationOptions:
    """How a reply is to be written."""
    sampling = SamplingOptions(
        temperature=settings.temperature,
        top_k=settings.top_k,
        top_p=settings.top_p,
        seed=settings.seed,
        min_p=settings.min_p,
        repetition_penalty=settings.repetition_penalty,
        presence_penalty=settings.presence_penalty,
    )
    return GenerationOptions(
        sampling,
        max_tokens=settings.max_tokens,
        thinking=settings.thinking,
        max_thought_tokens=settings.max_thought_tokens,
        overflow=settings.overflow,
    )
