"""Where recordings lie until they are attached, and how those of a program that died are found.

A recording is locked by the process that makes it; the lock dies with it, however it ends.
"""

from __future__ import annotations

import os
import time
import wave
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.storage.faults import make_private_folder, storage_faults
from gemma_tui.storage.instance import try_lock

if TYPE_CHECKING:
    from pathlib import Path

MIN_SECONDS: Final = 0.3
"""What is shorter is a slip of the finger; nobody is asked about it."""


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A recording that is not attached yet."""

    path: Path
    seconds: float
    descriptor: int
    """Holds the lock."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.path.name

    def release(self) -> None:
        """Leave the file, for now or until the next start."""
        os.close(self.descriptor)

    def remove(self) -> None:
        """Throw it away."""
        self.path.unlink(missing_ok=True)
        self.release()


class RecordingFolder:
    """A private folder of WAV files.

    Args:
        folder: Created with the first recording.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> KeptRecording:
        """A new, empty file, locked.

        Raises:
            StorageError: The folder cannot be written.
        """
        with storage_faults(self._folder / "recording"):
            make_private_folder(self._folder)
            stem = recording_name()
            for number in range(1, 1000):
                path = self._folder / (f"{stem}.wav" if number == 1 else f"{stem} {number}.wav")
                with suppress(FileExistsError):
                    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                    try_lock(descriptor)
                    return KeptRecording(path, 0.0, descriptor)
            raise FileExistsError(f"{stem} 1000.wav")

    def left(self) -> tuple[KeptRecording, ...]:
        """Recordings that nobody makes or looks at any more, the oldest first, locked now.

        Too short ones are removed. What cannot be read is left alone.
        """
        found = []
        with suppress(OSError):
            for path in sorted(self._folder.glob("*.wav")):
                kept = _take_up(path)
                if kept is not None and kept.seconds < MIN_SECONDS:
                    kept.remove()
                elif kept is not None:
                    found.append(kept)
        return tuple(found)


def recording_name() -> str:
    """A name by the clock of this machine: `recording 2026-11-25 09.41.07`."""
    return time.strftime("recording %Y-%m-%d %H.%M.%S")


def seconds_of(path: Path) -> float:
    """How long a WAV is by its header; 0 if it is none."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, wave.Error, EOFError):
        return 0.0


def _take_up(path: Path) -> KeptRecording | None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    if not try_lock(descriptor):
        os.close(descriptor)
        return None
    return KeptRecording(path, seconds_of(path), descriptor)
