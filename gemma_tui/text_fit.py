"""How much of a long text is attached: as many of its first parts as the context has room for.

The loaded model counts, since texts differ tenfold: English has four and a half characters a
token, a table of numbers one.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import TextPart
from gemma_tui.errors import EngineError, ModelError
from gemma_tui.generation import GenerationRequest, PromptMessage
from gemma_tui.storage.texts import quoted_text, read_text
from gemma_tui.text_parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gemma_tui.conversation import Attachment
    from gemma_tui.engine.interface import Engine

MAX_TEXT: Final = 2_000_000
"""Characters of a text that are attached unasked; no context holds as many."""

CHARACTERS_PER_TOKEN: Final = 3
"""Where nobody has counted. Rather few: English has four and a half, code three."""

_MOST_CHARACTERS_PER_TOKEN: Final = 8
"""What is counted first holds all that could fit: hardly any text has as many."""

_MARGIN: Final = (19, 20)
"""Of what would fit if the text were alike throughout: it seldom is."""

_ROUNDS: Final = 6
"""Each counts what the one before cut; two do unless a text changes its kind in the middle."""


async def fit_text(
    attachment: Attachment, room: int | None, engine: Engine, path_of: Callable[[str], Path]
) -> Attachment:
    """A text with as many of its first lines, rows or items as fit; with all of them, if they do.

    Args:
        attachment: A text.
        room: Tokens that it may take; None while that is unknown.
        engine: Has the model that counts. If it cannot, the length decides.
        path_of: Where the stored copy of a sha256 is.

    Raises:
        StorageError: The stored copy is gone.
    """
    if room is None:
        return await asyncio.to_thread(_beginning, attachment, MAX_TEXT, path_of)
    most = min(MAX_TEXT, room * _MOST_CHARACTERS_PER_TOKEN)
    fitted = await asyncio.to_thread(_beginning, attachment, most, path_of)
    part, whole = _MARGIN
    for _ in range(_ROUNDS):
        tokens = await _tokens(fitted, engine, path_of)
        if tokens is None:
            most = min(most, room * CHARACTERS_PER_TOKEN)
            return await asyncio.to_thread(_beginning, attachment, most, path_of)
        if tokens <= room:
            break
        most = max(1, min(most, text_length(fitted)) * room * part // (tokens * whole))
        fitted = await asyncio.to_thread(_beginning, attachment, most, path_of)
    return fitted


def text_length(attachment: Attachment) -> int:
    """Characters of a text that are sent; its bytes, which are no fewer, if all of it is."""
    sent = sum(segment.length for segment in attachment.segments)
    return sent or attachment.size_bytes


def _beginning(attachment: Attachment, most: int, path_of: Callable[[str], Path]) -> Attachment:
    text = read_text(attachment, path_of)
    parts = parts_of(attachment.name, text)
    if len(text) <= most:
        return replace(attachment, segments=parts.whole(len(text)))
    return replace(attachment, segments=parts.beginning(max(1, most), len(text)))


async def _tokens(
    attachment: Attachment, engine: Engine, path_of: Callable[[str], Path]
) -> int | None:
    """What it takes in a prompt, its name and fences included; None if nobody can count now."""
    text = await asyncio.to_thread(quoted_text, attachment, path_of)
    message = PromptMessage("user", (TextPart(text),))
    try:
        return (await engine.count(GenerationRequest((message,)))).tokens
    except (EngineError, ModelError):
        return None
