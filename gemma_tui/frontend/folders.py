"""A folder that was dropped: its pictures are offered, and nothing of it is added without a yes.

Looks at names and sizes only; whether a file is the picture its name promises is found out when it
is attached.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.byte_size import format_size
from gemma_tui.errors import NotAFileError
from gemma_tui.preprocessing.budget import AUTO, DEFAULT_TOKEN_BUDGET, TOKEN_BUDGETS
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gemma_tui.preprocessing.budget import TokenBudget

MAX_PICTURES: Final = 50
"""Of one folder: at the usual budget about 13,000 tokens, and a minute of reading on a laptop."""

MAX_ENTRIES: Final = 20_000
"""Names looked at in one folder."""

SUFFIXES: Final = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"),
        *(".heic", ".heif", ".jp2", ".j2k"),
    }
)
"""What pictures are called, in lower case."""

_DIGITS: Final = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class FolderOffer:
    """What a folder would bring."""

    folder: Path
    pictures: tuple[Path, ...]
    """Those that would be attached, by their names, numbers in them by their value."""
    size_bytes: int
    """Of those together."""
    left_out: int
    """Pictures beyond the limit."""


def pictures_in(folder: Path) -> FolderOffer:
    """The pictures that lie in a folder, not those in folders below it, and no hidden ones.

    Raises:
        NotAFileError: It may not be read, or has none.
    """
    name = sanitize_line(folder.name)
    found: list[tuple[Path, int]] = []
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(MAX_ENTRIES), entries, strict=False):
                if not entry.name.startswith(".") and _is_named_picture(entry.name):
                    status = _status(entry)
                    if status is not None and stat.S_ISREG(status.st_mode):
                        found.append((Path(entry.path), status.st_size))
    except OSError as error:
        message = f"The folder “{name}” cannot be read ({error.strerror or error})."
        raise NotAFileError(message, "Check its permissions, or choose a file.") from error
    if not found:
        hint = "Choose a file. Pictures in folders below it are not looked for."
        raise NotAFileError(f"“{name}” is a folder without pictures.", hint)
    found.sort(key=lambda item: _natural(item[0].name))
    kept = found[:MAX_PICTURES]
    size = sum(size for _, size in kept)
    return FolderOffer(folder, tuple(path for path, _ in kept), size, len(found) - len(kept))


def _is_named_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122  # a name, not a path


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What a name leads to; None if that is nothing any more."""
    try:
        return entry.stat()
    except OSError:
        return None


def _natural(name: str) -> list[tuple[int, str]]:
    """`2.png` before `10.png`."""
    pieces = _DIGITS.split(name.casefold())
    return [(int(p[:18]), p) if p.isdecimal() and p.isascii() else (0, p) for p in pieces]


class Folders:
    """Puts the pictures of folders in their place.

    Args:
        agrees: Shows an offer, and waits for a yes or a no.
    """

    def __init__(self, agrees: Callable[[FolderOffer], Awaitable[bool]]) -> None:
        self._agrees = agrees

    async def opened(
        self, paths: Sequence[Path]
    ) -> tuple[tuple[Path, ...], tuple[NotAFileError, ...]]:
        """The files among `paths`, and the pictures of folders that were agreed to, in order.

        Returns:
            The files, and what is wrong with folders that have no pictures or may not be read.
        """
        found: list[Path] = []
        failures: list[NotAFileError] = []
        for path in paths:
            if not await asyncio.to_thread(os.path.isdir, path):  # it never raises
                found.append(path)
                continue
            try:
                offer = await asyncio.to_thread(pictures_in, path)
            except NotAFileError as error:
                failures.append(error)
                continue
            if await self._agrees(offer):
                found.extend(offer.pictures)
        return tuple(found), tuple(failures)


def offer_budget(chosen: TokenBudget | None, default: int | None) -> int:
    """The most soft tokens that a picture of a folder may cost.

    Args:
        chosen: What the user set for new pictures; None if nothing.
        default: Of the loaded model; None while there is none.
    """
    if chosen is None:
        return default or DEFAULT_TOKEN_BUDGET
    return TOKEN_BUDGETS[-1] if chosen == AUTO else chosen


def offer_words(offer: FolderOffer, budget: int) -> str:
    """What a folder would bring and cost.

    Args:
        offer: What lies in it.
        budget: The most soft tokens that one of its pictures may cost.
    """
    return "Attach " + described_offer(offer, budget, separator="?\n")


def described_offer(offer: FolderOffer, budget: int, separator: str = ": ") -> str:
    """As `offer_words`, without asking.

    Args:
        offer: What lies in the folder.
        budget: The most soft tokens that one of its pictures may cost.
        separator: Between what it is and what it costs.
    """
    count, name = len(offer.pictures), sanitize_line(offer.folder.name)
    size = format_size(offer.size_bytes)
    ones = "1 picture" if count == 1 else f"{count} pictures"
    more = f", the first of {count + offer.left_out:,} by their names" if offer.left_out else ""
    each = f" ({count} × {budget:,})" if count > 1 else ""
    return (
        f"{ones} from the folder “{name}”{more}{separator}"
        f"{size}, at most {count * budget:,} tokens{each}."
    )
