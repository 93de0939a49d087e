"""Segments of one file through the real engine: they are what the same clips are as files."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gemma_tui.conversation import Attachment, Draft, Segment
from gemma_tui.generation import GenerationRequest
from gemma_tui.options import GenerationOptions
from gemma_tui.turn import to_prompt
from tests.engine.scenes import GREEDY, collect, finish_of, text_of
from tests.preprocessing.sounds import wav

if TYPE_CHECKING:
    from gemma_tui.engine.client import EngineClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"


def samples_of(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Samples of an example, full scale = 1."""
    return np.frombuffer((EXAMPLES / name).read_bytes()[44:], "<i2") / 32767


def write(folder: Path, samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Attachment:
    """A stored sound, named as the blob store does."""
    content = wav(samples)
    sha256 = hashlib.sha256(content).hexdigest()
    (folder / sha256).write_bytes(content)
    size = len(samples)
    return Attachment(sha256, "audio", "a.wav", "audio/wav", len(content), sample_count=size)


def request_of(folder: Path, *attachments: Attachment) -> GenerationRequest:
    prompt = to_prompt([], lambda sha256: folder / sha256, Draft("Write it down.", attachments))
    return GenerationRequest(prompt, options=GenerationOptions(sampling=GREEDY, max_tokens=24))


async def test_segments_answer_as_the_same_clips_do(engine: EngineClient, tmp_path: Path) -> None:
    one, two = samples_of("nine.wav"), samples_of("three-one-four.wav")
    whole = write(tmp_path, np.concatenate([one, two]))
    cut = len(one)
    split = replace(
        whole,
        segments=(Segment("audio", 0, cut), Segment("audio", cut, whole.sample_count - cut)),
    )
    of_segments = request_of(tmp_path, split)
    of_files = request_of(tmp_path, write(tmp_path, one), write(tmp_path, two))
    by_segments = await collect(engine.generate(of_segments))
    by_files = await collect(engine.generate(of_files))
    assert text_of(by_segments) == text_of(by_files) != ""
    assert await engine.count(of_segments) == await engine.count(of_files)
    ends = finish_of(by_segments).usage, finish_of(by_files).usage
    assert ends[0].prompt_tokens == ends[1].prompt_tokens == (await engine.count(of_files)).tokens
    assert ends[0].generated_tokens == ends[1].generated_tokens


async def test_another_segment_is_never_taken_for_the_first(
    engine: EngineClient, tmp_path: Path
) -> None:
    """Of equal length, so that token ids are equal: only the media keys tell them apart."""
    one, two = samples_of("nine.wav"), samples_of("three-one-four.wav")
    length = max(len(one), len(two))
    padded = [np.pad(sound, (0, length - len(sound))) for sound in (one, two)]
    whole = write(tmp_path, np.concatenate(padded))
    answers = []
    for start in (0, length, 0):
        attachment = replace(whole, segments=(Segment("audio", start, length),))
        answers.append(text_of(await collect(engine.generate(request_of(tmp_path, attachment)))))
    assert "nine" in answers[0].lower() or "9" in answers[0]
    assert answers[0] == answers[2] != answers[1]
