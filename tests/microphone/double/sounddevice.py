"""Stands in for sounddevice in the microphone's process: devices and their sound as `plan` says."""

from __future__ import annotations

import threading
import wave
from typing import Any

plan: dict[str, Any] = {}
"""`devices`, `wave` (heard at once), `then` ("noise", "zeros", "gone"), `refuses` (an error code)."""

BLOCK_SECONDS = 0.02


class PortAudioError(Exception):
    pass


class default:  # noqa: N801  # as sounddevice has it
    device = (0, 0)


def query_devices() -> list[dict[str, Any]]:
    return [
        {"name": name, "max_input_channels": channels, "default_samplerate": 16000.0}
        for name, channels in plan.get("devices", {"Double": 1}).items()
    ]


class RawInputStream:
    def __init__(self, *, samplerate: int, channels: int, callback: Any, **other: object) -> None:
        assert other == {"device": 0, "dtype": "int16"} or len(plan["devices"]) > 1
        if plan.get("refuses"):
            raise PortAudioError("Device unavailable", plan["refuses"])
        if channels < plan.get("least_channels", 1):
            raise PortAudioError("Invalid number of channels", -9998)
        self._block = round(samplerate * BLOCK_SECONDS) * channels
        self._callback = callback
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        if path := plan.get("wave"):
            with wave.open(path) as file:
                while sound := file.readframes(self._block):
                    self._callback(sound, len(sound) // 2, None, None)
        number = 0
        while plan.get("then", "noise") != "gone" and not self._ended.wait(BLOCK_SECONDS):
            number += 1
            value = 300 + number % 7 if plan.get("then", "noise") == "noise" else 0
            sound = value.to_bytes(2, "little", signed=True) * self._block
            self._callback(sound, self._block, None, None)

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        if plan.get("then") == "gone":
            raise PortAudioError("Unanticipated host error", -9999)

    def close(self) -> None:
        pass


class RawOutputStream:
    def __init__(self, **about: object) -> None:
        assert about == {"samplerate": 16000, "channels": 1, "dtype": "int16"}
        if plan.get("is_mute"):
            raise PortAudioError("Error querying device -1", -9996)

    def __enter__(self) -> RawOutputStream:
        return self

    def __exit__(self, *about: object) -> None:
        pass

    def write(self, sound: bytes) -> None:
        assert sound
