"""Write down what the reference preprocessing of Gemma 4 answers, as `preprocessing.npz`.

Needs transformers (5.23 was used), torch and Pillow, which the program and its tests do not:

    python -m tests.golden.make_preprocessing

Stored are: the resized sizes of all `sizes()` at all budgets; the soft tokens of all
`clip_lengths()`; for each picture and budget a CRC-32 of all pixel levels and some of the values;
for each clip some of the mel frames, and the mean and mean square of every mel bin over all frames;
for clips of noise a CRC-32 of the frames of their waveform.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import (
    Gemma4ImageProcessorPil,
    get_aspect_ratio_preserving_size,
)
from transformers.models.gemma4.processing_gemma4 import Gemma4Processor
from transformers.models.gemma4_unified.feature_extraction_gemma4_unified import (
    Gemma4UnifiedAudioFeatureExtractor,
)
from transformers.models.gemma4_unified.processing_gemma4_unified import Gemma4UnifiedProcessor

from tests.golden import preprocessing_inputs as inputs


def resized() -> np.ndarray:
    """[sizes, budgets, 2] uint16: width and height in units of 48 pixels."""
    rows = []
    for width, height in inputs.sizes().tolist():
        found = [
            get_aspect_ratio_preserving_size(height, width, 16, 9 * budget, 3)
            for budget in inputs.BUDGETS
        ]
        rows.append([(w // 48, h // 48) for h, w in found])
    return np.array(rows, np.uint16)


def audio_tokens() -> np.ndarray:
    """[lengths] uint16."""
    parts: Any = SimpleNamespace(
        feature_extractor=Gemma4AudioFeatureExtractor(), audio_seq_length=750
    )
    count = Gemma4Processor._compute_audio_num_tokens
    found = [count(parts, np.zeros(length), 16_000) for length in inputs.clip_lengths()]
    return np.array(found, np.uint16)


def waveform_tokens() -> np.ndarray:
    """[lengths] uint16, for 12B, without an end at 30 s."""
    parts: Any = SimpleNamespace(feature_extractor=Gemma4UnifiedAudioFeatureExtractor())
    count = Gemma4UnifiedProcessor._compute_audio_num_tokens
    found = [count(parts, np.zeros(length), 16_000) for length in inputs.clip_lengths()]
    return np.array(found, np.uint16)


def waveforms() -> dict[str, Any]:
    """For noise of each length: the number of frames of 640 samples, and a CRC-32 of them."""
    found = {}
    extractor = Gemma4UnifiedAudioFeatureExtractor()
    for length in inputs.CLIP_LENGTHS:
        answer = extractor([inputs.clip("noise", length)], return_tensors="np")
        frames = np.ascontiguousarray(answer["input_features"][0], np.float32)
        checked = [len(frames), zlib.crc32(frames.tobytes())]
        found[f"waveform_{length}"] = np.array(checked, np.uint32)
    return found


def pixels() -> dict[str, Any]:
    """CRC-32 of the levels [pictures, budgets] and values [pictures, budgets, 24]."""
    sums, values = [], []
    for mode, width, height in inputs.PICTURES:
        for budget in inputs.BUDGETS:
            processor = Gemma4ImageProcessorPil(max_soft_tokens=budget)
            answer = processor(inputs.picture(mode, width, height), return_tensors="np")
            valid = answer["image_position_ids"][0][:, 0] >= 0
            patches = answer["pixel_values"][0][valid].astype(np.float32)
            sums.append(zlib.crc32(np.rint(patches * 255).astype(np.uint8).tobytes()))
            values.append(patches.ravel()[inputs.shown_pixels(patches.size)])
    shape = (len(inputs.PICTURES), len(inputs.BUDGETS))
    return {
        "pixel_sums": np.array(sums, np.uint32).reshape(shape),
        "pixel_values": np.array(values, np.float32).reshape(*shape, -1),
    }


def mels() -> dict[str, Any]:
    """For each kind and length: frames [<= 4, 128] float32, moments [2, 128] float64."""
    found = {}
    extractor = Gemma4AudioFeatureExtractor()
    for kind in inputs.KINDS:
        for length in inputs.CLIP_LENGTHS:
            answer = extractor([inputs.clip(kind, length)], return_tensors="np")
            valid = answer["input_features"][0][answer["input_features_mask"][0]]
            found[f"mel_{kind}_{length}"] = valid[inputs.shown_frames(len(valid))]
            double = valid.astype(np.float64)
            found[f"moments_{kind}_{length}"] = np.stack([double.mean(0), (double**2).mean(0)])
    return found


def main() -> None:
    """Write the file beside this script."""
    target = Path(__file__).with_name("preprocessing.npz")
    np.savez_compressed(
        target,
        resized=resized(),
        audio_tokens=audio_tokens(),
        waveform_tokens=waveform_tokens(),
        **pixels(),
        **mels(),
        **waveforms(),
    )
    print(f"{target.name}: {target.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
