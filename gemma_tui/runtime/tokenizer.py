"""Text to token ids and back, for the vocabulary in a model folder's `tokenizer.json`.

Ordinary text and control tokens are two different things here: control tokens are asked for by
name, and no text whatsoever encodes to one. Knows nothing of turns, prompts or sampling.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tokenizers import AddedToken
from tokenizers import Tokenizer as Backend

from gemma_tui.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

_CONTROL_SHAPE: Final = re.compile(r"<\|.+>|<.+\|>", re.DOTALL)
"""How Gemma 4 writes its control tokens: `<|turn>`, `<turn|>`, `<|image|>`."""

_SILENT: Final = ("<pad>", "<unk>", "<mask>")
"""Tokens of the vocabulary that are no text either and that no conversation needs."""

_BYTE_SHAPE: Final = re.compile(r"<0x([0-9A-F]{2})>")
"""How SentencePiece vocabularies write the 256 tokens that stand for one byte."""

_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class Control(StrEnum):
    """The control tokens a conversation is made of, by their names in Gemma 4's vocabulary."""

    BOS = "<bos>"
    EOS = "<eos>"
    TURN_START = "<|turn>"
    TURN_END = "<turn|>"
    THINK = "<|think|>"
    CHANNEL_START = "<|channel>"
    CHANNEL_END = "<channel|>"
    IMAGE_START = "<|image>"
    IMAGE = "<|image|>"
    IMAGE_END = "<image|>"
    VIDEO = "<|video|>"
    AUDIO_START = "<|audio>"
    AUDIO = "<|audio|>"
    AUDIO_END = "<audio|>"
    TOOL_START = "<|tool>"
    TOOL_END = "<tool|>"
    TOOL_CALL_START = "<|tool_call>"
    TOOL_CALL_END = "<tool_call|>"
    TOOL_RESPONSE_START = "<|tool_response>"
    TOOL_RESPONSE_END = "<tool_response|>"
    QUOTE = '<|"|>'
    """Stands on both sides of every string in the syntax of tools."""


class Tokenizer:
    """The vocabulary of one model.

    Args:
        backend: A tokenizer that nobody else changes; its switches are set here.
        name: Where it came from, for error messages.

    Raises:
        ModelError: The vocabulary lacks a control token of Gemma 4.
    """

    def __init__(self, backend: Backend, name: str = "tokenizer.json") -> None:
        found = {control: backend.token_to_id(control) for control in Control}
        if missing := [control.value for control, place in found.items() if place is None]:
            raise ModelError(
                f"The vocabulary in {name} is not Gemma 4's: it lacks {', '.join(missing)}.",
                "Choose the folder of a Gemma 4 model.",
            )
        added = backend.get_added_tokens_decoder().values()
        flagged = {token.content for token in added if token.special}
        names = {control.value for control in Control} | flagged
        names |= {token.content for token in added if _CONTROL_SHAPE.fullmatch(token.content)}
        names |= {name for name in _SILENT if backend.token_to_id(name) is not None}
        if names > flagged:
            # Only tokens flagged as special can be kept out of text, whatever the file says.
            backend.add_special_tokens(
                [AddedToken(n, special=True, normalized=False) for n in sorted(names - flagged)]
            )
        backend.encode_special_tokens = True
        backend.no_truncation()
        backend.no_padding()
        self._backend = backend
        self._ids = {control: place for control, place in found.items() if place is not None}
        self._names = tuple(sorted(names))
        places = backend.get_added_tokens_decoder().items()
        self._control_ids = frozenset(place for place, token in places if token.special)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a `tokenizer.json`.

        Raises:
            ModelError: The file is missing, broken, or not Gemma 4's.
        """
        try:
            backend = Backend.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ModelError(
                f"The vocabulary {path} cannot be read ({error}).",
                "Download or copy the model folder again.",
            ) from error
        return cls(backend, str(path))

    @property
    def control_ids(self) -> frozenset[int]:
        """Ids of every token that is not text: those of `Control`, and all other special ones."""
        return self._control_ids

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return int(self._backend.get_vocab_size())

    def id_of(self, control: Control) -> int:
        """The id of a control token."""
        return self._ids[control]

    def encode_text(self, text: str) -> tuple[int, ...]:
        """Ids of ordinary text; the names of control tokens in it are text like any other.

        Lone surrogates, which no vocabulary can express, become U+FFFD.
        """
        if _SURROGATES.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids = self._encode(text)
        if self._control_ids.isdisjoint(ids):
            return ids
        # A merge led to a control token's name: spell those names out, letter by letter.
        spelled: list[int] = []
        for place, part in enumerate(re.split(f"({'|'.join(map(re.escape, self._names))})", text)):
            for run in part if place % 2 else (part,):
                spelled += self._encode(run)
        return tuple(spelled)

    def piece(self, token_id: int) -> str | bytes:
        """What one token adds to a text: characters, or one byte of a character.

        Control tokens and ids without a token add nothing. The rules are those of the decoder in
        Gemma's `tokenizer.json`: U+2581 is a space, `<0xNN>` is a byte.
        """
        token = self._backend.id_to_token(token_id)
        if token is None or token_id in self._control_ids:
            return ""
        byte = _BYTE_SHAPE.fullmatch(token)
        return bytes([int(byte[1], 16)]) if byte else token.replace("\u2581", " ")

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._backend.encode(text, add_special_tokens=False).ids)
