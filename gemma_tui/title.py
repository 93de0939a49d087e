"""A title that the model writes: what it is asked, and what is taken of its answer. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import TextPart
from gemma_tui.generation import GenerationRequest, PromptMessage
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from gemma_tui.conversation import Message

MAX_WORDS: Final = 8
"""What the model is asked for; half as many again are taken."""

MAX_LENGTH: Final = 60
"""Characters of a title, as of one that is made from a question."""

_QUOTED_LENGTH: Final = 800
"""Characters of a question or a reply that the model is shown: what it is about stands early."""

_MAX_TOKENS: Final = 32

_ASK: Final = (
    "Write a title for the conversation below, in the language it is written in: at most"
    f" {MAX_WORDS} words, no quotation marks, no full stop. Answer with the title only."
)

_LABEL: Final = re.compile(r"^(?:title|titel|titre|título|titolo)\s*:\s*", re.IGNORECASE)
_MARKDOWN: Final = "#*_`>~-•· \t"
_QUOTES: Final = "\"'“”„‟«»‘’‚「」『』"
_ENDS: Final = ".。…:;,"


def title_request(question: Message, reply: Message) -> GenerationRequest:
    """What to ask the model: greedily, without a thought, and beside the conversation.

    Args:
        question: The first of the conversation.
        reply: The answer to it.
    """
    lines = [_ASK, "", f"Question: {_said(question)}", "", f"Answer: {_said(reply)}"]
    options = GenerationOptions(SamplingOptions(temperature=0.0), max_tokens=_MAX_TOKENS)
    message = PromptMessage("user", (TextPart("\n".join(lines)),))
    return GenerationRequest((message,), options=options, is_aside=True)


def _said(message: Message) -> str:
    files = " ".join(f"({item.kind}: {item.name})" for item in message.attachments[:4])
    text = " ".join(message.text[: 2 * _QUOTED_LENGTH].split())[:_QUOTED_LENGTH]
    return f"{files} {text}".strip()


def clean_title(answer: str) -> str:
    """The title in a model's answer: one line, harmless, without marks around it.

    Returns:
        An empty text if the answer is no title: nothing is better than nonsense.
    """
    lines = (line.strip(_MARKDOWN) for line in answer.strip().splitlines())
    line = next((line for line in lines if line), "")
    line = _LABEL.sub("", " ".join(sanitize_line(line).split()))
    line = line.strip(_MARKDOWN + _QUOTES).rstrip(_ENDS).strip(_MARKDOWN + _QUOTES)
    is_word = any(character.isalnum() for character in line)
    if not is_word or len(line) > MAX_LENGTH or len(line.split()) > MAX_WORDS * 3 // 2:
        return ""
    return line
