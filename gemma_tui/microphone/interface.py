"""What a microphone is to those who record with it: devices, and what happens while it does.

Values and one protocol: `client` is the real thing, tests have another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Device:
    """Something that sound comes from."""

    name: str
    """As the system calls it; numbers change when something is plugged in, names do not."""
    rate: int
    """Samples a second, its own."""
    is_default: bool = False
    """Whether the system takes it unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Started:
    """Sound is about to come."""

    device: str
    rate: int
    """Samples a second, the device's own."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a piece of sound was. It is on the disk already."""

    seconds: float
    """What is recorded up to its end."""
    peak: float
    """The farthest sample from 0; 1 is full scale."""
    loudness: float
    """Root of the mean square; 1 is full scale."""


@dataclass(frozen=True, slots=True)
class Played:
    """Playing has come this far."""

    seconds: float


RecordEvent: TypeAlias = Started | Level


class Microphone(Protocol):
    """Records into files."""

    async def devices(self) -> tuple[Device, ...]:
        """What there is to record from, empty if nothing.

        Raises:
            AudioLibraryError: Something has to be installed first.
            MicrophoneError: The audio system cannot be asked.
        """

    def record(
        self, path: Path, device: str, stopping: asyncio.Event, *, is_required: bool = False
    ) -> AsyncGenerator[RecordEvent, None]:
        """Record until told to stop; the file is a valid WAV at every moment, whatever dies.

        Args:
            path: The file; what it holds is overwritten.
            device: A name, a part of one, or a number of `devices`; empty is the default.
            stopping: Set it to end the recording in order.
            is_required: Whether to fail rather than take the default if there is no such device.

        Yields:
            `Started`, and then `Level` fifteen times a second.

        Raises:
            AudioLibraryError: Something has to be installed first.
            NoMicrophoneError: There is none, or not the one that is required.
            MicrophoneLostError: It disappeared; the file holds what came before.
            MicrophoneError: The audio system refuses.
            StorageError: The file cannot be written.
        """

    def play(self, path: Path, stopping: asyncio.Event) -> AsyncGenerator[Played, None]:
        """Play a recording until its end, or until told to stop.

        Args:
            path: A WAV file of 16 bits.
            stopping: Set it to fall silent.

        Yields:
            How far it is.

        Raises:
            MicrophoneError: It cannot be played.
        """
