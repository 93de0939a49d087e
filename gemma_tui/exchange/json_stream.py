"""JSON read value by value from a file of any size, in bounded memory.

The standard parser needs a whole document; here it gets one value of an outer array or object at
a time, cut out of the stream by looking at brackets and quotes only. What a value means is not
known here.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Final, NoReturn

from gemma_tui.errors import DamagedExportError, ExportLimitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from gemma_tui.tool_call import JsonObject, JsonValue

    class Readable(Protocol):
        """What bytes come out of."""

        def read(self, size: int, /) -> bytes:
            """The next bytes, `size` at most; none at the end."""


MAX_VALUE_BYTES: Final = 64 << 20
"""One conversation with a million words, or one piece of a file, stays far below."""

MAX_DEPTH: Final = 250
"""Exports nest about ten levels, what a tool gave back some more; the parser allows some 900."""

MAX_BRACKETS: Final = 2_000_000
"""Two for each array or object in a value: an empty one takes 60 bytes of memory, 3 of a file."""

MAX_COMMAS: Final = 4_000_000
"""Those in texts count, too: prose has one in 50 characters. A short text takes 50 bytes."""

MAX_KEYS: Final = 100
"""Of an outer object, whose keys are read one by one."""

_CHUNK_BYTES: Final = 1 << 20
_MOST_BYTES: Final = 8 << 20
_WHITE: Final = re.compile(rb"[ \t\r\n]*+")
_SCALAR: Final = re.compile(rb"[^ \t\r\n,\]}]*+")
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
# Everything up to the next bracket, over whole strings; it stops before one that is not complete.
_TO_BRACKET: Final = re.compile(
    rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+',
    re.DOTALL,
)


class JsonStream:
    """A JSON document that is read from front to back.

    Args:
        file: Positioned at its start; UTF-8, with or without a byte order mark.
        name: What it is called in sentences.
        max_value_bytes: Largest value that `value` takes.
    """

    def __init__(self, file: Readable, name: str, max_value_bytes: int = MAX_VALUE_BYTES) -> None:
        self._file = file
        self._name = name
        self._limit = max_value_bytes
        self._buffer = bytearray()
        self._at = 0
        self._is_at_end = False
        self._fill()
        if self._buffer.startswith(b"\xef\xbb\xbf"):
            self._at = 3

    def next_character(self) -> str:
        """The character that the next value begins with; empty at the end of the file."""
        while True:
            self._at = _end(_WHITE, self._buffer, self._at)
            if self._at < len(self._buffer):
                return chr(self._buffer[self._at])
            if not self._fill():
                return ""

    def elements(self) -> Iterator[None]:
        """Step into an array; the caller reads one value before each next step.

        Raises:
            DamagedExportError: Here is no array, or it is broken.
        """
        return self._steps("[", "]")

    def members(self) -> Iterator[str]:
        """Step into an object: yields each key, whose value the caller reads before the next.

        Raises:
            DamagedExportError: Here is no object, or it is broken, or it has a key twice.
        """
        seen: set[str] = set()
        for _ in self._steps("{", "}"):
            key = self.value()
            if not isinstance(key, str):
                self._broken("a key is no text")
            if key in seen:
                self._broken(f"the key “{key[:40]}” is there twice")
            if len(seen) == MAX_KEYS:
                self._broken("it has too many keys")
            seen.add(key)
            self._take(":")
            yield key

    def value(self) -> JsonValue:
        """The next value, whole.

        Raises:
            DamagedExportError: It is broken, not UTF-8, has a key twice, or NaN, or a number that
                no program can hold.
            ExportLimitError: It is too large or nested too deeply.
        """
        end = self._value_end()
        try:
            with memoryview(self._buffer) as view, view[:end] as raw:
                text = str(raw, "utf-8")
            return _parse(text)
        except UnicodeDecodeError:
            self._broken("it is not UTF-8")
        except json.JSONDecodeError as error:
            self._broken(error.msg)
        except ValueError as error:
            self._broken(str(error))

    def finish(self) -> None:
        """Check that nothing follows.

        Raises:
            DamagedExportError: Something does.
        """
        if self.next_character():
            self._broken("something follows after its end")

    def _steps(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self.next_character() == closing:
            self._at += 1
            return
        while True:
            yield
            if self.next_character() == closing:
                self._at += 1
                return
            self._take(",")

    def _take(self, character: str) -> None:
        found = self.next_character()
        if found != character:
            self._broken(f"“{character}” is missing" if found else "it ends too early")
        self._at += 1

    def _value_end(self) -> int:
        """Make the next value the beginning of the buffer; returns its length."""
        first = self.next_character()
        del self._buffer[: self._at]
        self._at = 0
        if first == '"':
            end = self._string_end()
        elif first in ("{", "["):
            end = self._container_end()
        else:
            end = self._scalar_end()
        if end > self._limit:
            raise self._too_large()
        if self._buffer.count(b",", 0, end) > MAX_COMMAS:
            raise self._too_much("holds too many values")
        self._at = end
        return end

    def _scalar_end(self) -> int:
        while (end := _end(_SCALAR, self._buffer, 0)) == len(self._buffer):
            if not self._fill_value():
                break
        return end

    def _string_end(self) -> int:
        while not (found := _STRING.match(self._buffer)):
            if not self._fill_value():
                self._broken("it ends too early")
        return found.end()

    def _container_end(self) -> int:
        at, depth, brackets = 0, 0, 0
        while True:
            at = _end(_TO_BRACKET, self._buffer, at)
            if at == len(self._buffer) or self._buffer[at] == 0x22:
                if not self._fill_value():
                    self._broken("it ends too early")
                continue
            depth += 1 if self._buffer[at] in b"{[" else -1
            at += 1
            brackets += 1
            if depth == 0:
                return at
            if depth > MAX_DEPTH:
                raise self._too_much(f"is nested more than {MAX_DEPTH} levels deep")
            if brackets > MAX_BRACKETS:
                raise self._too_much("holds too many lists and objects")

    def _fill_value(self) -> bool:
        if len(self._buffer) > self._limit:
            raise self._too_large()
        return self._fill(len(self._buffer))

    def _fill(self, size: int = 0) -> bool:
        """Read more; as much again as waits already, so that a long string is not read for ever."""
        if self._is_at_end:
            return False
        chunk = self._file.read(min(max(_CHUNK_BYTES, size), _MOST_BYTES))
        self._is_at_end = not chunk
        self._buffer += chunk
        return bool(chunk)

    def _too_large(self) -> ExportLimitError:
        return self._too_much(f"is larger than {self._limit >> 20} MB")

    def _too_much(self, what: str) -> ExportLimitError:
        return ExportLimitError(
            f"“{self._name}” was not imported: one entry in it {what}.",
            "Export fewer or smaller conversations.",
        )

    def _broken(self, reason: str) -> NoReturn:
        raise DamagedExportError(
            f"“{self._name}” was not imported: its JSON is broken ({reason}).",
            "Export it again.",
        )


def _end(pattern: re.Pattern[bytes], buffer: bytearray, at: int) -> int:
    """Where a pattern that matches everywhere ends."""
    found = pattern.match(buffer, at)
    return found.end() if found else at


def _parse(text: str) -> JsonValue:
    value: JsonValue = json.loads(
        text,
        object_pairs_hook=_without_doubles,
        parse_constant=_refuse_constant,
        parse_float=_finite,
    )
    return value


def _without_doubles(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number
