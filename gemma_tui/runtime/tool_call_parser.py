"""What the model writes between `<|tool_call>` and `<tool_call|>`, read back into values.

The way back of `tool_format.call_pieces`: strings stand between `<|"|>` tokens and hold anything,
so what the text between those tokens spells never matters. Knows nothing of replies or tools.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from gemma_tui.runtime.tokenizer import Control
from gemma_tui.tool_call import MalformedToolCall, ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.tool_call import JsonObject, JsonValue

_HEAD: Final = re.compile(r"\s*call:\s*([^\s{}]+)\s*(?={)")
_BARE: Final = re.compile(r"[^{}\[\],:]+")
_NUMBER: Final = re.compile(r"-?\d{1,4000}(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
"""As Python writes ints and floats; it refuses to read longer ints."""

_WORDS: Final[dict[str, JsonValue]] = {"null": None, "true": True, "false": False}

_DEEPEST: Final = 64
"""Lists and objects inside each other; a model that writes more than that has lost its way."""


class _MalformedError(Exception):
    """The text is not a call; the message is a sentence that says why."""


def parse_tool_call(segments: Sequence[str]) -> ToolCall | MalformedToolCall:
    """The call, or what is wrong with it.

    Args:
        segments: The text, cut at its `<|"|>` tokens: every second one is inside a string.
    """
    try:
        return _Reader(segments).call()
    except _MalformedError as problem:
        return MalformedToolCall(Control.QUOTE.join(segments), str(problem))


class _Reader:
    """A place in the text that moves on; white space between the parts does not matter."""

    def __init__(self, segments: Sequence[str]) -> None:
        self._segments = segments
        self._segment = 0
        self._offset = 0

    def call(self) -> ToolCall:
        head = _HEAD.match(self._segments[0])
        if head is None:
            raise _MalformedError("A tool call has to begin with call:, a name and {.")
        self._offset = head.end()
        arguments = self._object(0)
        if self._peek():
            raise _MalformedError("There is something behind the arguments.")
        return ToolCall(head[1], arguments)

    def _value(self, depth: int) -> JsonValue:
        if depth > _DEEPEST:
            raise _MalformedError(f"The arguments are nested more than {_DEEPEST} deep.")
        match self._peek():
            case Control.QUOTE:
                return self._string()
            case "{":
                return self._object(depth)
            case "[":
                return self._list(depth)
            case _:
                return self._scalar()

    def _object(self, depth: int) -> JsonObject:
        found: JsonObject = {}
        self._take("{")
        while not self._takes("}"):
            if found:
                self._take(",")
            key = self._string() if self._peek() == Control.QUOTE else self._bare()
            if key in found:
                raise _MalformedError(f"The argument {key} is there twice.")
            self._take(":")
            found[key] = self._value(depth + 1)
        return found

    def _list(self, depth: int) -> list[JsonValue]:
        found: list[JsonValue] = []
        self._take("[")
        while not self._takes("]"):
            if found:
                self._take(",")
            found.append(self._value(depth + 1))
        return found

    def _string(self) -> str:
        if self._segment + 2 >= len(self._segments):
            raise _MalformedError("A string has no end.")
        text = self._segments[self._segment + 1]
        self._segment, self._offset = self._segment + 2, 0
        return text

    def _scalar(self) -> JsonValue:
        word = self._bare()
        if word in _WORDS:
            return _WORDS[word]
        number = _NUMBER.fullmatch(word)
        if number is None:
            raise _MalformedError(f'{word} is no value: strings stand between <|"|> tokens.')
        if not (number[1] or number[2]):
            return int(word)
        if not math.isfinite(value := float(word)):
            raise _MalformedError(f"The number {word} is too large.")
        return value

    def _bare(self) -> str:
        """A key, a number or a word."""
        found = _BARE.match(self._segments[self._segment], self._offset)
        word = found[0].strip() if found else ""
        if found is None or not word:
            raise self._unexpected("a key or a value")
        self._offset = found.end()
        return word

    def _peek(self) -> str:
        """The next character, `<|"|>`, or nothing at the end."""
        text = self._segments[self._segment]
        while self._offset < len(text) and text[self._offset].isspace():
            self._offset += 1
        if self._offset < len(text):
            return text[self._offset]
        return Control.QUOTE if self._segment + 1 < len(self._segments) else ""

    def _takes(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._offset += 1
        return True

    def _take(self, character: str) -> None:
        if not self._takes(character):
            raise self._unexpected(character)

    def _unexpected(self, wanted: str) -> _MalformedError:
        found = self._peek()
        where = f"where {found} stands" if found else "where it ends"
        return _MalformedError(f"The call lacks {wanted} {where}.")
