"""The product's preprocessing, as its media threads call it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from gemma_tui.preprocessing.audio import audio_features
from gemma_tui.preprocessing.image import image_features
from gemma_tui.preprocessing.mel import LogMel
from tests.bench.runtime.serve import serve, time_calls


def image(path: str, budget: int, count: int) -> dict[str, float]:
    return time_calls(lambda: image_features(Path(path), path, budget), count)


def sound(path: str, count: int) -> dict[str, float]:
    return time_calls(lambda: audio_features(Path(path), path), count)


def samples(path: str, count: int) -> dict[str, float]:
    with wave.open(path) as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    clip, extractor = raw.astype(np.float32) / np.float32(32768), LogMel()
    return time_calls(lambda: extractor(clip), count)


if __name__ == "__main__":
    serve({"image": image, "sound": sound, "samples": samples})
