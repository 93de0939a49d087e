"""Sounds longer than a clip: split when they are asked about, refused when no context holds them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Draft, Segment
from gemma_tui.errors import ContextOverflowError, DamagedFileError
from gemma_tui.generation import MediaInfo
from gemma_tui.options import GenerationOptions
from gemma_tui.preprocessing.sound_cost import sound_tokens, with_range
from gemma_tui.sound_clip import SoundClip
from gemma_tui.turn import TurnStarted

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.conversation import Attachment
    from tests.chat.conftest import Bench

MINUTE = 60 * 16_000
CLIPS = (Segment("audio", 0, 400_000), Segment("audio", 384_000, 464_000))


async def long_sound(bench: Bench, folder: Path, samples: int) -> Attachment:
    """Attached, and known to be that long by its header."""
    (folder / "talk.wav").write_bytes(b"a talk")
    bench.engine.media["talk.wav"] = MediaInfo("audio", "audio/wav", sample_count=samples)
    one, two = CLIPS
    bench.engine.clips = {
        0: SoundClip(0, one.length, two.start),
        two.start: SoundClip(two.start, two.length),
    }
    return await bench.chat.attach(folder / "talk.wav")


async def test_it_is_split_when_it_is_asked_about(bench: Bench, tmp_path: Path) -> None:
    sound = await long_sound(bench, tmp_path, 53 * 16_000)
    assert not sound.segments
    conversation = await bench.store.create("")
    events = await bench.ask(conversation.id, Draft("What is said?", (sound,)))
    assert isinstance(events[0], TurnStarted)
    question = events[0].question
    assert question is not None
    assert question.attachments[0].segments == CLIPS
    media = bench.engine.requests[0].media
    assert [(m.start, m.length) for m in media] == [(c.start, c.length) for c in CLIPS]
    stored = (await bench.store.messages(conversation.id))[0]
    assert stored.attachments[0].segments == CLIPS


async def test_it_is_split_once(bench: Bench, tmp_path: Path) -> None:
    sound = await long_sound(bench, tmp_path, 53 * 16_000)
    first = await bench.chat.sounds.split(sound)
    bench.engine.clips.clear()
    assert await bench.chat.sounds.split(sound) == first


async def test_what_no_context_holds_is_refused_with_figures(bench: Bench, tmp_path: Path) -> None:
    sound = await long_sound(bench, tmp_path, 180 * MINUTE)
    bench.engine.clips.clear()  # nobody may begin to split it
    conversation = await bench.store.create("")
    with pytest.raises(ContextOverflowError) as caught:
        await bench.ask(conversation.id, Draft("What is said?", (sound,)))
    assert caught.value.message == (
        "“talk.wav” lasts 3:00:00, ~270,000 tokens; the context of scripted holds 8,192."
    )
    assert "/transcribe" in caught.value.hint
    assert not await bench.store.messages(conversation.id)


async def test_a_part_of_it_can_be_asked_about(bench: Bench, tmp_path: Path) -> None:
    sound = await long_sound(bench, tmp_path, 180 * MINUTE)
    part = with_range(sound, 10 * MINUTE, 11 * MINUTE)
    start, middle = 10 * MINUTE, 10 * MINUTE + 400_000
    bench.engine.clips = {
        start: SoundClip(start, 400_000, middle),
        middle: SoundClip(middle, MINUTE - 400_000),
    }
    assert sound_tokens(part) == pytest.approx(1_500, abs=3)
    split = await bench.chat.sounds.split(part)
    assert [(clip.start, clip.length) for clip in split.segments] == [
        (start, 400_000),
        (middle, MINUTE - 400_000),
    ]


async def test_a_damaged_end_is_told_before_anything_is_stored(
    bench: Bench, tmp_path: Path
) -> None:
    sound = await long_sound(bench, tmp_path, 53 * 16_000)
    bench.engine.clips[CLIPS[1].start] = DamagedFileError("“talk.wav” is cut off.")
    conversation = await bench.store.create("")
    with pytest.raises(DamagedFileError):
        await bench.ask(conversation.id, Draft("What is said?", (sound,)))
    assert not await bench.store.messages(conversation.id)


async def test_its_cost_is_counted_without_looking_into_it(bench: Bench, tmp_path: Path) -> None:
    sound = await long_sound(bench, tmp_path, 5 * MINUTE)
    bench.engine.clips.clear()
    draft = Draft("What is said?", (sound, replace(sound, sample_count=16_000)))
    await bench.chat.count(None, draft, parent_id=None, options=GenerationOptions())
    lengths = [media.sample_count for media in bench.engine.counted[0].media]
    assert sum(lengths) == 5 * MINUTE + 16_000
    assert max(lengths) <= 30 * 16_000
