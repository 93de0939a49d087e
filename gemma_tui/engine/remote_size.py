"""What a prompt for a server takes, by estimate: no server tells before it has answered."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import TextPart
from gemma_tui.generation import Media, PromptSize, TurnsLeftOut
from gemma_tui.preprocessing.budget import audio_tokens, image_tokens
from gemma_tui.tool_call import ToolCall, ToolResult

if TYPE_CHECKING:
    from gemma_tui.generation import GenerationRequest, PromptMessage, PromptPart

LETTERS_PER_TOKEN: Final = 4.0
"""Of English text in Gemma's vocabulary of 262,144 entries."""

TOKENS_PER_FOREIGN_LETTER: Final = 0.7
"""Of scripts beyond ASCII; between German (0.5 for ä, ö, ü) and Chinese (0.7)."""

_MARKS_PER_TURN: Final = 5
"""Begin and end of a turn, its role, two newlines."""

_RESERVED: Final = 256


def estimate_size(
    request: GenerationRequest, context_length: int, max_image_tokens: int
) -> PromptSize:
    """The size of a prompt.

    Args:
        request: What would be sent.
        context_length: Of the server's model.
        max_image_tokens: The most soft tokens it gives a picture.
    """
    media = sum(_media_tokens(item, max_image_tokens) for item in request.media)
    text = text_tokens(request.system_prompt) + sum(map(_text_of, request.messages))
    reserved = min(_RESERVED, request.options.max_tokens, context_length // 8)
    return PromptSize(text + media, media, reserved, context_length, is_estimate=True)


def fit(
    request: GenerationRequest, context_length: int, max_image_tokens: int
) -> tuple[GenerationRequest, TurnsLeftOut | None]:
    """The request without its oldest turns, where that is wanted and the estimate is too much.

    The question stays whatever it takes: then the server says what it thinks of that.

    Args:
        request: What would be sent.
        context_length: Of the server's model.
        max_image_tokens: The most soft tokens it gives a picture.
    """
    if request.options.overflow != "drop_oldest":
        return request, None
    size = estimate_size(request, context_length, max_image_tokens)
    starts = [i for i, message in enumerate(request.messages) if message.role == "user"]
    fitting, fitting_size, count = request, size, 0
    for start in starts[1:]:
        if not fitting_size.excess:
            break
        count += 1
        fitting = replace(request, messages=request.messages[start:])
        fitting_size = estimate_size(fitting, context_length, max_image_tokens)
    left_out = TurnsLeftOut(count, size.tokens - fitting_size.tokens) if count else None
    return fitting, left_out


def text_tokens(text: str) -> int:
    """Tokens of a text, roughly."""
    if text.isascii():
        return math.ceil(len(text) / LETTERS_PER_TOKEN)
    plain = sum(letter.isascii() for letter in text)
    foreign = (len(text) - plain) * TOKENS_PER_FOREIGN_LETTER
    return math.ceil(plain / LETTERS_PER_TOKEN + foreign)


def _text_of(message: PromptMessage) -> int:
    return _MARKS_PER_TURN + sum(text_tokens(_words(part)) for part in message.parts)


def _words(part: PromptPart) -> str:
    match part:
        case TextPart(text):
            return text
        case ToolCall(name, arguments):
            return f"{name}{arguments}"
        case ToolResult(_, content):
            return str(content)
    return ""


def _media_tokens(item: Media, most: int) -> int:
    if item.kind == "audio":
        return audio_tokens(item.sample_count) if item.sample_count else 0
    budget = min(item.token_budget, most)
    if item.width and item.height:
        return image_tokens(item.width, item.height, budget)
    return budget
