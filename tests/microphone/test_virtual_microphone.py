"""A real audio system: PulseAudio with a virtual microphone, recorded through PortAudio.

Needs the system packages pulseaudio, libportaudio2 and libasound2-plugins; skipped without them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import wave
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

import pytest

from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.errors import MicrophoneLostError
from gemma_tui.microphone.client import SystemMicrophone
from gemma_tui.microphone.folder import seconds_of
from gemma_tui.microphone.interface import Level
from tests.microphone.conftest import DIGITS
from tests.tui.conftest import running_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.scripted_engine import ScriptedEngine

ALSA = "pcm.!default {type pulse}\nctl.!default {type pulse}\n"
MODULES = (
    "module-null-sink sink_name=loudspeaker rate=48000 channels=1",
    "module-remap-source master=loudspeaker.monitor source_name=microphone",
)


def missing() -> str:
    """What keeps these tests from running, if anything."""
    programs = [name for name in ("pulseaudio", "pactl", "paplay") if not shutil.which(name)]
    if programs:
        return f"not installed: {', '.join(programs)} (apt-get install pulseaudio)"
    probe = subprocess.run(
        [sys.executable, "-c", "import sounddevice"], capture_output=True, text=True, check=False
    )
    return "" if probe.returncode == 0 else f"no PortAudio: {probe.stderr.splitlines()[-1]}"


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """An audio server of this test's own; what is played on it is what the microphone hears."""
    if reason := missing():
        pytest.skip(reason)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".asoundrc").write_text(ALSA)
    socket = tmp_path / "pulse"
    for name, value in (("HOME", home), ("XDG_RUNTIME_DIR", home), ("PULSE_RUNTIME_PATH", home)):
        monkeypatch.setenv(name, str(value))
    protocol = f"module-native-protocol-unix socket={socket} auth-anonymous=1"
    loads = [word for module in (*MODULES, protocol) for word in ("-L", module)]
    fixed = ("-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no")
    with subprocess.Popen(
        ["pulseaudio", *fixed, *loads], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        monkeypatch.setenv("PULSE_SERVER", f"unix:{socket}")
        try:
            while subprocess.run(
                ["pactl", "set-default-source", "microphone"], capture_output=True, check=False
            ).returncode:
                assert server.poll() is None, "the audio server ended"
            yield server
        finally:
            server.kill()


async def play(path: Path) -> None:
    """Play a file to its end."""
    process = await asyncio.create_subprocess_exec("paplay", str(path))
    assert await process.wait() == 0


@pytest.mark.usefixtures("pulse")
async def test_what_is_said_into_the_app_is_heard_right(paths: Paths) -> None:
    engine = EngineClient(
        paths.engine_log, command=worker_command(paths.engine_log, paths.engine_cache)
    )
    opened = running_app(
        paths,
        cast("ScriptedEngine", engine),
        arguments={},
        microphone=SystemMicrophone(paths.microphone_log),
    )
    try:
        async with opened as running:
            await running.until(lambda: engine.state.phase == "ready", "the model")
            await running.pilot.press("f9")
            await running.shown("clip 1")
            (path,) = paths.recordings.glob("*.wav")
            await play(DIGITS)
            spoken = seconds_of(path)
            await running.until(lambda: seconds_of(path) > spoken + 0.5, "its last word")
            await running.pilot.press("enter")
            await running.until(running.chips, "the chip")
            await running.send("what do you hear?")
            await running.until(lambda: "ready" in running.status and "3 1 4" in running.text())
    finally:
        await engine.close()


async def test_a_real_device_that_disappears_is_noticed_and_nothing_is_lost(
    pulse: subprocess.Popen[bytes], paths: Paths, tmp_path: Path
) -> None:
    path = tmp_path / "take.wav"
    microphone = SystemMicrophone(paths.microphone_log)
    heard = [0.0]

    async def record() -> None:
        async with aclosing(microphone.record(path, "", asyncio.Event())) as events:
            async for event in events:
                if isinstance(event, Level):
                    heard.append(event.seconds)
                    if event.seconds > 1:
                        pulse.kill()

    with pytest.raises(MicrophoneLostError, match="disappeared"):
        await record()
    assert heard[-1] > 1
    assert seconds_of(path) == pytest.approx(heard[-1])


@pytest.mark.usefixtures("pulse")
async def test_a_muted_source_gives_exact_zeros_which_are_said(
    paths: Paths, tmp_path: Path
) -> None:
    # `record` as a whole, the library's own pieces of sound included.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gemma_tui", "record", str(tmp_path / "take.wav"), "--seconds", "1",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "GEMMA_TUI_HOME": str(paths.data)},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err
    assert "Only silence arrives" in err.decode()
    assert out.decode() == f"{tmp_path / 'take.wav'}\n"
    with wave.open(str(tmp_path / "take.wav"), "rb") as file:
        assert file.getnframes() >= file.getframerate()
        assert not any(file.readframes(10**6))
