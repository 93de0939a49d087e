"""Whether a prompt leaves room for its reply, and what to leave out of it if it does not.

Token counts only: what media cost is told to it, and nothing is computed but arithmetic and ids.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ContextOverflowError
from gemma_tui.generation import GenerationRequest, PromptSize, TurnsLeftOut
from gemma_tui.runtime.features import soft_tokens
from gemma_tui.runtime.reply_ids import open_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gemma_tui.generation import MediaInfo, ModelInfo
    from gemma_tui.runtime.prompt import Prompt, PromptRenderer
    from gemma_tui.runtime.tokenizer import Tokenizer

RESERVED_TOKENS: Final = 256
"""Room that every reply gets, a few paragraphs, unless it wants less."""

_STEPS: Final = 8
"""Turns are left out in steps of such a part of the context: the beginning of the prompt then stays
the same for several turns, and the prompt cache with it."""


def reserved_tokens(max_tokens: int, context_length: int) -> int:
    """Tokens of the context that a prompt must leave free for its reply."""
    return max(1, min(max_tokens, RESERVED_TOKENS, context_length // _STEPS))


@dataclass(frozen=True, slots=True)
class PromptCounter:
    """Counts prompts of one model on any thread, without holding its weights.

    Args:
        tokenizer: The model's vocabulary.
        renderer: Makes prompts.
        model: Whose context it is.
        sound_tokens: The model's soft tokens for a number of samples at 16 kHz.
        look_into: Tells what a file is whose size no one said; None looks into it in this process.
    """

    tokenizer: Tokenizer
    renderer: PromptRenderer
    model: ModelInfo
    sound_tokens: Callable[[int], int]
    look_into: Callable[[Path, str], MediaInfo] | None = None

    def count(self, request: GenerationRequest) -> PromptSize:
        """What the prompt of `request` takes.

        Raises:
            AttachmentError: The size of a medium is not known, and its file cannot be used.
        """
        reply, has_tools = request.reply, bool(request.tools)
        return Fitting(
            request,
            [soft_tokens(media, self.sound_tokens, self.look_into) for media in request.media],
            renderer=self.renderer,
            model=self.model,
            reply_ids=open_ids(reply, self.tokenizer, has_tools=has_tools) if reply else (),
        ).size()


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt that fits, and the request it was made from."""

    request: GenerationRequest
    prompt: Prompt
    left_out: TurnsLeftOut | None
    """What the request lacks of the one that was asked."""


class Fitting:
    """One request and the context it must fit.

    Args:
        request: The conversation.
        soft_tokens: How many each medium takes, in the order of `request.media`.
        renderer: Makes prompts.
        model: Whose context it is.
        reply_ids: The reply so far, which follows the prompt.
    """

    def __init__(
        self,
        request: GenerationRequest,
        soft_tokens: Sequence[int],
        *,
        renderer: PromptRenderer,
        model: ModelInfo,
        reply_ids: Sequence[int] = (),
    ) -> None:
        self._request = request
        self._soft_tokens = tuple(soft_tokens)
        self._renderer = renderer
        self._model = model
        self._reply_ids = tuple(reply_ids)
        users = [n for n, message in enumerate(request.messages) if message.role == "user"]
        self._begins = (0, *users[1:])
        """Where the prompt may begin: at each turn."""

    @cached_property
    def whole(self) -> Prompt:
        """The prompt with nothing left out."""
        return self._render(0)

    def size(self) -> PromptSize:
        """What the whole prompt takes."""
        length = self._model.context_length
        reserved = reserved_tokens(self._request.options.max_tokens, length)
        return PromptSize(len(self.whole.ids), sum(self._soft_tokens), reserved, length)

    def fit(self) -> Fitted:
        """The prompt as it fits.

        Raises:
            ContextOverflowError: It does not, and nothing may be left out that would help.
        """
        size = self.size()
        if not size.excess:
            return Fitted(self._request, self.whole, None)
        allowed = size.tokens - size.excess
        most = len(self._begins) - 1
        if self._request.options.overflow == "refuse":
            raise _overflow(size, self._model.name, can_drop=most > 0)
        if not most or self._length(most) > allowed:
            raise _overflow(size, self._model.name, can_drop=False)
        step = max(1, size.context_length // _STEPS)
        wanted = size.tokens - -(-size.excess // step) * step
        dropped = min(most, self._first_within(wanted))
        prompt = self._render(dropped)
        left_out = TurnsLeftOut(dropped, size.tokens - len(prompt.ids))
        return Fitted(self._without(dropped), prompt, left_out)

    def _first_within(self, tokens: int) -> int:
        """How many turns must go until the prompt has at most so many tokens."""
        return bisect_left(
            range(len(self._begins)), True, key=lambda dropped: self._length(dropped) <= tokens
        )

    def _length(self, dropped: int) -> int:
        return len(self._render(dropped).ids)

    def _without(self, dropped: int) -> GenerationRequest:
        return replace(self._request, messages=self._request.messages[self._begins[dropped] :])

    def _render(self, dropped: int) -> Prompt:
        request = self._without(dropped)
        gone = len(self._soft_tokens) - len(request.media)
        prompt = self._renderer.render(request, self._soft_tokens[gone:])
        return replace(prompt, ids=(*prompt.ids, *self._reply_ids))


def _overflow(size: PromptSize, name: str, *, can_drop: bool) -> ContextOverflowError:
    """The error with the numbers and the choices."""
    choices = ["have the oldest turns left out (F8 in the app)"] if can_drop else []
    if size.media_tokens:
        choices.append(f"remove pictures or sounds (they take {size.media_tokens:,} tokens)")
    choices.append("start a new conversation" if can_drop else "ask something shorter")
    *others, last = choices
    hint = f"{', '.join(others)}, or {last}" if others else last
    return ContextOverflowError(
        f"The conversation takes {size.tokens:,} tokens and its reply needs "
        f"{size.reserved_tokens:,}, but the context of {name} holds {size.context_length:,}: "
        f"{size.excess:,} too many.",
        f"{hint[0].upper()}{hint[1:]}.",
    )
