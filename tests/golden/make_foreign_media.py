"""Write down what the reference makes of photographs and recordings, as `foreign_media.npz`.

Needs transformers (5.23 was used), torch, Pillow and pygame-ce:

    TORCH_PYTHON -m tests.golden.make_foreign_media

Stored are, for each picture and budget, the mean of every patch (of the largest budget of every
fourth) and the middle patch whole; for the recording, its log-mel frames as the reference's feature
extractor makes them of the samples as this program decodes them, every tenth frame.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

from tests.golden.foreign_media import BUDGETS, PICTURES, foreign


def patches_of(path: Path, budget: int) -> np.ndarray:
    """[patches, 768] float32, without padding."""
    with Image.open(path) as picture:
        answer = Gemma4ImageProcessorPil(max_soft_tokens=budget)(
            picture.convert("RGB"), return_tensors="np"
        )
    valid = answer["image_position_ids"][0][:, 0] >= 0
    return np.asarray(answer["pixel_values"][0][valid], np.float32)


def mel_of(samples: np.ndarray) -> np.ndarray:
    """[frames, 128] float32."""
    answer = Gemma4AudioFeatureExtractor()([samples], return_tensors="np")
    return np.asarray(answer["input_features"][0][answer["input_features_mask"][0]], np.float32)


def main() -> None:
    """Write the file beside this script; the samples are an argument, as this process has no av."""
    found = {}
    for name in PICTURES:
        path = foreign(name)
        assert path is not None, name
        for budget in BUDGETS:
            patches = patches_of(path, budget)
            step = 4 if budget == max(BUDGETS) else 1
            means = patches.mean(axis=1)[::step].astype(np.float16)
            found[f"{Path(name).name} {budget}"] = means
            found[f"{Path(name).name} {budget} middle"] = np.rint(
                255 * patches[len(patches) // 2]
            ).astype(np.uint8)
    found["mel"] = mel_of(np.load(sys.argv[1]))[::10].astype(np.float32)
    target = Path(__file__).with_name("foreign_media.npz")
    np.savez_compressed(target, **found)
    print(f"{target.name}: {target.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
