"""What was transcribed so far, in a file for each sound, so that an interrupted run goes on.

One JSON object a line, written and synced when a clip is done: a process that is killed loses the
clip it was at. Readable by the user only, limited in number and size, removed when the sound is
done: transcripts are nobody's business.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import astuple
from typing import TYPE_CHECKING, Final

from gemma_tui.server_name import server_of
from gemma_tui.storage.faults import make_private_folder, storage_faults
from gemma_tui.transcription.clip_text import ClipText

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_FILES: Final = 32
"""Interrupted sounds that are kept, the latest ones."""

MOST_BYTES: Final = 8 << 20
"""Of one file: a day of speech has 1 MB."""

_FORMAT: Final = "transcript 1"


class Journal:
    """The finished clips of one sound.

    Args:
        folder: Where journals are; made when the first clip is written.
        key: Everything that decides what is written: sound, model, prompt, range.
    """

    def __init__(self, folder: Path, key: Iterable[str]) -> None:
        name = hashlib.sha256("\0".join((_FORMAT, *key)).encode(errors="replace")).hexdigest()
        self._folder = folder
        self._path = folder / f"{name}.jsonl"

    def read(self) -> dict[int, ClipText]:
        """Finished clips by where they begin; a damaged line is left out."""
        found: dict[int, ClipText] = {}
        try:
            with self._path.open("rb") as file:
                lines = file.read(MOST_BYTES).splitlines()
        except OSError:
            return found
        for line in lines:
            try:
                clip = ClipText(*json.loads(line))
            except (ValueError, TypeError):
                continue
            if all(type(value) is int for value in (clip.start, clip.stop, clip.next_start)):
                found[clip.start] = clip
        return found

    def add(self, clip: ClipText) -> None:
        """Write a clip down.

        Raises:
            StorageError: It cannot be written.
        """
        with storage_faults(self._path):
            if not self._path.exists():
                make_private_folder(self._folder)
                self._make_room()
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                line = json.dumps(astuple(clip), ensure_ascii=True, separators=(",", ":"))
                # In front, too: what a killed process was writing is no part of this line.
                os.write(descriptor, f"\n{line}\n".encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self) -> None:
        """Forget everything; the sound is done."""
        with storage_faults(self._path):
            self._path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        files = sorted(self._folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        for path in files[: max(0, len(files) - MOST_FILES + 1)]:
            path.unlink(missing_ok=True)


class SessionJournal:
    """The finished clips of one sound, kept as long as the program runs."""

    def __init__(self) -> None:
        self._clips: dict[int, ClipText] = {}

    def read(self) -> dict[int, ClipText]:
        """Finished clips by where they begin."""
        return dict(self._clips)

    def add(self, clip: ClipText) -> None:
        """Keep a clip."""
        self._clips[clip.start] = clip


def model_key(folder: Path) -> str:
    """What tells a model from another, and from another state of the same folder."""
    if server_of(folder):
        return str(folder)
    files = sorted((*folder.glob("*.safetensors"), *folder.glob("*.json")))
    states = [(path.name, path.stat()) for path in files if path.is_file()]
    return repr([(name, found.st_size, found.st_mtime_ns) for name, found in states])


def hash_file(path: Path) -> str:
    """The sha256 of a file.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
