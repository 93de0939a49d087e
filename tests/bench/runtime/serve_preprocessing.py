"""The product's preprocessing, as its media threads call it."""

from __future__ import annotations

from pathlib import Path

from gemma_tui.preprocessing.audio import audio_features
from gemma_tui.preprocessing.image import image_features
from tests.bench.runtime.serve import serve, time_calls


def image(path: str, budget: int, count: int) -> dict[str, float]:
    return time_calls(lambda: image_features(Path(path), path, budget), count)


def sound(path: str, count: int) -> dict[str, float]:
    return time_calls(lambda: audio_features(Path(path), path), count)


if __name__ == "__main__":
    serve({"image": image, "sound": sound})
