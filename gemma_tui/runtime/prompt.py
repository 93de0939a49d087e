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

_MARKERS: Final = {
    "image": (Control.IMAGE_START, Control.IMAGE, Control.IMAGE_END),
    "audio": (Control.AUDIO_START, Control.AUDIO, Control.AUDIO_END),
}

_TURN_BREAK: Final = "\n"
"""Follows `<turn|>`."""

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
    """Positions right behind each closed turn, the system turn included. What follows the last
    one is the generation prompt, which later prompts of the conversation may not repeat."""


class PromptRenderer:
    """Renders prompts for one model and remembers the ids of text it has seen.

    Args:
        tokenizer: The model's vocabulary.
        flavour: How the model's generation prompt ends.
    """

    def __init__(self, tokenizer: Tokenizer, flavour: PromptFlavour) -> None:
        self._flavour = flavour
        self._id_of = tokenizer.id_of
        self._encode = lru_cache(maxsize=_RUNS_REMEMBERED)(tokenizer.encode_text)

    def render(self, request: GenerationRequest, soft_tokens: Sequence[int]) -> Prompt:
        """The prompt for the turn that is wanted next.

        Args:
            request: The conversation.
            soft_tokens: How many each medium takes, in the order of `request.media`.

        Raises:
            ValueError: There are not as many counts as media.
        """
        if len(soft_tokens) != len(request.media):
            raise ValueError(f"{len(soft_tokens)} counts for {len(request.media)} media")
        counts = iter(soft_tokens)
        ids: list[int] = []
        spans: list[MediaSpan] = []
        turn_ends: list[int] = []
        for piece in _join_text(prompt_pieces(request, self._flavour)):
            match piece:
                case Control():
                    ids.append(self._id_of(piece))
                case Media():
                    opening, placeholder, closing = map(self._id_of, _MARKERS[piece.kind])
                    start, stop = len(ids) + 1, len(ids) + 1 + next(counts)
                    ids += [opening, *[placeholder] * (stop - start), closing]
                    spans.append(
                        MediaSpan(start, stop, piece.kind, piece.sha256, piece.token_budget)
                    )
                case str():
                    closes_turn = ids[-1] == self._id_of(Control.TURN_END)
                    ids += self._encode(piece)
                    if closes_turn:
                        turn_ends.append(len(ids))
        return Prompt(tuple(ids), tuple(spans), tuple(turn_ends))


def prompt_pieces(request: GenerationRequest, flavour: PromptFlavour) -> Iterator[Piece]:
    """The prompt before it is tokenised; the text of adjacent pieces belongs together.

    Joined as strings, with `<|image|>` or `<|audio|>` for a medium, they are what the canonical
    chat templates render. A system prompt of nothing but white space counts as none.
    """
    thinking = request.options.thinking
    system = request.system_prompt.strip()
    yield Control.BOS
    if thinking or system:
        yield from (Control.TURN_START, "system\n")
        if thinking:
            yield from (Control.THINK, "\n")
        yield from (system, Control.TURN_END, _TURN_BREAK)
    roles = [message.role for message in request.messages]
    for message, before, after in zip(
        request.messages, [None, *roles], [*roles[1:], None], strict=False
    ):
        # Adjacent messages of the model are one turn; those of the user are not.
        if not before == message.role == "model":
            yield from (Control.TURN_START, f"{message.role}\n")
        yield from _content(message)
        if not after == message.role == "model":
            yield from (Control.TURN_END, _TURN_BREAK)
    yield from (Control.TURN_START, "model\n")
    if flavour is PromptFlavour.EMPTY_THOUGHT and not thinking:
        yield from (Control.CHANNEL_START, "thought\n", Control.CHANNEL_END)


def _content(message: PromptMessage) -> Iterator[Piece]:
    for part in message.parts:
        match part:
            case Media():
                yield part
            case TextPart() if message.role == "model":
                yield _without_thoughts(part.text).strip()
            case TextPart():
                yield part.text.strip()


def _without_thoughts(text: str) -> str:
    """What the templates' `strip_thinking` leaves of an earlier reply that spells its markers."""
    parts = text.split(Control.CHANNEL_END)
    return "".join(part.split(Control.CHANNEL_START)[0] for part in parts)


def _join_text(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Adjacent texts as one, so that tokens may form across their borders; no empty ones."""
    for is_text, group in groupby(pieces, lambda p: not isinstance(p, Control | Media)):
        if not is_text:
            yield from group
        elif text := "".join(str(piece) for piece in group):
            yield text
