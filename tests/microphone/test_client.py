"""Recording through the real process: what is on the disk, and what is said when it goes wrong."""

from __future__ import annotations

import asyncio
import signal
import sys
import wave
from contextlib import aclosing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import (
    AudioLibraryError,
    MicrophoneError,
    MicrophoneLostError,
    NoMicrophoneError,
    StorageError,
)
from gemma_tui.microphone.client import SystemMicrophone
from gemma_tui.microphone.interface import Device, Level, Started
from tests.microphone.conftest import DIGITS, command

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.microphone.interface import RecordEvent
    from gemma_tui.paths import Paths
    from tests.microphone.conftest import Plugger


def samples(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes())


async def record(
    microphone: SystemMicrophone,
    path: Path,
    seconds: float,
    device: str = "",
    *,
    required: bool = False,
) -> list[RecordEvent]:
    """Record until so much is on the disk."""
    stopping = asyncio.Event()
    events = []
    recording = microphone.record(path, device, stopping, is_required=required)
    async with aclosing(recording) as heard:
        async for event in heard:
            events.append(event)
            if isinstance(event, Level) and event.seconds >= seconds:
                stopping.set()
    return events


async def test_what_is_said_is_on_the_disk_sample_for_sample(plug: Plugger, tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    events = await record(plug(wave=str(DIGITS)), path, 2.0)
    assert events[0] == Started("Double", 16000)
    spoken, kept = samples(DIGITS), samples(path)
    assert kept[: len(spoken)] == spoken
    levels = [event for event in events if isinstance(event, Level)]
    assert levels[-1].seconds == len(kept) / 32000
    assert max(level.peak for level in levels) > 0.05
    steps = [after.seconds - before.seconds for before, after in pairwise(levels[:-2])]
    assert min(steps) > 1 / 15.1  # no more than fifteen a second
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)


async def test_a_device_that_only_has_two_channels_is_recorded_with_both(
    plug: Plugger, tmp_path: Path
) -> None:
    path = tmp_path / "take.wav"
    await record(plug(devices={"Mixer": 2}, least_channels=2), path, 0.3)
    with wave.open(str(path), "rb") as file:
        assert file.getnchannels() == 2
        assert file.getnframes() >= 0.3 * 16000


async def test_a_killed_process_leaves_a_valid_file(paths: Paths, tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    process = await asyncio.create_subprocess_exec(
        *command({"wave": str(DIGITS)}), "record", str(path), "", "preferred",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(20):
        assert await process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    kept = samples(path)
    assert len(kept) >= 19 * 2 * (16000 // 15)  # what was told was on the disk
    assert kept == samples(DIGITS)[: len(kept)] or kept.startswith(samples(DIGITS))


async def test_when_the_app_dies_recording_ends_and_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    process = await asyncio.create_subprocess_exec(
        *command({}), "record", str(path), "", "preferred",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    for _ in range(5):
        await process.stdout.readline()
    process.stdin.close()  # as the system does it for a process that is gone
    assert await process.wait() == 0
    assert len(samples(path)) + 44 == path.stat().st_size


async def test_devices_are_listed_with_the_default(plug: Plugger) -> None:
    microphone = plug(devices={"One": 1, "Loudspeaker": 0, "Two": 2})
    assert await microphone.devices() == (
        Device("One", 16000, is_default=True),
        Device("Two", 16000),
    )


async def test_a_remembered_device_is_taken_and_one_that_is_gone_is_not_missed(
    plug: Plugger, tmp_path: Path
) -> None:
    microphone = plug(devices={"One": 1, "Two": 2})
    assert (await record(microphone, tmp_path / "a", 0.1, "Two"))[0] == Started("Two", 16000)
    assert (await record(microphone, tmp_path / "b", 0.1, "Three"))[0] == Started("One", 16000)


@pytest.mark.parametrize(
    ("asked", "found"), [("2", "Two things"), ("two", "Two things"), ("One", "One")]
)
async def test_a_device_is_asked_for_by_number_or_part_of_its_name(
    plug: Plugger, tmp_path: Path, asked: str, found: str
) -> None:
    microphone = plug(devices={"One": 1, "Two things": 2})
    events = await record(microphone, tmp_path / "a", 0.1, asked, required=True)
    assert events[0] == Started(found, 16000)


@pytest.mark.parametrize(
    ("plan", "asked", "error", "sentence"),
    [
        ({"devices": {}}, "", NoMicrophoneError, "No microphone is connected."),
        ({"devices": {"Loudspeaker": 0}}, "", NoMicrophoneError, "No microphone is connected."),
        ({}, "Other", NoMicrophoneError, "No microphone has the name “Other”. There are: Double."),
        (
            {"devices": {"Mic A": 1, "Mic B": 1}},
            "mic",
            NoMicrophoneError,
            "Several microphones have “mic” in their name. There are: Mic A, Mic B.",
        ),
        ({"refuses": -9985}, "", MicrophoneError, "another program holds it"),
        ({"refuses": -9999}, "", MicrophoneError, "“Double” cannot be opened (Device unavailable)"),
        (
            {"wave": str(DIGITS), "then": "gone"},
            "",
            MicrophoneLostError,
            "“Double” has disappeared after 1 s.",
        ),
    ],
)
async def test_every_failure_has_a_sentence_of_its_own(
    plug: Plugger, tmp_path: Path, plan: dict[str, object], asked: str, error: type, sentence: str
) -> None:
    path = tmp_path / "take.wav"
    with pytest.raises(error) as raised:
        await record(plug(**plan), path, 60.0, asked, required=True)
    assert type(raised.value) is error
    assert sentence in str(raised.value)
    if error is MicrophoneLostError:
        assert samples(path) == samples(DIGITS)


async def test_a_missing_library_is_named(paths: Paths, tmp_path: Path) -> None:
    for raised, sentence in (
        ("OSError('PortAudio library not found')", "libportaudio2"),
        ("ImportError('no')", "sounddevice"),
    ):
        (tmp_path / "sounddevice.py").write_text(f"raise {raised}")
        code = (
            f"import sys, runpy; sys.path.insert(0, {str(tmp_path)!r});"
            " runpy.run_module('gemma_tui.microphone.worker', run_name='__main__')"
        )
        microphone = SystemMicrophone(paths.microphone_log, (sys.executable, "-P", "-c", code))
        with pytest.raises(AudioLibraryError, match=sentence):
            await microphone.devices()


async def test_a_place_that_cannot_be_written_is_said(plug: Plugger, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        await record(plug(), tmp_path / "missing" / "take.wav", 0.1)


async def test_a_process_that_dies_unasked_is_said(paths: Paths, tmp_path: Path) -> None:
    microphone = SystemMicrophone(paths.microphone_log, (sys.executable, "-c", "0"))
    with pytest.raises(MicrophoneError, match="ended unexpectedly"):
        await record(microphone, tmp_path / "take.wav", 0.1)


async def test_what_libraries_print_does_not_reach_the_terminal(
    paths: Paths, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "import os; os.write(1, b'{\"event\": \"ended\"}\\n'); os.write(2, b'ALSA lib: no such card')"
    await SystemMicrophone(paths.microphone_log, (sys.executable, "-c", code)).devices()
    assert capfd.readouterr() == ("", "")
    assert paths.microphone_log.read_text() == "ALSA lib: no such card"


async def test_a_recording_is_played_to_its_end_or_until_told(plug: Plugger) -> None:
    heard = [event.seconds async for event in plug().play(DIGITS, asyncio.Event())]
    assert heard[-1] == len(samples(DIGITS)) / 32000
    with pytest.raises(MicrophoneError, match="cannot be played"):
        await anext(plug(is_mute=True).play(DIGITS, asyncio.Event()))
