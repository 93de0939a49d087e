"""What one conversation has set for itself: a model, a system prompt, sampling, budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.paths import builtin_model, expand
from gemma_tui.settings.reading import Layer, read_overrides

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gemma_tui.conversation import Conversation
    from gemma_tui.settings.configuration import Configuration


def own_settings(conversation: Conversation | None) -> Layer:
    """What is set for one conversation only; also the system prompt it was created with."""
    if conversation is None:
        return Layer()
    layer = read_overrides(conversation.settings)
    if not conversation.system_prompt:
        return layer
    values = {"system_prompt": conversation.system_prompt, **layer.values}
    return Layer(values, problems=layer.problems, unknown=layer.unknown)


def system_prompt_of(
    configuration: Configuration,
) -> Callable[[Conversation | None], str]:
    """The system prompt of a conversation, as `Chat` asks for it."""

    def find(conversation: Conversation | None) -> str:
        return configuration.resolve(own_settings(conversation).values).settings.system_prompt

    return find


def folder_of(model: str) -> Path:
    """The folder that the setting `model` stands for."""
    return expand(model) if model else builtin_model()
