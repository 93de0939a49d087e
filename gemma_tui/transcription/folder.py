"""What is being written down, kept on disk so that a program that died can go on.

A journal has the finished clips. A note beside it says whose they are; it is locked by the process
that writes, and the lock dies with it, however it ends.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.storage.faults import make_private_folder, storage_faults
from gemma_tui.storage.instance import try_lock
from gemma_tui.transcription.journal import MOST_FILES, Journal, SessionJournal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_NOTE_BYTES: Final = 65_536
"""A name has 255 bytes, and a language forty characters."""

AnyJournal: TypeAlias = Journal | SessionJournal


@dataclass(frozen=True, slots=True)
class Undertaking:
    """A sound that is being written down, and how."""

    sha256: str
    name: str
    """As a user knows it; whoever shows it sanitises it."""
    language: str
    translation: str
    key: tuple[str, ...]
    """Of its journal: everything that decides what is written."""
    clips: int = 0
    """Finished ones, as far as that is known."""


class TranscriptFolder:
    """Journals and the notes beside them.

    Args:
        folder: Made when something is written down; None keeps everything in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._in_memory: dict[tuple[str, ...], SessionJournal] = {}
        self._notes: dict[tuple[str, ...], int] = {}
        """File descriptors of locked notes."""

    def journal(self, key: tuple[str, ...]) -> AnyJournal:
        """The finished clips of a sound."""
        if self._folder is None:
            return self._in_memory.setdefault(key, SessionJournal())
        return Journal(self._folder, key)

    def begin(self, work: Undertaking) -> None:
        """Note that a sound is being written down, until `stop` or `finish`.

        Raises:
            StorageError: It cannot be written.
        """
        if self._folder is None or work.key in self._notes:
            return
        path = self._note(work)
        with storage_faults(path):
            make_private_folder(self._folder)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._notes[work.key] = descriptor
            try_lock(descriptor)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(asdict(work)).encode())

    def stop(self, work: Undertaking) -> None:
        """Forget the note: nobody shall be told of it. What is finished is kept."""
        descriptor = self._notes.pop(work.key, None)
        if descriptor is not None:
            self._note(work).unlink(missing_ok=True)
            os.close(descriptor)

    def leave(self, work: Undertaking) -> None:
        """Leave the note for the next start, as a program that dies does."""
        if (descriptor := self._notes.pop(work.key, None)) is not None:
            os.close(descriptor)

    def finish(self, work: Undertaking) -> None:
        """Forget note and journal: everything is delivered.

        Raises:
            StorageError: The journal cannot be removed.
        """
        self.stop(work)
        if self._folder is None:
            self._in_memory.pop(work.key, None)
        else:
            Journal(self._folder, work.key).remove()

    def left(self) -> tuple[Undertaking, ...]:
        """What programs that died were writing down, the oldest first; each is told once."""
        if self._folder is None:
            return ()
        return tuple(self._take_up())

    def _take_up(self) -> Iterator[Undertaking]:
        assert self._folder is not None
        with suppress(OSError):
            paths = sorted(self._folder.glob("*.begun"), key=lambda path: path.stat().st_mtime)
            for path in paths[-MOST_FILES:]:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    if not try_lock(descriptor):
                        continue
                    work = _read(os.read(descriptor, MOST_NOTE_BYTES))
                    path.unlink(missing_ok=True)
                finally:
                    os.close(descriptor)
                if work is not None and (known := Journal(self._folder, work.key).read()):
                    yield replace(work, clips=len(known))

    def _note(self, work: Undertaking) -> Path:
        assert self._folder is not None
        name = hashlib.sha256("\0".join(work.key).encode(errors="replace")).hexdigest()
        return self._folder / f"{name}.begun"


def _read(content: bytes) -> Undertaking | None:
    """What a note says; None if it is damaged."""
    try:
        found = json.loads(content)
        words = [found[name] for name in ("sha256", "name", "language", "translation")]
        key = found["key"]
    except (ValueError, TypeError, KeyError):
        return None
    if not all(isinstance(word, str) for word in (*words, *key)):
        return None
    sha256, name, language, translation = words
    return Undertaking(sha256, name, language, translation, tuple(key))
