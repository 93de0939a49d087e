"""Recording in the app: from a key to a chip, and everything that may go wrong on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import LimitError, MicrophoneLostError, NoMicrophoneError
from gemma_tui.microphone.take import Take, time_words
from gemma_tui.tui.recorder_view import RecorderView, meter, recorder_lines
from gemma_tui.tui.screens.record import RecordScreen
from gemma_tui.tui.widgets.device_list import DeviceList
from tests.scripted_engine import ScriptedEngine
from tests.scripted_microphone import ScriptedMicrophone, speech

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.tui.conftest import Opener, Running


def files(paths: Paths) -> list[Path]:
    return sorted(paths.recordings.glob("*"))


async def recording(running: Running) -> None:
    """Until everything the microphone hears has arrived."""
    await running.pilot.press("f9")
    await running.shown("Recording")


async def closed(running: Running) -> None:
    await running.until(lambda: not isinstance(running.app.screen, RecordScreen), "the end")


@pytest.mark.parametrize("key", ["enter", "f9"])
async def test_a_tap_starts_and_a_tap_stops_and_attaches(
    open_app: Opener, paths: Paths, key: str
) -> None:
    microphone = ScriptedMicrophone(speech(30))
    async with open_app(microphone=microphone) as running:
        await running.type("what did I say?")
        await recording(running)
        await running.shown("0:02")
        assert "Built-in Microphone · 48 kHz" in running.text()
        assert "clip 1, the next in 27 s" in running.text()
        await running.pilot.press(key)
        await running.until(running.chips, "the chip")
        assert running.chips()[0].startswith("recording 20")
        assert microphone.open_count == 0
        await running.until(lambda: files(paths) == [], "the copy is gone")
        await running.pilot.press("enter")
        await running.shown("Hello there.")
        question, _ = await running.branch()
        assert question.text == "what did I say?"
        assert len(question.attachments) == 1


async def test_the_command_records_too(open_app: Opener) -> None:
    async with open_app(microphone=ScriptedMicrophone(speech(10))) as running:
        await running.send("/record")
        await running.shown("Recording")


async def test_esc_asks_once_before_it_discards(open_app: Opener, paths: Paths) -> None:
    async with open_app(microphone=ScriptedMicrophone(speech(30))) as running:
        await recording(running)
        await running.shown("0:02")
        await running.pilot.press("escape")
        await running.shown("Discard 0:02?")
        await running.pilot.press("enter")
        await running.until(running.chips, "the chip")
        await recording(running)
        await running.shown("0:02")
        await running.pilot.press("escape", "escape")
        await closed(running)
        await running.until(lambda: files(paths) == [])
        assert len(running.chips()) == 1


async def test_nothing_recorded_is_discarded_without_a_question(
    open_app: Opener, paths: Paths
) -> None:
    microphone = ScriptedMicrophone(speech(2))
    async with open_app(microphone=microphone) as running:
        for key in ("escape", "enter"):
            await recording(running)
            await running.pilot.press(key)
            await closed(running)
            await running.until(lambda: files(paths) == [] and not microphone.open_count)
        assert running.chips() == []


async def test_a_recording_is_played_before_it_is_attached(open_app: Opener) -> None:
    microphone = ScriptedMicrophone(speech(30))
    async with open_app(microphone=microphone) as running:
        await recording(running)
        await running.shown("0:02")
        await running.pilot.press("p")
        await running.shown("0:01 of 0:02")
        assert microphone.played == microphone.recorded
        await running.pilot.press("p")
        await running.shown("P play")
        await running.pilot.press("enter")
        await running.until(running.chips)


async def test_space_stops_and_leaves_the_decision(open_app: Opener) -> None:
    microphone = ScriptedMicrophone(speech(30))
    async with open_app(microphone=microphone) as running:
        await recording(running)
        await running.shown("0:02")
        await running.pilot.press("space")
        await running.shown("Recorded")
        assert microphone.open_count == 0
        assert running.chips() == []
        await running.pilot.press("escape")
        await running.shown("Discard 0:02?")


@pytest.mark.parametrize(
    ("sound", "sentence"),
    [([0.0] * 10, "Only silence"), ([1.0] * 10, "Too loud"), ([0.002] * 50, "Very faint")],
)
async def test_bad_sound_is_said_while_it_is_recorded(
    open_app: Opener, sound: list[float], sentence: str
) -> None:
    async with open_app(microphone=ScriptedMicrophone(sound)) as running:
        await recording(running)
        await running.shown(sentence)


async def test_silence_is_attached_only_when_asked_twice(open_app: Opener) -> None:
    async with open_app(microphone=ScriptedMicrophone([0.0] * 30)) as running:
        await recording(running)
        await running.shown("0:02")
        await running.pilot.press("enter")
        await running.shown("Only silence was recorded.")
        assert running.chips() == []
        await running.pilot.press("enter")
        await running.until(running.chips)


async def test_a_device_that_disappears_leaves_what_it_heard(open_app: Opener) -> None:
    error = MicrophoneLostError("“Headset” has disappeared after 2 s.", "What came is kept.")
    async with open_app(microphone=ScriptedMicrophone(speech(30), error)) as running:
        await running.pilot.press("f9")
        await running.shown("has disappeared after 2 s.")
        await running.pilot.press("enter")
        await running.until(running.chips)


async def test_without_a_microphone_it_says_so_and_tries_again(
    open_app: Opener, paths: Paths
) -> None:
    microphone = ScriptedMicrophone(error=NoMicrophoneError("No microphone is connected."))
    async with open_app(microphone=microphone) as running:
        await running.pilot.press("f9")
        await running.shown("No microphone is connected.")
        assert files(paths) == []
        microphone.error, microphone.sound = None, speech(30)
        await running.pilot.press("r")
        await running.shown("0:02")
        await running.pilot.press("escape", "escape")
        await closed(running)


async def test_another_device_is_chosen_and_remembered_and_nothing_said_is_lost(
    open_app: Opener,
) -> None:
    microphone = ScriptedMicrophone(speech(30))
    async with open_app(microphone=microphone) as running:
        await recording(running)
        await running.shown("0:02")
        await running.pilot.press("d")
        await running.shown("Headset [red] · 16 kHz")
        assert "● As the system says: Built-in Microphone" in running.text()
        await running.pilot.press("end", "enter")
        await running.until(lambda: len(microphone.recorded) == 2, "the second recording")
        await running.until(running.chips, "what was said before is attached")
        assert microphone.wanted == ["", "Headset [red]"]
        await running.pilot.press("escape", "escape")
        await closed(running)
    async with open_app(microphone=microphone) as running:
        await recording(running)
        assert microphone.wanted[-1] == "Headset [red]"
        microphone.known = microphone.known[:1]
        await running.shown("0:02")
        await running.pilot.press("escape", "escape")
        await closed(running)
        await recording(running)
        await running.shown("“Headset [red]” is not connected")


async def test_the_list_of_devices_is_put_away_first(open_app: Opener) -> None:
    async with open_app(microphone=ScriptedMicrophone(speech(30))) as running:
        await recording(running)
        await running.pilot.press("d")
        await running.until(lambda: running.app.screen.query_one(DeviceList).is_shown)
        await running.pilot.press("escape")
        await running.until(lambda: not running.app.screen.query_one(DeviceList).is_shown)
        assert isinstance(running.app.screen, RecordScreen)


async def test_what_a_killed_app_recorded_is_offered_at_the_next_start(
    open_app: Opener, paths: Paths
) -> None:
    microphone = ScriptedMicrophone(speech(30))
    async with open_app(microphone=microphone) as running:
        await recording(running)
        await running.shown("0:02")
    (path,) = files(paths)
    async with open_app(microphone=microphone) as running:
        await running.shown("A recording of 2 s is kept from the last time")
        await running.pilot.press("f9")
        await running.shown("0:02 were recorded before the app ended.")
        await running.pilot.press("enter")
        await running.until(lambda: running.chips() == [path.name])
        await running.until(lambda: files(paths) == [])


async def test_a_recording_that_cannot_be_attached_stays(open_app: Opener, paths: Paths) -> None:
    engine = ScriptedEngine()
    microphone = ScriptedMicrophone(speech(30))
    async with open_app(engine, microphone=microphone) as running:
        await recording(running)
        await running.shown("0:02")
        name = microphone.recorded[0].name
        engine.media[name] = LimitError("It is too strange.")
        await running.pilot.press("enter")
        await running.until(lambda: "too strange" in running.problem)
        assert [path.name for path in files(paths)] == [name]
        del engine.media[name]
        await running.pilot.press("f9")
        await running.shown("not attached yet")
        await running.pilot.press("enter")
        await running.until(running.chips)


async def test_a_recording_of_several_clips_is_one_attachment(
    open_app: Opener, paths: Paths
) -> None:
    engine = ScriptedEngine()
    sound = speech(26 * 15) + [0.001] * 5 + speech(10 * 15)
    microphone = ScriptedMicrophone(sound)
    async with open_app(engine, microphone=microphone) as running:
        await recording(running)
        await running.shown("0:36")
        assert "clip 2" in running.text()
        await running.pilot.press("enter")
        await running.until(running.chips)
        assert running.chips() == [microphone.recorded[0].name]


async def test_leaving_the_app_lets_the_microphone_go(open_app: Opener, paths: Paths) -> None:
    microphone = ScriptedMicrophone(speech(30))
    async with open_app(microphone=microphone) as running:
        await recording(running)
        await running.shown("0:02")
        await running.pilot.press("ctrl+q")
    assert microphone.open_count == 0
    assert len(files(paths)) == 1


async def test_an_app_without_a_recorder_says_so(open_app: Opener) -> None:
    async with open_app() as running:
        await running.pilot.press("f9")
        await running.until(lambda: "Nothing can be recorded" in running.problem)


@pytest.mark.parametrize("size", [(60, 18), (100, 30), (200, 60)])
async def test_the_recorder_fits_every_size(open_app: Opener, size: tuple[int, int]) -> None:
    async with open_app(microphone=ScriptedMicrophone([0.0] * 30), size=size) as running:
        await recording(running)
        await running.shown("0:02")
        await running.pilot.press("d")
        await running.shown("Headset [red]")
        text = running.text()
        assert "Only silence arrives" in text
        assert "Esc discard" in text
        assert len(text.splitlines()) == size[1]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (59.9, "0:59"), (754, "12:34"), (3723, "1:02:03")]
)
def test_time_in_words(seconds: float, words: str) -> None:
    assert time_words(seconds) == words


def test_the_meter_is_as_long_as_the_sound_is_loud() -> None:
    loud = meter(Take(loudness=-15.0, peak=-6.0), 42).plain
    assert loud == "▕" + "█" * 30 + " " * 6 + "│" + " " * 3 + "▏"
    assert meter(Take(), 42).plain == "▕" + " " * 40 + "▏"
    assert meter(Take(loudness=0.0, peak=0.0), 42).plain == "▕" + "█" * 40 + "▏"


@pytest.mark.parametrize("phase", ["starting", "recording", "review", "failed"])
def test_a_name_cannot_act_and_every_state_is_four_lines(phase: str) -> None:
    view = RecorderView(phase, device="[bold]Mic\x1b[2J\nX", rate=48000)  # type: ignore[arg-type]
    lines = recorder_lines(view, 40).plain.split("\n")
    assert len(lines) == 4
    assert lines[3] == "[bold]Mic␛[2J X · 48 kHz"
