"""The reference's processors of pictures and sound, under an interpreter with transformers and torch."""

from __future__ import annotations

import wave
from typing import Any, cast

import numpy as np
from PIL import Image
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

from tests.bench.runtime.serve import serve, time_calls


def image(path: str, budget: int, count: int) -> dict[str, float]:
    processor: Any = Gemma4ImageProcessorPil(max_soft_tokens=budget)
    return time_calls(lambda: processor(Image.open(path), return_tensors="np"), count)


def pixels(path: str, budget: int, count: int) -> dict[str, float]:
    processor: Any = Gemma4ImageProcessorPil(max_soft_tokens=budget)
    with Image.open(path) as file:
        picture = file.convert("RGB")
    return time_calls(lambda: processor(picture, return_tensors="np"), count)


def sound(path: str, count: int) -> dict[str, float]:
    extractor: Any = Gemma4AudioFeatureExtractor()
    return time_calls(
        lambda: extractor([read(path)], sampling_rate=16_000, return_tensors="np"), count
    )


def samples(path: str, count: int) -> dict[str, float]:
    clip, extractor = read(path), cast("Any", Gemma4AudioFeatureExtractor())
    return time_calls(lambda: extractor([clip], sampling_rate=16_000, return_tensors="np"), count)


def read(path: str) -> Any:
    with wave.open(path) as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return raw.astype(np.float32) / 32768


if __name__ == "__main__":
    serve({"image": image, "sound": sound, "pixels": pixels, "samples": samples})
