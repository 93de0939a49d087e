"""What was open when the app was left: a small file beside the database.

It is a convenience, not data: a file that is missing, damaged or from a stranger means nothing was
open, and one that cannot be written is left as it is.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_TABS: Final = 20
"""Nobody finds anything among more; the transcript of only one of them is in memory."""

_MAX_BYTES: Final = 4096
_MAX_ID: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class OpenTabs:
    """Conversations that are open side by side."""

    conversation_ids: tuple[int | None, ...]
    """In the order of the tabs; None is the new conversation."""
    current: int
    """Index of the one that is shown."""

    @property
    def current_id(self) -> int | None:
        """The conversation that is shown."""
        return self.conversation_ids[self.current]


class OpenTabsFile:
    """Reads and writes the file.

    Args:
        path: The file; None remembers nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._remembered: OpenTabs | None = None
        self._writing = asyncio.Lock()

    @property
    def remembered(self) -> OpenTabs | None:
        """What the file says, as far as is known."""
        return self._remembered

    async def load(self) -> OpenTabs | None:
        """What was open last; None if nothing sensible is known."""
        if self._path is None:
            return None
        self._remembered = await asyncio.to_thread(_read, self._path)
        return self._remembered

    async def save(self, tabs: OpenTabs) -> None:
        """Remember what is open now, whole or not at all."""
        if self._path is None or tabs == self._remembered:
            return
        async with self._writing:
            self._remembered = tabs
            await asyncio.to_thread(_write, self._path, tabs)


def _read(path: Path) -> OpenTabs | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MAX_BYTES + 1))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    ids, current = found.get("open"), found.get("current")
    if not isinstance(ids, list) or not 0 < len(ids) <= MAX_TABS or not all(map(_is_id, ids)):
        return None
    if type(current) is not int or not 0 <= current < len(ids) or len(set(ids)) < len(ids):
        return None
    return OpenTabs(tuple(ids), current)


def _is_id(value: object) -> bool:
    return value is None or (type(value) is int and 0 < value <= _MAX_ID)


def _write(path: Path, tabs: OpenTabs) -> None:
    text = json.dumps({"open": tabs.conversation_ids, "current": tabs.current})
    with suppress(OSError):
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
