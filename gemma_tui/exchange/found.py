"""What a file of conversations yields while it is read, whoever wrote it.

First the bytes, then the conversation that uses them: a `MediaFile` is known by a key, and an
attachment of a later `Tree` with that key as its `sha256` is filled in from what the bytes are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.storage.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class MediaFile:
    """Bytes of an attachment, put into a file that the reader takes away after the next step."""

    key: str
    path: Path
    name: str
    is_own: bool = False
    """Whether this program exported it: then the key is the sha256, and it may be a text."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that is left out; the rest is read."""

    sentence: str


Found: TypeAlias = MediaFile | Tree | Skipped

MAX_SENTENCES: Final = 20
"""So many of what was left out are told one by one."""


@dataclass(slots=True)
class Report:
    """What an import did."""

    format_name: str
    conversations: int = 0
    messages: int = 0
    attachments: int = 0
    skipped: int = 0
    present: int = 0
    """How many of what was left out are conversations that are here already."""
    sentences: list[str] = field(default_factory=list)
    """The first of what was left out, and why."""
    ids: list[int] = field(default_factory=list)
    """The new conversations, in the order of the file."""

    @property
    def summary(self) -> str:
        """What an import did, in a sentence or two."""
        some = f"{self.conversations} conversation{'' if self.conversations == 1 else 's'}"
        left = f" {self.skipped} things were left out." if self.skipped else ""
        return f"Imported {some} from {self.format_name}.{left}"

    def leave_out(self, sentence: str) -> None:
        """Note something that was left out."""
        self.skipped += 1
        if len(self.sentences) < MAX_SENTENCES:
            self.sentences.append(sentence)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was recognised.

    Every step of `found` may raise `ExchangeError`. A source with `is_sorted` False has no order of
    its own: its conversations are shown in the order of their times.
    """

    format_name: str
    found: Iterator[Found]
    is_sorted: bool
    is_own: bool = False
    """Whether this program wrote it, so that what is in it can be recognised."""
