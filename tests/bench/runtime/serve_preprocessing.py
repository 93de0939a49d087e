"""The product's preprocessing: from a file, in a decoder process, as its engine has it done; and what
the reference's processors do, from pixels or samples, in this process.
"""

from __future__ import annotations

import logging
import wave

import numpy as np
from PIL import Image

from gemma_tui.generation import Media
from gemma_tui.preprocessing.budget import image_size
from gemma_tui.preprocessing.mel import LogMel
from gemma_tui.preprocessing.patches import cut_patches
from gemma_tui.preprocessing.resizing import resize
from gemma_tui.runtime.decoders import Decoders
from tests.bench.runtime.serve import serve, time_calls
from tests.bench.startup import cpu_seconds


def main() -> None:
    decoders = Decoders(logging.getLogger("bench"))

    def features(media: Media, count: int) -> dict[str, float]:
        decoders.features(media)
        (decoder,) = decoders.process_ids
        before = cpu_seconds(decoder)
        times = time_calls(lambda: decoders.features(media), count)
        times["cpu"] += (cpu_seconds(decoder) - before) / (count + 1)  # one call warms up
        return times

    def image(path: str, budget: int, count: int) -> dict[str, float]:
        return features(Media("image", "", path, path, token_budget=budget), count)

    def sound(path: str, count: int) -> dict[str, float]:
        return features(Media("audio", "", path, path), count)

    serve({"image": image, "sound": sound, "pixels": pixels, "samples": samples})
    decoders.close()


def pixels(path: str, budget: int, count: int) -> dict[str, float]:
    with Image.open(path) as file:
        picture = file.convert("RGB")
    size = image_size(*picture.size, budget)
    return time_calls(lambda: cut_patches(np.asarray(resize(picture, size))), count)


def samples(path: str, count: int) -> dict[str, float]:
    with wave.open(path) as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    clip, extractor = raw.astype(np.float32) / np.float32(32768), LogMel()
    return time_calls(lambda: extractor(clip), count)


if __name__ == "__main__":
    main()
