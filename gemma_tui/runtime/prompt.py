"""A conversation as the token ids Gemma 4 was trained on.

Equal to rendering Google's canonical chat templates and tokenising the result, except that text
never becomes a control token. Runs no template and knows nothing of features or caches: how many
soft tokens a medium takes is told to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.conversation import TextPart
from gemma_tui.generation import Media
from gemma_tui.runtime.tokenizer import Control

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gemma_tui.conversation import AttachmentKind
    from gemma_tui.generation import GenerationRequest, PromptMessage
    from gemma_tui.runtime.tokenizer import Tokenizer

Piece: TypeAlias = Control | str | Media
"""A control token, ordinary text, or a picture or sound with its own markers around it."""

_RUNS_REMEMBERED: Final = 1024
"""Text runs whose ids are kept: some hundred turns, so a new turn encodes only its own text."""


class PromptFlavour(Enum):
    """What follows `<|turn>model` at the end of a prompt when thinking is off."""

    OPEN = "open"
    """Nothing: E2B and E4B."""
    EMPTY_THOUGHT = "empty thought"
    """A thought channel, already closed: 12B, 26B-A4B and 31B."""


@dataclass(frozen=True, slots=True)
class MediaSpan:
    """The placeholders of one medium: `ids[start:stop]`, without the markers around them."""

    start: int
    stop: int
    kind: AttachmentKind
    sha256: str
    token_budget: int
    """0 for sound. With `sha256` it decides what the soft tokens are."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids of a whole prompt."""

    ids: tuple[int, ...]
    spans: tuple[MediaSpan, ...]
    """In order; the n-th one belongs to the n-th medium of the request."""
    turn_ends: tuple[int, ...]
    """Positions right behind each closed turn: a later prompt of the same conversation has the
    same ids up to there. What follows the last one is the generation prompt."""


def media_of(request: GenerationRequest) -> tuple[Media, ...]:
    """Every picture and sound of a request, in the order of its prompt."""
    return tuple(p for m in request.messages for p in m.parts if isinstance(p, Media))


class PromptRenderer:
    """Renders prompts for one model and remembers the ids of text it has seen.

    Args:
        tokenizer: The model's vocabulary.
        flavour: How the model's generation prompt ends.
    """

    def __init__(self, tokenizer: Tokenizer, flavour: PromptFlavour) -> None:
        self._tokenizer = tokenizer
        self._flavour = flavour
        self._encode = lru_cache(maxsize=_RUNS_REMEMBERED)(tokenizer.encode_text)

    def render(self, request: GenerationRequest, soft_tokens: Sequence[int]) -> Prompt:
        """The prompt for the turn that is wanted next.

        Args:
            request: The conversation.
            soft_tokens: How many each medium takes, in the order of `media_of(request)`.
        """
        raise NotImplementedError
