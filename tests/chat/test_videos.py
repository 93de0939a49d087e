"""Videos as values: their frames, their sound, their words, and their place in a prompt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gemma_tui.conversation import Attachment, Draft, Segment
from gemma_tui.errors import CapabilityError, UsageError
from gemma_tui.frame_choice import choose_frames
from gemma_tui.generation import Media, MediaInfo
from gemma_tui.media_check import check_media, lacking_senses
from gemma_tui.preprocessing.frame_times import frame_segments
from gemma_tui.preprocessing.media_cost import soft_token_count
from gemma_tui.preprocessing.sound_cost import can_be_heard, sound_range
from gemma_tui.turn import to_prompt
from gemma_tui.videos import (
    clips_of,
    frames_of,
    notes_on,
    parse_rate,
    video_in_words,
    with_frames,
    without_sound,
)
from tests.scripted_engine import MODEL, ScriptedEngine

DEAF = replace(MODEL, name="Gemma 4 31B", can_hear=False)


def film(seconds: float, *, clips: int = 1) -> Attachment:
    sounds = tuple(Segment("audio", 16_000 * place, 16_000) for place in range(clips))
    segments = (*frame_segments(int(1000 * seconds)), *sounds)
    return Attachment(
        *("f" * 64, "image", "film.mp4", "video/mp4", 9, 640, 480),
        sample_count=int(16_000 * seconds),
        token_budget=70,
        segments=segments,
    )


def test_frames_come_before_the_words_and_the_sound_behind_them() -> None:
    (asked,) = to_prompt([], Path, Draft("What happens?", (film(2, clips=2),)))
    kinds = [part.kind if isinstance(part, Media) else "text" for part in asked.parts]
    assert kinds == ["image", "image", "text", "audio", "audio"]
    frames = [part for part in asked.parts if isinstance(part, Media) and part.stamp]
    assert [(frame.stamp, frame.start) for frame in frames] == [("00:00 ", 0), (" 00:01 ", 1000)]
    (silent,) = to_prompt([], Path, Draft("What?", (film(2, clips=2),)), can_hear=False)
    assert [part.kind for part in silent.parts if isinstance(part, Media)] == ["image"] * 2


def test_the_cost_is_that_of_all_frames_and_clips() -> None:
    assert soft_token_count(film(3)) == 3 * 63 + 25
    assert soft_token_count(replace(film(3), token_budget=280)) == 3 * 266 + 25
    assert soft_token_count(without_sound(film(3))) == 3 * 63


def test_a_model_that_cannot_hear_takes_the_frames(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.touch()
    check_media([film(2)], lambda _: blob, DEAF)
    assert lacking_senses([film(2)], DEAF) == ""
    with pytest.raises(CapabilityError, match="cannot see"):
        check_media([film(2)], lambda _: blob, replace(MODEL, can_see=False))


def test_what_the_user_must_know() -> None:
    assert notes_on(film(50), MODEL) == ""
    assert notes_on(film(50), DEAF) == (
        "Gemma 4 31B cannot hear: the sound of “film.mp4” is not sent."
    )
    assert notes_on(film(300), MODEL) == "“film.mp4” is 5:00 long: 60 frames, 5 s apart."
    assert notes_on(film(36_000, clips=0), None) == (
        "“film.mp4” is 10:00:00 long: 60 frames, 600 s apart."
        " Its sound is left out, as of every video of more than 10 minutes; it can be transcribed."
    )


def test_words() -> None:
    assert video_in_words(film(12)) == "12 frames + 1 clip of 0:12"
    assert video_in_words(film(1, clips=0)) == "1 frame of 0:01"
    assert video_in_words(film(36_000, clips=0)) == "60 frames of 10:00:00"


def test_another_rate_keeps_the_sound() -> None:
    video = with_frames(film(20, clips=2), 0.5)
    assert [frame.start for frame in frames_of(video)] == list(range(0, 20_000, 2000))
    assert clips_of(video) == clips_of(film(20, clips=2))
    assert len(frames_of(with_frames(film(3600), 2.0))) == 60


@pytest.mark.parametrize(("text", "rate"), [("2", 2.0), (" 0.5", 0.5), ("1/5", 0.2), ("0,5", 0.5)])
def test_rates_as_people_write_them(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "fast", "1/0", "nan", "inf", "11", "0.001", "1/2/3"]
)
def test_no_rates(text: str) -> None:
    with pytest.raises(UsageError, match="no number of frames a second"):
        parse_rate(text)


async def test_frames_and_sound_are_chosen_with_words() -> None:
    engine = ScriptedEngine()
    whole = film(20, clips=2)
    engine.media["film.mp4"] = MediaInfo("image", "video/mp4", segments=whole.segments)
    changed = await choose_frames(whole, "1/5 silent", engine, Path)
    assert (len(frames_of(changed)), len(clips_of(changed))) == (4, 0)
    assert not engine.probed
    again = await choose_frames(changed, "Sound", engine, Path)
    assert again.segments == (*frames_of(changed), *clips_of(whole))
    engine.media["film.mp4"] = MediaInfo("image", "video/mp4", segments=frames_of(whole))
    with pytest.raises(UsageError, match="has no sound that can be sent"):
        await choose_frames(changed, "sound", engine, Path)
    for wrong in ("", "loud", "2 3x"):
        with pytest.raises(UsageError, match="no number of frames"):
            await choose_frames(whole, wrong, engine, Path)


def test_what_is_not_sent_of_a_long_video_can_be_transcribed() -> None:
    assert can_be_heard(film(20))
    assert not can_be_heard(film(20, clips=0))
    assert can_be_heard(film(601, clips=0))
    assert sound_range(film(601, clips=0)) == (0, 601 * 16_000)
