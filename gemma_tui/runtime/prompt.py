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

from gemma_tui.generation import Media, media_key
from gemma_tui.runtime.tokenizer import Control
from gemma_tui.runtime.tool_format import call_pieces, declaration_pieces, result_pieces
from gemma_tui.runtime.turn_steps import Step, steps_of
from gemma_tui.tool_call import ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gemma_tui.conversation import MediaKind
    from gemma_tui.generation import GenerationRequest, MediaKey
    from gemma_tui.runtime.tokenizer import Tokenizer

Piece: TypeAlias = Control | str | Media
"""A control token, ordinary text, or a picture or sound with its own markers around it."""

_MARKERS: Final = {
    "image": (Control.IMAGE_START, Control.IMAGE, Control.IMAGE_END),
    "frame": (Control.IMAGE_START, Control.VIDEO, Control.IMAGE_END),
    "audio": (Control.AUDIO_START, Control.AUDIO, Control.AUDIO_END),
}
"""A frame of a video is a picture with a placeholder of its own."""

_TURN_BREAK: Final = "\n"
"""Follows `<turn|>`."""

THOUGHT_NAME: Final = "thought\n"
"""What opens a thought after `<|channel>`."""

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
    kind: MediaKind
    sha256: str
    token_budget: int
    """0 for sound. With `sha256` and the segment it decides what the soft tokens are."""
    segment_start: int = 0
    """As of `Media.start`."""
    segment_length: int = 0
    """As of `Media.length`."""

    @property
    def key(self) -> MediaKey:
        """What tells its medium from every other one."""
        segment = (self.segment_start, self.segment_length)
        return (self.kind, self.sha256, self.token_budget, *segment)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids of a whole prompt."""

    ids: tuple[int, ...]
    spans: tuple[MediaSpan, ...]
    """In order; the n-th one belongs to the n-th medium of the request."""
    turn_ends: tuple[int, ...]
    """Positions right behind each closed turn, the system turn included. What follows the last
    one is the generation prompt, which later prompts of the conversation may not repeat, or a turn
    of the model that goes on now that its tools were run."""
    opens_thought: bool = False
    """Whether the reply begins inside a thought, because the prompt ends in an open channel."""


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
        latest = Control.BOS
        for piece in _join_text(prompt_pieces(request, self._flavour)):
            match piece:
                case Control():
                    ids.append(self._id_of(piece))
                    latest = piece
                case Media():
                    markers = _MARKERS["frame" if piece.stamp else piece.kind]
                    opening, placeholder, closing = map(self._id_of, markers)
                    start, stop = len(ids) + 1, len(ids) + 1 + next(counts)
                    ids += [opening, *[placeholder] * (stop - start), closing]
                    spans.append(MediaSpan(start, stop, *media_key(piece)))
                case str():
                    closes_turn = ids[-1] == self._id_of(Control.TURN_END)
                    ids += self._encode(piece)
                    if closes_turn:
                        turn_ends.append(len(ids))
        return Prompt(tuple(ids), tuple(spans), tuple(turn_ends), latest is Control.CHANNEL_START)


def prompt_pieces(request: GenerationRequest, flavour: PromptFlavour) -> Iterator[Piece]:
    """The prompt before it is tokenised; the text of adjacent pieces belongs together.

    Joined as strings, with `<|image|>` or `<|audio|>` for a medium, they are what the canonical
    chat templates render. Frames of a video are what the reference's processor makes of the
    `<|video|>` that they render, a time stamp in front of each. A system prompt of nothing but
    white space counts as none.
    """
    thinking = request.options.thinking
    yield Control.BOS
    yield from _system_turn(request)
    steps = steps_of(request.messages)
    for before, step, after in zip([None, *steps], steps, [*steps[1:], None], strict=False):
        # Adjacent messages of the model are one turn; those of the user are not.
        if not (before and before.role == step.role == "model"):
            yield from (Control.TURN_START, f"{step.role}\n")
        yield from _step_pieces(step)
        if step.awaits_results:
            yield Control.TOOL_RESPONSE_START
        elif after and after.role == step.role == "model":
            pass
        elif after or not step.results or step.has_content:
            yield from (Control.TURN_END, _TURN_BREAK)
    yield from _generation_prompt(steps[-1] if steps else None, flavour, thinking=thinking)


def _system_turn(request: GenerationRequest) -> Iterator[Piece]:
    system, thinking = request.system_prompt.strip(), request.options.thinking
    if not (system or thinking or request.tools):
        return
    yield from (Control.TURN_START, "system\n")
    if thinking:
        yield from (Control.THINK, "\n")
    yield system
    for tool in request.tools:
        yield from declaration_pieces(tool)
    yield from (Control.TURN_END, _TURN_BREAK)


def _step_pieces(step: Step) -> Iterator[Piece]:
    if step.thought:
        yield from (Control.CHANNEL_START, f"{THOUGHT_NAME}{step.thought}\n", Control.CHANNEL_END)
    for call in step.calls:
        yield from call_pieces(call)
    for part in step.results:
        yield from result_pieces(part) if isinstance(part, ToolResult) else (part,)
    for piece in step.content:
        if isinstance(piece, Media) and piece.stamp:
            yield piece.stamp
        yield piece


def _generation_prompt(
    last: Step | None, flavour: PromptFlavour, *, thinking: bool
) -> Iterator[Piece]:
    """What the reply follows; behind calls and results the model's turn is still open."""
    if last and last.results:
        if thinking:
            yield from (Control.CHANNEL_START, THOUGHT_NAME)
    elif not (last and last.calls):
        yield from (Control.TURN_START, "model\n")
        if flavour is PromptFlavour.EMPTY_THOUGHT and not thinking:
            yield from (Control.CHANNEL_START, THOUGHT_NAME, Control.CHANNEL_END)


def _join_text(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Adjacent texts as one, so that tokens may form across their borders; no empty ones."""
    for is_text, group in groupby(pieces, lambda p: not isinstance(p, Control | Media)):
        if not is_text:
            yield from group
        elif text := "".join(str(piece) for piece in group):
            yield text
