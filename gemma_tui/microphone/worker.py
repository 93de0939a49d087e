"""The process that speaks to the audio system: lists devices, records into a file, plays one.

A process of its own because the system's libraries write to the terminal as they please, may hang
with a driver, and call back many times a second. It says what happens as lines of JSON on its
standard output; it stops when its standard input closes, so it never outlives the app. Imported
by nobody; sounddevice, and with it PortAudio, is loaded only here.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import wave
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import (
    AudioLibraryError,
    GemmaError,
    MicrophoneError,
    MicrophoneLostError,
    NoMicrophoneError,
    StorageError,
)
from gemma_tui.microphone.level import measure
from gemma_tui.microphone.wave_writer import SAMPLE_BYTES, WaveWriter
from gemma_tui.network import install_guard

if TYPE_CHECKING:
    from typing import TextIO

LEVELS_A_SECOND: Final = 15

FIRST_SECONDS: Final = 6.0
"""How long a device may take to begin: a headset has to change its profile first."""

LOST_SECONDS: Final = 1.5
"""A device that gives no sound for so long has gone: some systems say nothing else."""

_UNAVAILABLE: Final = -9985
"""PortAudio's paDeviceUnavailable."""


class Worker:
    """One job of the process.

    Args:
        audio: The module sounddevice.
        out: Where events go, one line each.
    """

    def __init__(self, audio: Any, out: TextIO) -> None:  # noqa: ANN401  # it has no types
        self._audio = audio
        self._out = out
        self._blocks: SimpleQueue[bytes] = SimpleQueue()
        self._is_stopping = threading.Event()

    def watch(self) -> None:
        """Stop when the standard input closes."""
        threading.Thread(target=self._wait_for_end, daemon=True).start()

    def _wait_for_end(self) -> None:
        while os.read(0, 4096):
            pass
        self._is_stopping.set()
        self._blocks.put(b"")

    def tell(self, kind: str, **values: object) -> None:
        """Write one event."""
        self._out.write(json.dumps({"event": kind, **values}) + "\n")
        self._out.flush()

    def inputs(self) -> list[tuple[int, dict[str, Any]]]:
        """Numbers and descriptions of everything that can be recorded from."""
        found = enumerate(self._audio.query_devices())
        return [(number, dict(item)) for number, item in found if item["max_input_channels"] > 0]

    def list(self) -> None:
        """Tell the devices."""
        default = self._audio.default.device[0]
        devices = [
            {
                "name": item["name"],
                "rate": round(item["default_samplerate"]),
                "is_default": number == default,
            }
            for number, item in self.inputs()
        ]
        self.tell("devices", devices=devices)

    def record(self, path: Path, wanted: str, *, is_required: bool) -> None:
        """Record from a device, else from the default one, until told to stop."""
        number, device = self._choose(wanted, is_required=is_required)
        rate, name = round(device["default_samplerate"]), device["name"]
        try:
            stream, channels = self._open(number, device, rate)
            with WaveWriter(path, rate, channels) as file:
                try:
                    stream.start()
                    self.tell("started", device=name, rate=rate)
                    self._copy(file, name, rate // LEVELS_A_SECOND * channels * SAMPLE_BYTES)
                finally:
                    self._close(stream)
                self._drain(file)
        except self._audio.PortAudioError as error:
            raise _refused(name, error) from error

    def _choose(self, wanted: str, *, is_required: bool) -> tuple[int, dict[str, Any]]:
        found = self.inputs()
        if not found:
            raise NoMicrophoneError("No microphone is connected.")
        names = [item["name"] for _, item in found]
        word = wanted.casefold()
        for index, name in enumerate(names):
            if wanted and (name == wanted or (is_required and word == str(index + 1))):
                return found[index]
        alike = [index for index, name in enumerate(names) if word in name.casefold()]
        if is_required and wanted:
            if len(alike) != 1:
                count = "Several microphones have" if alike else "No microphone has"
                raise NoMicrophoneError(
                    f"{count} “{wanted}” in their name."
                    if alike
                    else f"{count} the name “{wanted}”.",
                    f"There are: {', '.join(names)}.",
                )
            return found[alike[0]]
        default = self._audio.default.device[0]
        return next((pair for pair in found if pair[0] == default), found[0])

    def _open(self, number: int, device: dict[str, Any], rate: int) -> tuple[Any, int]:
        """One channel, or as many as the device insists on."""
        most = min(int(device["max_input_channels"]), 2)
        for channels in dict.fromkeys((1, most)):
            try:
                return self._stream(number, rate, channels), channels
            except self._audio.PortAudioError:
                if channels == most:
                    raise
        raise AssertionError("a device without channels was chosen")

    def _stream(self, number: int, rate: int, channels: int) -> Any:  # noqa: ANN401  # as `Worker`
        def take(sound: Any, *_about: object) -> None:  # noqa: ANN401  # a buffer of the library's
            self._blocks.put(bytes(sound))

        return self._audio.RawInputStream(
            samplerate=rate, device=number, channels=channels, dtype="int16", callback=take
        )

    def _copy(self, file: WaveWriter, name: str, size: int) -> None:
        """Sound to the disk, in pieces of `size` bytes, and levels to whoever started this."""
        waiting, patience = bytearray(), FIRST_SECONDS
        while not self._is_stopping.is_set() and not file.is_full:
            try:
                waiting += self._blocks.get(timeout=patience)
            except Empty:
                self._keep(file, bytes(waiting))
                raise _lost(name, file.seconds) from None
            patience = LOST_SECONDS
            while len(waiting) >= size:
                self._keep(file, bytes(waiting[:size]))
                del waiting[:size]
        self._keep(file, bytes(waiting))

    def _drain(self, file: WaveWriter) -> None:
        """What came while the stream was being closed: the end of the last word."""
        rest = bytearray()
        while not self._blocks.empty():
            rest += self._blocks.get()
        if rest and not file.is_full:
            self._keep(file, bytes(rest))

    def _keep(self, file: WaveWriter, sound: bytes) -> None:
        if not sound:
            return
        try:
            file.write(sound)
        except OSError as error:
            raise StorageError(
                f"The recording cannot be written any further ({error.strerror}).",
                "What was recorded so far is kept; free some space and record the rest.",
            ) from error
        peak, loudness = measure(sound)
        self.tell("level", seconds=file.seconds, peak=peak, loudness=loudness)

    def _close(self, stream: Any) -> None:  # noqa: ANN401  # as `Worker`
        try:
            stream.stop()
            stream.close()
        except self._audio.PortAudioError:
            pass  # a device that has gone cannot be closed either

    def play(self, path: Path) -> None:
        """Play a file until its end, or until told to stop."""
        with wave.open(str(path), "rb") as file:
            rate, channels = file.getframerate(), file.getnchannels()
            step, done = max(rate // LEVELS_A_SECOND, 1), 0
            try:
                stream = self._audio.RawOutputStream(
                    samplerate=rate, channels=channels, dtype="int16"
                )
                with stream:
                    while not self._is_stopping.is_set() and (sound := file.readframes(step)):
                        stream.write(sound)
                        done += len(sound) // (SAMPLE_BYTES * channels)
                        self.tell("played", seconds=done / rate)
            except self._audio.PortAudioError as error:
                raise MicrophoneError(
                    f"The recording cannot be played ({_reason(error)}).",
                    "Look whether headphones or a loudspeaker are connected.",
                ) from error


def _lost(name: str, seconds: float) -> MicrophoneLostError:
    if not seconds:
        return MicrophoneLostError(
            f"“{name}” gives no sound at all.", "Plug it in again, or choose another one."
        )
    return MicrophoneLostError(
        f"“{name}” has disappeared after {seconds:.0f} s.",
        "What was recorded is kept; plug it in again, or choose another one.",
    )


def _refused(name: str, error: Exception) -> MicrophoneError:
    if len(error.args) > 1 and error.args[1] == _UNAVAILABLE:
        return MicrophoneError(
            f"“{name}” cannot be opened: it was unplugged, or another program holds it.",
            "Close that program, or choose another microphone.",
        )
    return MicrophoneError(
        f"“{name}” cannot be opened ({_reason(error)}).", "Choose another microphone."
    )


def _reason(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__


def _load() -> Any:  # noqa: ANN401  # sounddevice has no types
    try:
        import sounddevice  # noqa: PLC0415  # only this process loads it
    except ImportError as error:
        raise AudioLibraryError(
            "Recording needs the Python package sounddevice, which is not installed.",
            "Install gemma-tui again with all it depends on.",
        ) from error
    except OSError as error:  # what it raises without PortAudio
        raise AudioLibraryError(
            "Recording needs the library PortAudio, which is not installed.",
            "Install it with: sudo apt install libportaudio2"
            " (Fedora: sudo dnf install portaudio; macOS: it comes with sounddevice).",
        ) from error
    return sounddevice


def _run(worker: Worker, arguments: list[str]) -> None:
    match arguments:
        case ["list"]:
            worker.list()
        case ["record", path, device, required]:
            worker.watch()
            worker.record(Path(path), device, is_required=required == "required")
        case ["play", path]:
            worker.watch()
            worker.play(Path(path))
        case _:
            raise AssertionError(f"no such job: {arguments}")


def main() -> int:
    """Do what the arguments say; the exit code is for people who look."""
    install_guard()
    # What the libraries print goes to the log, which is the standard error.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker(None, out)
    try:
        worker = Worker(_load(), out)
        try:
            _run(worker, sys.argv[1:])
        except (OSError, wave.Error, EOFError) as error:
            raise StorageError(f"The recording cannot be opened ({error}).") from error
    except GemmaError as error:
        worker.tell("failed", error=type(error).__name__, message=error.message, hint=error.hint)
        return 1
    worker.tell("ended")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # PortAudio's own end may hang with a device that has gone
