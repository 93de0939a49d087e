"""Training clips: utterances made worse in many ways, other noises, and log-mel features.

The features come from the reference extractor of transformers.
"""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, resample_poly
from speech import RATE
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor

if TYPE_CHECKING:
    from pathlib import Path

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip ready for the audio tower.

    Attributes:
        mel: float32 [frames, 128].
        label: the digits with spaces, or "" when there are none.
    """

    mel: np.ndarray
    label: str


@cache
def extractor() -> Gemma4AudioFeatureExtractor:
    """The reference feature extractor."""
    return Gemma4AudioFeatureExtractor()


def features(samples: np.ndarray) -> np.ndarray:
    """Log-mel features float32 [frames, 128] of a clip at 16 kHz, padding frames cut off."""
    made = extractor()([samples.astype(np.float32)])
    count = int(np.asarray(made["input_features_mask"][0]).sum())
    return np.asarray(made["input_features"][0])[:count].astype(np.float32)


def token_count(frames: int) -> int:
    """Soft tokens of a clip: two convolutions of stride two."""
    return ((frames + 1) // 2 + 1) // 2


def load_bank(paths: list[Path]) -> list[tuple[np.ndarray, str, str]]:
    """All (samples, label, voice) of some banks."""
    return [item for path in paths for item in pickle.loads(path.read_bytes())]


def coloured_noise(rng: Rng, count: int) -> np.ndarray:
    """White, pink or brown noise of root mean square one."""
    white = rng.normal(0, 1, count)
    power = rng.choice([0.0, 0.5, 1.0])
    spectrum = np.fft.rfft(white) / np.maximum(1, np.arange(count // 2 + 1)) ** power
    noise = np.fft.irfft(spectrum, count)
    return noise / (np.sqrt(np.mean(noise**2)) + 1e-9)


def other_sound(rng: Rng) -> np.ndarray:  # noqa: PLR0911
    """Silence, noise, tones, chirps, chords, clicks: at most 4 s, peak near one."""
    count = int(rng.uniform(0.1, 4) * RATE)
    t = np.arange(count) / RATE
    kind = int(rng.integers(7))
    if kind == 0:
        return np.zeros(count)
    if kind == 1:
        return coloured_noise(rng, count) / 4
    if kind == 2:
        return np.sin(2 * np.pi * rng.uniform(60, 5000) * t)
    if kind == 3:
        low, high = rng.uniform(60, 4000, 2)
        return np.sin(2 * np.pi * (low * t + (high - low) * t * t / (2 * t[-1])))
    if kind == 4:
        total = np.zeros(count)
        for start in np.arange(0, t[-1], rng.uniform(0.15, 0.6)):
            base = 110 * 2 ** (rng.integers(0, 36) / 12)
            after = np.maximum(t - start, 0)
            for overtone in range(1, int(rng.integers(2, 6))):
                total += np.sin(2 * np.pi * base * overtone * after) * np.exp(-5 * after) / overtone
        return total / (np.abs(total).max() + 1e-9)
    if kind == 5:
        clicks = np.zeros(count)
        clicks[rng.integers(0, count, int(rng.integers(1, 20)))] = 1
        return fftconvolve(clicks, np.exp(-np.arange(400) / rng.uniform(5, 100)))[:count]
    beat = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.5, 9) * t)
    return coloured_noise(rng, count) / 4 * beat


def retime(rng: Rng, samples: np.ndarray) -> np.ndarray:
    """Changes speed and pitch together by up to 15 %."""
    factor = rng.uniform(0.87, 1.15)
    count = max(64, int(len(samples) / factor))
    return np.interp(np.linspace(0, len(samples) - 1, count), np.arange(len(samples)), samples)


def band_limit(rng: Rng, samples: np.ndarray) -> np.ndarray:
    """What a telephone, a cheap microphone or a low sampling rate does."""
    kind = rng.random()
    if kind < 0.4:
        rate = int(rng.choice([8000, 11025, 12000]))
        up = math.gcd(rate, RATE)
        low = resample_poly(samples, rate // up, RATE // up)
        return resample_poly(low, RATE // up, rate // up)[: len(samples)]
    if kind < 0.7:
        b, a = butter(2, [rng.uniform(80, 350), rng.uniform(2800, 7000)], "band", fs=RATE)
    elif kind < 0.85:
        b, a = butter(int(rng.integers(1, 3)), rng.uniform(100, 500), "high", fs=RATE)
    else:
        b, a = butter(int(rng.integers(1, 3)), rng.uniform(2000, 6500), "low", fs=RATE)
    return lfilter(b, a, samples)


def reverberate(rng: Rng, samples: np.ndarray) -> np.ndarray:
    """A light room: exponentially decaying noise as impulse response."""
    length = int(rng.uniform(0.05, 0.35) * RATE)
    tail = rng.normal(0, 1, length) * np.exp(-np.arange(length) / (length / 5))
    tail *= rng.uniform(0.02, 0.12)
    tail[0] = 1
    return fftconvolve(samples, tail)


def spoil(rng: Rng, samples: np.ndarray) -> np.ndarray:
    """Speed, band, room, padding, level, noise and clipping, each only sometimes."""
    if rng.random() < 0.4:
        samples = retime(rng, samples)
    if rng.random() < 0.3:
        samples = band_limit(rng, samples)
    if rng.random() < 0.2:
        samples = reverberate(rng, samples)
    before, after = (
        rng.uniform(0, 0.3, 2) if rng.random() < 0.75 else np.minimum(rng.exponential(0.6, 2), 2.0)
    )
    samples = np.concatenate([np.zeros(int(before * RATE)), samples, np.zeros(int(after * RATE))])
    peak = np.abs(samples).max() + 1e-9
    level = 10 ** (rng.uniform(-35, 0) / 20) if rng.random() < 0.6 else rng.uniform(0.3, 1.0)
    samples = samples / peak * level
    if rng.random() < 0.08:
        samples = np.clip(samples * rng.uniform(1.2, 5), -level, level)
    if rng.random() < 0.45:
        loudness = np.sqrt(np.mean(samples**2)) + 1e-5
        samples = samples + coloured_noise(rng, len(samples)) * loudness / 10 ** rng.uniform(
            0.5, 2.5
        )
    if rng.random() < 0.1:
        samples = samples + rng.normal(0, 10 ** rng.uniform(-4.5, -3), len(samples))
    samples = np.clip(samples, -1, 1)
    return np.round(samples * 32767) / 32768 if rng.random() < 0.8 else samples


def joined(rng: Rng, bank: list[tuple[np.ndarray, str, str]], index: int) -> tuple[np.ndarray, str]:
    """An utterance, sometimes with another one after a pause, up to five digits together."""
    samples, label, _ = bank[index]
    samples = samples.astype(np.float64) / 32768
    if label and rng.random() < 0.2:
        other, more, _ = bank[int(rng.integers(len(bank)))]
        if more and len(label.split()) + len(more.split()) <= 5:
            pause = np.zeros(int(rng.uniform(0.05, 0.9) * RATE))
            return np.concatenate([samples, pause, other / 32768]), f"{label} {more}"
    return samples, label


def lightly(rng: Rng, samples: np.ndarray) -> np.ndarray:
    """A clean clip: short padding, some level, sometimes a faint noise."""
    before, after = rng.uniform(0, 0.3, 2)
    samples = np.concatenate([np.zeros(int(before * RATE)), samples, np.zeros(int(after * RATE))])
    samples = samples / (np.abs(samples).max() + 1e-9) * rng.uniform(0.2, 1.0)
    if rng.random() < 0.4:
        samples = samples + rng.normal(0, 10 ** rng.uniform(-4, -2.3), len(samples))
    return samples


def draw_clip(rng: Rng, bank: list[tuple[np.ndarray, str, str]], hardness: float) -> Clip:
    """Draws a training clip: an utterance of the bank, or (one in twenty) another sound.

    Args:
        rng: source of chance.
        bank: utterances.
        hardness: share of clips that are spoiled; the others are clean, and short at first.
    """
    hard = rng.random() < hardness
    if rng.random() < 0.05:
        samples, label = other_sound(rng), ""
    elif hard:
        samples, label = joined(rng, bank, int(rng.integers(len(bank))))
    else:
        limit = (0.75 + 8 * hardness) * RATE
        picked, label, _ = bank[int(rng.integers(len(bank)))]
        while len(picked) > limit:
            picked, label, _ = bank[int(rng.integers(len(bank)))]
        samples = picked / 32768
    return Clip(features((spoil if hard else lightly)(rng, samples)), label)


def mask_bands(rng: Rng, mel: np.ndarray) -> np.ndarray:
    """SpecAugment: replaces a few bands and a short time by the mean."""
    mel = mel.copy()
    for _ in range(int(rng.integers(0, 3))):
        first = int(rng.integers(0, 120))
        mel[:, first : first + int(rng.integers(1, 14))] = mel.mean()
    if rng.random() < 0.25 and len(mel) > 20:
        first = int(rng.integers(0, len(mel) - 6))
        mel[first : first + int(rng.integers(1, 6))] = mel.mean()
    return mel


class Clips:
    """Endless batches of clips of similar length; `hardness` may be changed at any time."""

    def __init__(self, rng: Rng, bank: list[tuple[np.ndarray, str, str]], count: int) -> None:
        self.rng, self.bank, self.count = rng, bank, count
        self.hardness = 1.0
        self.waiting: list[list[Clip]] = []

    def take(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Labels, padded features float32 [count, frames, 128], their mask bool [count, frames]."""
        if not self.waiting:
            drawn = [draw_clip(self.rng, self.bank, self.hardness) for _ in range(6 * self.count)]
            drawn.sort(key=lambda clip: len(clip.mel))
            parts = self.rng.permutation(6)
            self.waiting = [drawn[p * self.count : (p + 1) * self.count] for p in parts]
        chosen = self.waiting.pop()
        longest = max(len(clip.mel) for clip in chosen)
        mels = np.zeros((self.count, longest, 128), np.float32)
        mask = np.zeros((self.count, longest), bool)
        for row, clip in enumerate(chosen):
            mels[row, : len(clip.mel)] = mask_bands(self.rng, clip.mel)
            mask[row, : len(clip.mel)] = True
        return [clip.label for clip in chosen], mels, mask


def symbols(label: str) -> list[int]:
    """CTC symbols of a label: digits are 1..10, "other" (no digits at all) is 11."""
    return [int(d) + 1 for d in label.split()] if label else [11]


def text_of(best: list[int]) -> str:
    """The label of a best path of CTC symbols."""
    kept = [s for i, s in enumerate(best) if s and (i == 0 or best[i - 1] != s)]
    return "" if 11 in kept else " ".join(str(s - 1) for s in kept)
