"""Finds files by a piece of their path, quickly also in big trees. Reads folders, never a file."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_ENTRIES: Final = 20_000
"""Names looked at in one search: about 0.1 s on a laptop's disk."""

MAX_SECONDS: Final = 0.5
"""Where a disk is slow, fewer; what was found by then is shown."""

MAX_FOUND: Final = 50
"""Nobody scrolls through more; another letter narrows them down."""

_SKIPPED: Final = frozenset(
    {"node_modules", "__pycache__", "target", "dist", "build", "venv", "site-packages"}
)
"""Folders that tools fill; their files are found when the folder is named. Hidden ones as well."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file or folder."""

    path: Path
    shown: str
    """As one would type it: relative to the working folder, or beginning with `~` or `/`. May hold
    any characters a name can have; whoever shows it sanitises it."""
    is_folder: bool


def search_files(typed: str, folder: Path) -> tuple[FoundFile, ...]:
    """Files whose path fits what was typed, the best first; at most `MAX_FOUND`.

    With a slash, the names in that one folder that go on as typed; without, whatever lies below
    `folder`. Hidden names count only where a dot is typed.

    Args:
        typed: A piece of a path; `~` and absolute paths may be used.
        folder: What relative paths start from.
    """
    head, slash, start = typed.rpartition("/")
    if typed == "~":
        head, slash, start = "~", "/", ""
    if slash:
        place = Path(os.path.expanduser(f"{head}/"))  # noqa: PTH111  # an unknown ~user stays
        found = _listed(folder / place, f"{head}/", deadline=time.monotonic() + MAX_SECONDS)
    else:
        found = _below(folder, deadline=time.monotonic() + MAX_SECONDS)
    if not start.startswith("."):
        found = (item for item in found if not item.path.name.startswith("."))
    return _best(found, start.casefold())


def _listed(place: Path, prefix: str, *, deadline: float) -> Iterator[FoundFile]:
    """What one folder holds, in any order; nothing if it cannot be read."""
    try:
        with os.scandir(place) as entries:
            for count, entry in enumerate(entries):
                if count >= MAX_ENTRIES or time.monotonic() > deadline:
                    return
                if (is_folder := _is_folder(entry)) is not None:
                    yield FoundFile(place / entry.name, prefix + entry.name, is_folder)
    except (OSError, ValueError):
        return


def _is_folder(entry: os.DirEntry[str]) -> bool | None:
    """Whether an entry is a folder; None for what is neither that nor a regular file."""
    try:
        mode = entry.stat().st_mode
    except OSError:
        return None
    return stat.S_ISDIR(mode) if stat.S_ISDIR(mode) or stat.S_ISREG(mode) else None


def _below(folder: Path, *, deadline: float) -> Iterator[FoundFile]:
    """The tree, nearest first; links to folders are not followed, as they may lead back."""
    waiting = deque([(folder, "")])
    count = 0
    while waiting and count < MAX_ENTRIES:
        place, prefix = waiting.popleft()
        for item in _listed(place, prefix, deadline=deadline):
            count += 1
            yield item
            name = item.path.name
            is_hidden = name.startswith(".") or name in _SKIPPED
            if item.is_folder and not is_hidden and not item.path.is_symlink():
                waiting.append((item.path, f"{item.shown}/"))


def _best(found: Iterable[FoundFile], start: str) -> tuple[FoundFile, ...]:
    ranked = [(rank, item) for item in found if (rank := _rank(item, start)) is not None]
    ranked.sort(key=lambda pair: (pair[0], pair[1].shown.count("/"), pair[1].shown.casefold()))
    return tuple(item for _, item in ranked[:MAX_FOUND])


def _rank(item: FoundFile, start: str) -> int | None:
    """How well a path fits, 0 the best; None if it does not."""
    name = item.path.name.casefold()
    if name.startswith(start):
        return 0
    if start in name:
        return 1
    if start in item.shown.casefold():
        return 2
    return 3 if _holds_in_order(name, start) else None


def _holds_in_order(name: str, letters: Sequence[str]) -> bool:
    rest = iter(name)
    return all(letter in rest for letter in letters)
