"""`gemma-tui record`: the microphone into a WAV file, without the app.

The path goes to standard output, the level meter to standard error if somebody watches.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.cli.output import Progress
from gemma_tui.errors import MicrophoneError, NoMicrophoneError, StorageError, UsageError
from gemma_tui.microphone.advice import advice
from gemma_tui.microphone.client import SystemMicrophone
from gemma_tui.microphone.interface import Level, Started
from gemma_tui.microphone.level import SILENCE_DB
from gemma_tui.microphone.take import Take, time_words
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.microphone.interface import Device, Microphone, RecordEvent
    from gemma_tui.paths import Paths

_METER_COLUMNS: Final = 20


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """What the command line asks for."""

    path: Path
    device: str = ""
    """A name, a part of one, or a number of the list; empty is the default."""
    is_required: bool = False
    """Whether the device was named on the command line, not in the settings."""
    seconds: float | None = None


def run_record(order: RecordOrder, paths: Paths) -> int:
    """Record until Enter, Ctrl-C or the given time; the file is there whatever ends it.

    Returns:
        The exit code.

    Raises:
        UsageError: The file exists already.
        MicrophoneError: Nothing can be recorded, or the device disappeared.
        StorageError: The file cannot be written.
    """
    return asyncio.run(_record(order, SystemMicrophone(paths.microphone_log)))


def run_list(paths: Paths) -> int:
    """Print what there is to record from, the default marked; returns the exit code.

    Raises:
        MicrophoneError: There is nothing, or it cannot be found out.
    """
    devices = asyncio.run(SystemMicrophone(paths.microphone_log).devices())
    if not devices:
        raise NoMicrophoneError("No microphone is connected.")
    sys.stdout.write("".join(map(_row, range(1, len(devices) + 1), devices)))
    sys.stdout.flush()
    return 0


def _row(number: int, device: Device) -> str:
    mark = " (default)" if device.is_default else ""
    return f"{number}  {sanitize_line(device.name)} · {device.rate / 1000:g} kHz{mark}\n"


async def _record(order: RecordOrder, microphone: Microphone) -> int:
    _create(order.path)
    recording = _Recording(order)
    code = 0
    try:
        code = await recording.run(microphone)
    finally:
        if recording.take.seconds:
            sys.stdout.write(f"{order.path}\n")
            sys.stdout.flush()
        else:
            order.path.unlink(missing_ok=True)
    if not recording.take.seconds and not code:
        raise MicrophoneError("Nothing was recorded.", "Speak before you stop.")
    return code


def _create(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise UsageError(f"{path} exists already.", "Choose another name.") from error
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}).", "Choose another place."
        ) from error


class _Recording:
    """One recording, followed on the terminal."""

    def __init__(self, order: RecordOrder) -> None:
        self._order = order
        self._progress = Progress(sys.stderr)
        self._stopping = asyncio.Event()
        self._code = 0
        self._device = ""
        self._told = ""
        self.take = Take()

    async def run(self, microphone: Microphone) -> int:
        """Record; returns the exit code: that of a signal but Ctrl-C, which is how one stops."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                loop.add_signal_handler(number, self._end, number)
        is_typed = sys.stdin.isatty()
        if is_typed:
            loop.add_reader(sys.stdin.fileno(), self._line_typed)
        self._progress.show("waiting for the microphone")
        order = self._order
        try:
            events = microphone.record(
                order.path, order.device, self._stopping, is_required=order.is_required
            )
            async with aclosing(events):
                async for event in events:
                    self._take_in(event)
        finally:
            self._progress.clear()
            if is_typed:
                loop.remove_reader(sys.stdin.fileno())
        return self._code

    def _end(self, number: int) -> None:
        self._code = 0 if number == signal.SIGINT else 128 + number
        self._stopping.set()

    def _line_typed(self) -> None:
        with suppress(OSError):
            os.read(sys.stdin.fileno(), 4096)
        self._stopping.set()

    def _take_in(self, event: RecordEvent) -> None:
        match event:
            case Started(device):
                self._device = device
                if self._order.device and not self._order.is_required:
                    self._tell_other_device(device)
            case Level():
                self.take = self.take.after(event)
                self._tell_fault()
                self._progress.show(meter_line(self.take))
                limit = self._order.seconds
                if limit is not None and event.seconds >= limit:
                    self._stopping.set()

    def _tell_other_device(self, device: str) -> None:
        if device != self._order.device:
            self._progress.tell(f"“{self._order.device}” is not connected; “{device}” is taken.")

    def _tell_fault(self) -> None:
        fault = self.take.fault
        if fault and fault != self._told:
            self._told = fault
            self._progress.tell(advice(fault, self._device, os.environ, has_keys=False))


def meter_line(take: Take) -> str:
    """Time, meter and clip in one line."""
    filled = round((1 - take.loudness / SILENCE_DB) * _METER_COLUMNS)
    bar = "█" * filled + "·" * (_METER_COLUMNS - filled)
    peak = f"{take.peak:.0f} dB".replace("-", "−") if take.peak > SILENCE_DB else "silence"
    return f"{time_words(take.seconds)}  {bar}  {peak}  Enter stops"
