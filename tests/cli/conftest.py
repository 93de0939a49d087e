"""The command line as users run it: a process of its own, with the real engine below it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import wave
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.scenes import endless

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class CommandLine:
    """`gemma-tui` with a home and a temporary folder of its own."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def database(self) -> Path:
        return self.home / "data" / "conversations.db"

    @property
    def environment(self) -> dict[str, str]:
        root = Path(__file__).resolve().parents[2]
        own = {"GEMMA_TUI_HOME": self.home, "TMPDIR": self.temporary, "PYTHONPATH": root}
        return {**os.environ, **{name: str(value) for name, value in own.items()}}

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "gemma_tui", *map(str, arguments)]

    def run(
        self, *arguments: str | Path, pipe: bytes = b"", before: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """Run to the end; `before` is a command that runs it."""
        return subprocess.run(
            [*before, *self.command(*arguments)],
            input=pipe,
            capture_output=True,
            env=self.environment,
            cwd=self.folder,
            check=False,
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Run with its output in a pipe, unbuffered."""
        return subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            cwd=self.folder,
            bufsize=0,
        )


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    (tmp_path / "tmp").mkdir()
    return CommandLine(tmp_path)


@pytest.fixture(scope="session")
def rambling_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in model with a stop token it never says: its answers end only when stopped."""
    return endless(tiny_model, tmp_path_factory.mktemp("rambling"))


@pytest.fixture
def red_picture(tmp_path: Path) -> Path:
    """A PNG of 200 x 100 red pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 200, 100, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff\0\0" * 200) * 100)
    path = tmp_path / "red.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    return path


@pytest.fixture
def silent_clip(tmp_path: Path) -> Path:
    """A WAV of one second; as silence it is valid UTF-8 from its first byte to its last."""
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as clip:
        clip.setnchannels(1)
        clip.setsampwidth(2)
        clip.setframerate(16_000)
        clip.writeframes(bytes(32_000))
    return path
