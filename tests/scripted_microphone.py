"""A microphone that hears what a test says, and writes it as the real one does."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from gemma_tui.microphone.interface import Device, Level, Played, Started
from gemma_tui.microphone.level import measure
from gemma_tui.microphone.wave_writer import WaveWriter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from gemma_tui.errors import GemmaError
    from gemma_tui.microphone.interface import RecordEvent

RATE = 1500
"""A hundred samples for every level."""


def speech(count: int, level: float = 0.3) -> list[float]:
    """A voice: so many levels, louder and softer."""
    return [level * (0.6, 1.0, 0.8)[number % 3] for number in range(count)]


class ScriptedMicrophone:
    """Hears `sound`, then waits to be stopped, or raises `error`."""

    def __init__(self, sound: Sequence[float] = (), error: GemmaError | None = None) -> None:
        self.sound = list(sound)
        """Amplitudes, fifteen a second; 1 is full scale."""
        self.error = error
        """Ends the recording, behind the sound."""
        self.list_error: GemmaError | None = None
        self.known: tuple[Device, ...] = (
            Device("Built-in Microphone", 48_000, is_default=True),
            Device("Headset [red]", 16_000),
        )
        self.recorded: list[Path] = []
        self.wanted: list[str] = []
        self.open_count = 0
        self.played: list[Path] = []

    async def devices(self) -> tuple[Device, ...]:
        if self.list_error is not None:
            raise self.list_error
        return self.known

    async def record(
        self, path: Path, device: str, stopping: asyncio.Event, *, is_required: bool = False
    ) -> AsyncGenerator[RecordEvent, None]:
        assert not is_required  # the app takes what there is
        self.recorded.append(path)
        self.wanted.append(device)
        self.open_count += 1
        try:
            names = [item.name for item in self.known]
            if self.sound:
                found = self.known[names.index(device) if device in names else 0]
                yield Started(found.name, found.rate)
            with WaveWriter(path, RATE, 1) as file:
                for amplitude in self.sound:
                    height = min(round(amplitude * 32768), 32767)
                    block = array(
                        "h", [height, -height, *([height // 4, -height // 4] * 49)]
                    ).tobytes()
                    file.write(block)
                    yield Level(file.seconds, *measure(block))
            if self.error is not None:
                raise self.error
            await stopping.wait()
        finally:
            self.open_count -= 1

    async def play(self, path: Path, stopping: asyncio.Event) -> AsyncGenerator[Played, None]:
        self.played.append(path)
        yield Played(1.0)
        await stopping.wait()
