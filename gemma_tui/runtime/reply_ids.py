"""A reply that was cut off, as the token ids it goes on from.

The ids are those that were drawn, whenever they are known: the same text can be spelled by many
ids, half a character by none, and a model goes on from what it wrote, not from how it reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.generation import TextDelta
from gemma_tui.runtime.reply_parser import ReplyParser, Words
from gemma_tui.runtime.tokenizer import Control

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.generation import ReplySoFar
    from gemma_tui.runtime.reply_parser import Delta
    from gemma_tui.runtime.tokenizer import Tokenizer


def open_ids(
    reply: ReplySoFar, tokenizer: Tokenizer, *, has_tools: bool = False
) -> tuple[int, ...]:
    """The ids of a reply so far; `has_tools` as for `ReplyParser`.

    Those it came with, if they spell it: another model's vocabulary would not. Else the text is
    tokenised, its last thought left open if nothing follows it.
    """
    if reply.token_ids and _spell(reply, tokenizer, has_tools=has_tools):
        return reply.token_ids
    ids: list[int] = []
    for place, part in enumerate(reply.parts, start=1):
        match part:
            case TextPart(text):
                ids += tokenizer.encode_text(text)
            case ThoughtPart(text):
                ids.append(tokenizer.id_of(Control.CHANNEL_START))
                if place == len(reply.parts):
                    ids += tokenizer.encode_text(f"thought\n{text}")
                else:
                    ids += tokenizer.encode_text(f"thought\n{text}\n")
                    ids.append(tokenizer.id_of(Control.CHANNEL_END))
    return tuple(ids)


def to_parts(deltas: Iterable[Delta]) -> tuple[TextPart | ThoughtPart, ...]:
    """What deltas say together, neighbours of one kind as one part; tool calls say nothing."""
    parts: list[TextPart | ThoughtPart] = []
    for delta in deltas:
        if not isinstance(delta, Words):
            continue
        kind = TextPart if isinstance(delta, TextDelta) else ThoughtPart
        before = parts.pop().text if parts and type(parts[-1]) is kind else ""
        parts.append(kind(before + delta.text))
    return tuple(parts)


def _spell(reply: ReplySoFar, tokenizer: Tokenizer, *, has_tools: bool) -> bool:
    """Whether the ids say what the parts say, and perhaps the rest of a character more."""
    if not all(0 <= token < tokenizer.size for token in reply.token_ids):
        return False
    parser = ReplyParser(tokenizer, has_tools=has_tools)
    spelled = [delta for token in reply.token_ids for delta in parser.add(token)]
    found = to_parts([*spelled, *parser.finish()])
    return all(
        _joined(found, kind).startswith(_joined(reply.parts, kind))
        for kind in (TextPart, ThoughtPart)
    )


def _joined(
    parts: tuple[TextPart | ThoughtPart, ...], kind: type[TextPart] | type[ThoughtPart]
) -> str:
    return "".join(part.text for part in parts if isinstance(part, kind))
