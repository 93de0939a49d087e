"""How a reply is to be written: how tokens are drawn, and what ends it.

Values only. What they do to logits and texts is the runtime's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

Overflow: TypeAlias = Literal["refuse", "drop_oldest"]
"""What happens to a conversation that does not fit the context: an error with the numbers, or its
oldest turns are left out of the prompt (never the system prompt, never the question), and an event
says so."""


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How the next token is drawn.

    The order is that of transformers: penalties, temperature, top-k, top-p, min-p. What is None is
    as the model's `generation_config.json` says.
    """

    temperature: float | None = None
    """0 means greedy."""
    top_k: int | None = None
    """How many of the likeliest tokens may be drawn; 0 means all."""
    top_p: float | None = None
    """The probability that the tokens which may be drawn reach together; 1 means all."""
    seed: int | None = None
    """None draws a new seed for every reply."""
    min_p: float = 0.0
    """The least probability of a token, as a share of the likeliest one's; 0 means any."""
    repetition_penalty: float = 1.0
    """Divides positive and multiplies negative logits of every token that occurs in the prompt or
    in the reply (transformers' `RepetitionPenaltyLogitsProcessor`, and vLLM); 1 does nothing."""
    presence_penalty: float = 0.0
    """Subtracted from the logits of every token that occurs in the reply (OpenAI's API, and vLLM);
    0 does nothing."""

    def filled(self, defaults: SamplingOptions | None = None) -> SamplingOptions:
        """With no None but the seed: what is None is taken from `defaults`, then from Gemma 4."""
        given = defaults.filled() if defaults else GEMMA_SAMPLING
        return replace(
            self,
            temperature=given.temperature if self.temperature is None else self.temperature,
            top_k=given.top_k if self.top_k is None else self.top_k,
            top_p=given.top_p if self.top_p is None else self.top_p,
        )


GEMMA_SAMPLING: Final = SamplingOptions(temperature=1.0, top_k=64, top_p=0.95)
"""`generation_config.json` of every Gemma 4 of Google's."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Everything about a reply that is not its prompt."""

    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    max_tokens: int = 4096
    """Most tokens that are written, thoughts included; a continued reply gets as many again."""
    thinking: bool = False
    max_thought_tokens: int | None = None
    """Most tokens of all thoughts together; then the thought is closed and the answer begins."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer where they would begin in it; they are not shown."""
    stops_loops: bool = True
    """End a reply that says the same over and over, with finish reason `repetition`."""
    overflow: Overflow = "refuse"
