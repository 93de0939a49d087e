"""What a clipboard may hold, as values, and the promise to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CopiedPicture:
    """A picture, as the bytes of a file."""

    content: bytes
    suffix: str
    """Of a file of this format, with its dot; for people only."""


@dataclass(frozen=True, slots=True)
class CopiedFiles:
    """Files and folders that a file manager copied."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class CopiedText:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class NothingCopied:
    """The clipboard is empty."""


@dataclass(frozen=True, slots=True)
class OtherCopied:
    """Something that is neither a picture, nor files, nor text."""

    kinds: tuple[str, ...]
    """As its owner names what it offers."""


ClipboardContent: TypeAlias = CopiedPicture | CopiedFiles | CopiedText | NothingCopied | OtherCopied


class Clipboard(Protocol):
    """Something that can be pasted from."""

    async def read(self) -> ClipboardContent:
        """What it holds now.

        Raises:
            ClipboardError: It cannot be read.
        """
