"""Server-sent events: bytes as they come from a network, to the data of each event.

As of the WHATWG HTML standard, section 9.2.6: lines end with CRLF, LF or CR, `data:` lines of an
event are joined by newlines, other fields are skipped. Memory is bounded. Comments mean nothing to
the standard; some servers say in them how far they are.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import BrokenReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EVENT_CHARACTERS: Final = 8 * 1024 * 1024
"""Of one line, and of the data of one event: a chunk of a reply has a few hundred."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What a server says beside the events."""

    text: str


class EventDecoder:
    """Cuts a stream, in whatever pieces it arrives, into the data of its events, and comments."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pieces: list[str] = []
        """The line that is not complete yet."""
        self._length = 0
        self._data: list[str] = []
        self._data_length = 0
        self._skips_newline = False
        self._is_first = True

    def feed(self, data: bytes) -> Iterator[str | Comment]:
        """The data of every event that `data` completes, and the comments in between.

        Raises:
            BrokenReplyError: A line or an event is longer than any reply has.
        """
        yield from self._take(self._text.decode(data))

    def finish(self) -> Iterator[str | Comment]:
        """What the last event says if the stream ended without the empty line behind it."""
        yield from self._take(self._text.decode(b"", final=True))
        self._skips_newline = False
        yield from self._take("\n\n" if self._length else "\n")

    def _take(self, text: str) -> Iterator[str | Comment]:
        if self._is_first and text:
            text, self._is_first = text.removeprefix("\ufeff"), False
        if self._skips_newline and text:
            text, self._skips_newline = text.removeprefix("\n"), False
        self._skips_newline = text.endswith("\r") or (self._skips_newline and not text)
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines:
            self._add(line)
            whole, self._length = "".join(self._pieces), 0
            self._pieces.clear()
            if whole.startswith(":"):
                yield Comment(whole[1:].strip())
            elif whole:
                self._read(whole)
            elif self._data:
                yield "\n".join(self._data)
                self._data.clear()
                self._data_length = 0
        self._add(rest)

    def _add(self, piece: str) -> None:
        if piece:
            self._pieces.append(piece)
            self._length += len(piece)
            self._check(self._length)

    def _read(self, line: str) -> None:
        field, _, value = line.partition(":")
        if field == "data":
            value = value.removeprefix(" ")
            self._data.append(value)
            self._data_length += len(value)
            self._check(self._data_length)

    @staticmethod
    def _check(length: int) -> None:
        if length > MAX_EVENT_CHARACTERS:
            raise BrokenReplyError(
                f"The server sent a line of more than {MAX_EVENT_CHARACTERS >> 20} MB,"
                " which is no part of a reply.",
                "Look into the server's log.",
            )
