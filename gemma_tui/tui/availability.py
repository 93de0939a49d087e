"""Why a setting cannot be changed here, or does nothing now, and what holds instead."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gemma_tui.hub.on_disk import real_path
from gemma_tui.settings.configuration import Origin
from gemma_tui.tui.graphics.kitty import shows_placeholders

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.generation import ModelInfo
    from gemma_tui.settings.configuration import Resolved
    from gemma_tui.settings.setting import Setting
    from gemma_tui.tui.preferences import Scope


def why_fixed(setting: Setting, resolved: Resolved, scope: Scope) -> str:
    """Why a setting cannot be changed in this scope; empty if it can.

    Args:
        setting: Which.
        resolved: What holds in the scope.
        scope: For what it would be changed.
    """
    if scope == "conversation" and setting.about.is_global:
        return "It is the same in every conversation."
    if resolved.origins[setting.key] is Origin.ENVIRONMENT and (
        scope == "all" or setting.about.is_global
    ):
        return f"{setting.variable} is set, so it cannot be changed here."
    return ""


def why_idle(setting: Setting, resolved: Resolved, model: ModelInfo | None) -> str:
    """Why a setting does nothing now, whatever it says; empty if it does.

    Args:
        setting: Which.
        resolved: What holds.
        model: The loaded model.
    """
    settings = resolved.settings
    temperature = settings.temperature
    if temperature is None and model is not None:
        temperature = model.sampling.temperature
    match setting.key:
        case "max_thought_tokens" if not settings.thinking:
            return "Thinking is off."
        case "token_budget" if model is not None and not model.can_see:
            return f"{model.name} cannot see."
        case "top_k" | "top_p" | "min_p" | "seed" if temperature == 0:
            return "The temperature is 0: the likeliest token is always taken."
        case "previews" if settings.previews == "kitty" and not shows_placeholders(os.environ):
            return "This terminal is not known to show pixels, so half blocks are drawn."
        case _:
            return ""


def notes(
    setting: Setting, here: Resolved, general: Resolved, model: ModelInfo | None, scope: Scope
) -> str:
    """Everything there is to say about a setting as it stands.

    Args:
        setting: Which.
        here: What holds on the open page.
        general: What holds where no conversation has its own.
        model: The loaded model.
        scope: What is being changed.
    """
    shown = general if scope == "all" else here
    sentences = [why_fixed(setting, shown, scope)]
    if idle := why_idle(setting, here, model):
        sentences.append(f"No effect now: {idle}")
    if scope == "all" and here.origins[setting.key] is Origin.CONVERSATION:
        sentences.append("This conversation has its own.")
    if shown.origins[setting.key] is Origin.COMMAND_LINE:
        sentences.append("Given on the command line; a choice here replaces it.")
    return " ".join(filter(None, sentences))


def who_answers(foreign: str, wanted: Path, model: ModelInfo | None) -> str:
    """What is to be said of the setting `model` where another model answers; empty if none does.

    Args:
        foreign: The model that the conversation names, if it is none of this machine's.
        wanted: The model that is to answer.
        model: The one that is loaded.
    """
    if foreign:
        return (
            "The model that this conversation names is none of yours, so it is not loaded; Enter"
            f" chooses another one. It names {foreign}."
        )
    if model is None or real_path(model.folder) == real_path(wanted):
        return ""
    return f"{model.name} answers now; what is set comes with the next message, if it loads."
