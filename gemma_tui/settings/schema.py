"""Every setting there is: its type, default, bounds, and the words a person needs to choose.

`Settings` is the one place; the panel, the file, the environment and the documentation follow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from gemma_tui.options import GenerationOptions, Overflow, SamplingOptions
from gemma_tui.settings.choices import (
    BUDGETS,
    NOTIFICATIONS,
    OVERFLOWS,
    PREVIEWS,
    RATES,
    SEND_KEYS,
    THEMES,
)
from gemma_tui.settings.derivation import derive_settings
from gemma_tui.settings.reply_options import reply_options
from gemma_tui.settings.setting import About

_SAMPLING: Final = SamplingOptions()
_OPTIONS: Final = GenerationOptions()


@dataclass(frozen=True, slots=True)
class Settings:
    """A value for every setting."""

    model: Annotated[
        str,
        About(
            "model",
            "Model",
            "The folder of the model that answers. Ctrl+L shows every model on this disk.",
            unset="built-in demo",
        ),
    ] = ""
    model_library: Annotated[
        str,
        About(
            "model",
            "Models folder",
            "A folder whose model folders are offered by Ctrl+L.",
            unset="none",
            is_global=True,
        ),
    ] = ""
    known_models: Annotated[
        tuple[str, ...],
        About(
            "model",
            "Known models",
            "Model folders elsewhere that are offered by Ctrl+L; those used once are added.",
            unset="none",
            is_global=True,
            is_listed=False,
        ),
    ] = ()
    idle_minutes: Annotated[
        int,
        About(
            "model",
            "Unload when idle",
            "After so long without use its memory is freed; typing loads it again. 0 is never.",
            minimum=0,
            maximum=10_080,
            step=15,
            unit="minutes",
            is_global=True,
        ),
    ] = 60
    system_prompt: Annotated[
        str,
        About(
            "replies",
            "System prompt",
            "What the model is told before every conversation. Presets are offered in its editor.",
            unset="none",
            is_prose=True,
        ),
    ] = ""
    thinking: Annotated[
        bool,
        About("replies", "Thinking", "Whether the model thinks before it answers (Ctrl+T)."),
    ] = _OPTIONS.thinking
    max_thought_tokens: Annotated[
        int | None,
        About(
            "replies",
            "Longest thought",
            "After so many tokens the thought is closed and the answer begins.",
            minimum=1,
            maximum=1_000_000,
            step=256,
            unit="tokens",
            unset="no limit of its own",
        ),
    ] = _OPTIONS.max_thought_tokens
    max_tokens: Annotated[
        int,
        About(
            "replies",
            "Longest reply",
            "Most tokens of a reply, its thought included. Ctrl+G lets a reply go on.",
            minimum=1,
            maximum=1_000_000,
            step=256,
            unit="tokens",
        ),
    ] = _OPTIONS.max_tokens
    overflow: Annotated[
        Overflow,
        About(
            "replies",
            "When the context is full",
            "Refuse the question, with the numbers, or leave out the oldest turns and say so (F8).",
            choices=OVERFLOWS,
        ),
    ] = _OPTIONS.overflow
    temperature: Annotated[
        float | None,
        About(
            "sampling",
            "Temperature",
            "How freely words are drawn; 0 always takes the likeliest.",
            minimum=0,
            maximum=10,
            step=0.1,
            unset="as the model says",
        ),
    ] = _SAMPLING.temperature
    top_k: Annotated[
        int | None,
        About(
            "sampling",
            "Top-k",
            "How many of the likeliest tokens may be drawn; 0 means all.",
            minimum=0,
            maximum=1_000_000,
            step=8,
            unit="tokens",
            unset="as the model says",
        ),
    ] = _SAMPLING.top_k
    top_p: Annotated[
        float | None,
        About(
            "sampling",
            "Top-p",
            "The probability that the tokens which may be drawn reach together; 1 means all.",
            minimum=0,
            maximum=1,
            excludes_minimum=True,
            step=0.05,
            unset="as the model says",
        ),
    ] = _SAMPLING.top_p
    min_p: Annotated[
        float,
        About(
            "sampling",
            "Min-p",
            "The least probability of a token, as a share of the likeliest one's; 0 means any.",
            minimum=0,
            maximum=1,
            step=0.05,
        ),
    ] = _SAMPLING.min_p
    repetition_penalty: Annotated[
        float,
        About(
            "sampling",
            "Repetition penalty",
            "Above 1 avoids tokens of the prompt and of the reply; 1 does nothing.",
            minimum=0,
            maximum=100,
            excludes_minimum=True,
            step=0.05,
        ),
    ] = _SAMPLING.repetition_penalty
    presence_penalty: Annotated[
        float,
        About(
            "sampling",
            "Presence penalty",
            "Above 0 avoids tokens that the reply has already; 0 does nothing.",
            minimum=-100,
            maximum=100,
            step=0.1,
        ),
    ] = _SAMPLING.presence_penalty
    seed: Annotated[
        int | None,
        About(
            "sampling",
            "Seed",
            "The same seed gives the same answer.",
            minimum=0,
            maximum=2**63 - 1,
            unset="a new one for every reply",
        ),
    ] = _SAMPLING.seed
    token_budget: Annotated[
        int | Literal["auto"] | None,
        About(
            "pictures",
            "Budget of a picture",
            "The most soft tokens that a new picture may cost; F4 changes it for one picture.",
            choices=BUDGETS,
            unset="as the model says",
        ),
    ] = None
    frame_rate: Annotated[
        str, About("pictures", "Frames of a new video", "60 at most; R changes it.", choices=RATES)
    ] = "1"
    microphone: Annotated[
        str,
        About(
            "sound",
            "Microphone",
            "The name of what is recorded from (F9); D shows what there is while you record.",
            unset="as the system says",
            is_global=True,
        ),
    ] = ""
    theme: Annotated[
        str,
        About(
            "app",
            "Colours",
            "The colours of the app.",
            choices=THEMES,
            prefix="gemma-",
            is_global=True,
        ),
    ] = "dark"
    previews: Annotated[
        str,
        About(
            "app",
            "Previews",
            "How pictures are shown below their names; pixels only in kitty and Ghostty.",
            choices=PREVIEWS,
            is_global=True,
        ),
    ] = "half_blocks"
    reduced_motion: Annotated[
        bool,
        About("app", "Reduced motion", "Nothing slides, fades or blinks.", is_global=True),
    ] = False
    notifications: Annotated[
        str,
        About(
            "app",
            "Notifications",
            "How to say that a long answer has ended, or one failed, while you look elsewhere.",
            choices=NOTIFICATIONS,
            is_global=True,
        ),
    ] = "both"
    titles: Annotated[
        bool,
        About(
            "app",
            "Titles by the model",
            "Have the model write the title of a new conversation; else its question is the title.",
            is_global=True,
        ),
    ] = True
    tour: Annotated[
        bool,
        About(
            *("app", "Tour", "Show what there is, in three pages, at the next start."),
            is_global=True,
            is_listed=False,
        ),
    ] = True
    send_key: Annotated[
        Literal["enter", "ctrl+s"],
        About(
            "app",
            "Send with",
            "With Ctrl+S, Enter begins a new line. Ctrl+J always does.",
            choices=SEND_KEYS,
            is_global=True,
        ),
    ] = "enter"

    @property
    def options(self) -> GenerationOptions:
        """How a reply is to be written."""
        return reply_options(self)


SCHEMA: Final = derive_settings(Settings)
"""The settings by their keys, in the order in which they are shown."""
