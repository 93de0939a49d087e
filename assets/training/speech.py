"""Spoken material: a bank of espeak-ng utterances at 16 kHz, as int16 waveforms with labels.

Knows voices and texts. Knows nothing of networks; augmentation and features are in `sound`.
The held-out voices of the published figures are refused here, so no bank can hold them.
Usage: python speech.py OUT.pkl COUNT SEED [train|dev|test]
"""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly
from words import OTHER_SENTENCES, OTHER_WORDS

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE = 16000
"""Samples per second of every waveform in a bank (the rate of Gemma 4's audio features)."""

HELD_OUT_ACCENT = "en-gb-scotland"
HELD_OUT_VARIANTS = ("f4", "m7", "klatt2")
DEV_VARIANTS = ("f5", "Mike")
ACCENTS = (
    "en-gb", "en-us", "en-gb-x-rp", "en-029", "en-gb-x-gbcwmd", "en-gb-x-gbclan", "en-us-nyc",
)  # fmt: skip
COMMON_VARIANTS = (
    "f1", "f2", "f3", "m1", "m2", "m3", "m4", "m5", "m6", "m8", "klatt", "klatt3", "klatt4",
    "klatt5", "klatt6",
)  # fmt: skip
OTHER_VARIANTS = (
    "Alex", "Alicia", "Andrea", "Andy", "Annie", "AnxiousAndy", "Denis", "Diogo", "Gene", "Gene2",
    "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Nguyen", "RicishayMax",
    "RicishayMax2", "RicishayMax3", "Storm", "Tweaky", "UniRobot", "adam", "anika", "anikaRobot",
    "announcer", "antonio", "aunty", "belinda", "benjamin", "boris", "caleb", "croak", "david",
    "ed", "edward", "edward2", "fast", "grandma", "grandpa", "gustave", "iven", "iven2", "iven3",
    "iven4", "john", "kaukovalta", "linda", "marcelo", "max", "michel", "miguel", "norbert",
    "pablo", "paul", "pedro", "quincy", "rob", "robert", "robosoft", "robosoft2", "robosoft3",
    "robosoft4", "robosoft5", "robosoft6", "robosoft7", "robosoft8", "sandro", "shelby", "steph",
    "steph2", "steph3", "travis", "victor", "whisper", "whisperf", "zac",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken clip.

    Attributes:
        samples: int16 [n], 16 kHz, silence trimmed.
        label: the digits with spaces ("3 1 4"), or "" for anything else.
        voice: espeak-ng's voice with its variant.
    """

    samples: np.ndarray
    label: str
    voice: str


def pick_voice(rng: np.random.Generator, split: str) -> str:
    """Draws a voice of the split: `train`, `dev` or `test` (the held-out ones)."""
    accent = str(rng.choice(ACCENTS))
    if split == "dev":
        return f"{accent}+{rng.choice(DEV_VARIANTS)}"
    if split == "test":
        return pick_held_out(rng, accent)
    kind = rng.random()
    if kind < 0.16:
        return accent
    variants = COMMON_VARIANTS if kind < 0.62 else OTHER_VARIANTS
    return f"{accent}+{rng.choice(variants)}"


def pick_held_out(rng: np.random.Generator, accent: str) -> str:
    """Draws one of the held-out voices: the accent, a variant, or both."""
    kind = rng.random()
    if kind < 0.35:
        return HELD_OUT_ACCENT
    variant = rng.choice(HELD_OUT_VARIANTS)
    return f"{HELD_OUT_ACCENT if kind < 0.5 else accent}+{variant}"


def is_held_out(voice: str) -> bool:
    """Whether a voice belongs to the held-out set (accent or variant)."""
    accent, _, variant = voice.partition("+")
    return accent == HELD_OUT_ACCENT or variant in HELD_OUT_VARIANTS


def pick_text(rng: np.random.Generator, others: float) -> tuple[str, str]:
    """Draws (text to speak, label); `others` is the share of texts that are not digits."""
    if rng.random() < others:
        if rng.random() < 0.4:
            return str(rng.choice(OTHER_SENTENCES)), ""
        return " ".join(rng.choice(OTHER_WORDS, int(rng.integers(1, 6)))), ""
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.2, 0.17, 0.22, 0.2, 0.21]))
    digits = [int(d) for d in rng.integers(0, 10, count)]
    separator = str(rng.choice([" ", ", ", ". ", "; "], p=[0.6, 0.25, 0.1, 0.05]))
    return separator.join(DIGITS[d] for d in digits), " ".join(map(str, digits))


def speak(text: str, voice: str, speed: int, pitch: int, gap: int = 0) -> np.ndarray:
    """Runs espeak-ng and returns float32 samples at 16 kHz in -1..1, silence trimmed.

    Args:
        text: what to say.
        voice: e.g. "en-gb+f3".
        speed: words per minute.
        pitch: 0..99.
        gap: extra pause between words, in 10 ms.
    """
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-g", str(gap)]
    wave = subprocess.run([*command, "--stdout", text], capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="float32")
    if rate == 22050:
        samples = resample_poly(samples, 320, 441)
    loud = np.nonzero(np.abs(samples) > 0.004)[0]
    if len(loud) == 0:
        raise ValueError(f"{voice} said nothing")
    return samples[loud[0] : loud[-1] + 1].astype(np.float32)


def make(rng: np.random.Generator, split: str, others: float) -> Utterance:
    """Draws and speaks one utterance of a split."""
    voice = pick_voice(rng, split)
    if (split == "test") != is_held_out(voice):
        raise ValueError(f"{voice} does not belong to {split}")
    text, label = pick_text(rng, others)
    gap = int(rng.integers(1, 45)) if rng.random() < 0.3 else 0
    samples = speak(text, voice, int(rng.integers(85, 241)), int(rng.integers(10, 91)), gap)
    peak = float(np.abs(samples).max())
    return Utterance((samples / peak * 30000).astype(np.int16), label, voice)


def main() -> None:
    """Writes a bank: a pickle of (samples, label, voice) tuples."""
    out, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    split = sys.argv[4] if len(sys.argv) > 4 else "train"
    rng = np.random.default_rng(seed)
    bank, start = [], time.time()
    while len(bank) < count:
        try:
            made = make(rng, split, 0.12)
        except (ValueError, RuntimeError, subprocess.CalledProcessError) as error:
            print("skipped:", error, flush=True)
            continue
        bank.append((made.samples, made.label, made.voice))
        if len(bank) % 500 == 0:
            print(split, len(bank), f"{time.time() - start:.0f} s", flush=True)
    out.write_bytes(pickle.dumps(bank))


if __name__ == "__main__":
    main()
