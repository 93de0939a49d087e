"""What is left out of a prompt because the model lacks the sense: the sound of videos.

A question may be sent before its model is loaded; only here it is known what that can do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.generation import Media

if TYPE_CHECKING:
    from gemma_tui.generation import GenerationRequest, ModelInfo, PromptMessage
    from gemma_tui.runtime.jobs import Job


def without_unheard(request: GenerationRequest, job: Job, model: ModelInfo) -> GenerationRequest:
    """A request without sounds that may be left out, for a model that cannot hear.

    Args:
        request: As it was asked.
        job: Has features for all of its media; those of what is left out are dropped.
        model: The loaded one.
    """
    if model.can_hear or not any(map(_is_left_out, request.media)):
        return request
    job.features = tuple(
        features
        for media, features in zip(request.media, job.features, strict=True)
        if not _is_left_out(media)
    )
    return replace(request, messages=tuple(map(_without_sounds, request.messages)))


def _without_sounds(message: PromptMessage) -> PromptMessage:
    return replace(message, parts=tuple(part for part in message.parts if not _is_left_out(part)))


def _is_left_out(part: object) -> bool:
    return isinstance(part, Media) and part.is_optional and part.kind == "audio"
