"""Sound: from a file to a clip of 16 kHz mono, and to the features a Gemma 4 audio tower takes.

Decodes at most 30 s, however long the file is. Knows no network, and cuts nothing silently.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from gemma_tui.errors import (
    DamagedFileError,
    LimitError,
    LongSoundError,
    UnsupportedFormatError,
)
from gemma_tui.preprocessing.budget import (
    MAX_CLIP_SAMPLES,
    MIN_CLIP_SAMPLES,
    SAMPLE_RATE,
    WAVEFORM_FRAME,
    audio_tokens,
    waveform_tokens,
)
from gemma_tui.preprocessing.completeness import (
    cut_off,
    is_too_short,
    missing_bytes,
    promised_seconds,
)
from gemma_tui.preprocessing.formats import FileFormat, format_of
from gemma_tui.preprocessing.mel import LogMel
from gemma_tui.preprocessing.resampling import Resampling
from gemma_tui.preprocessing.sound_file import (
    PADDED_CODECS,
    codec_of,
    mono,
    only_sound,
    open_container,
    samples_of,
    within_full_scale,
)
from gemma_tui.preprocessing.sound_stream import decode_range
from gemma_tui.preprocessing.source import decoding, open_file
from gemma_tui.preprocessing.wave_file import read_plain_wave

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_LONGEST = MAX_CLIP_SAMPLES // SAMPLE_RATE
_FILLING = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class AudioFeatures:
    """What any Gemma 4 takes of a clip, without padding: there are two ways of hearing."""

    input_features: NDArray[np.float32]
    """[frames, 128]: log-mel frames, 100 a second, all of them valid, for an audio tower."""
    token_count: int
    """Soft tokens such a tower makes of them."""
    waveform: NDArray[np.float32]
    """[soft tokens, 640]: the samples themselves, the last frame filled up with silence, for 12B,
    which has no tower."""


def audio_features(path: Path, name: str, start: int = 0, length: int = 0) -> AudioFeatures:
    """Decode a clip and compute its features.

    Args:
        path: The file.
        name: What error messages call it.
        start: Sample at 16 kHz where the clip begins.
        length: Its samples at 16 kHz; 0: the clip is the whole file.

    Raises:
        AttachmentError: It is not a readable sound between 20 ms and 30 s.
    """
    clip = read_clip(path, name, start, length)
    return AudioFeatures(LogMel()(clip), audio_tokens(clip.size), waveform_frames(clip))


def read_clip(path: Path, name: str, start: int = 0, length: int = 0) -> NDArray[np.float32]:
    """Samples [samples] of a clip, 16 kHz, mono, float32 in -1..1; raises as `audio_features`."""
    with open_file(path, name) as file:
        file_format = format_of(file, name)
        if file_format.kind != "audio":
            message = f"“{name}” is a picture, not a sound."
            raise UnsupportedFormatError(message, "Attach it as a picture.")
        if length:
            return decode_range(file, file_format, name, start, length)
        return decode_clip(file, file_format, name)


def waveform_frames(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a clip into frames of 40 ms, as transformers' `Gemma4UnifiedAudioFeatureExtractor` does.

    Args:
        samples: [samples] at 16 kHz, mono, float32 in -1..1, at most 30 s.

    Returns:
        [`waveform_tokens(samples)`, 640] float32.
    """
    missing = -samples.size % WAVEFORM_FRAME
    whole = np.pad(samples, (0, missing)) if missing else samples
    return whole.reshape(waveform_tokens(samples.size), WAVEFORM_FRAME)


def decode_clip(file: BinaryIO, file_format: FileFormat, name: str) -> NDArray[np.float32]:
    """Decode a sound to 16 kHz mono: the mean of its channels, resampled by FFmpeg.

    A sound with samples beyond full scale is made quieter as a whole instead of being clipped. Of a
    lossy format, up to 0.1 s beyond 30 s are dropped: that is the filling of its last frame.

    Returns:
        [samples] float32 in -1..1: the length in seconds times 16,000, rounded up.

    Raises:
        LimitError: It is shorter than 20 ms.
        LongSoundError: It is longer than 30 s; decoding stops there.
        UnsupportedFormatError: It is a video, or holds no sound.
        DamagedFileError: It is cut off, or holds values that are not numbers.
    """
    missing = missing_bytes(file, file_format)
    with decoding(name):
        wave = None
        if file_format.decoder == "wav":
            wave = read_plain_wave(file, _LONGEST + 1)
        if wave is None:
            seconds, is_short, clip = _decode(file, file_format, name)
        else:
            recording, is_short = _Recording(name, wave.seconds), False
            recording.add(wave.rate, mono(wave.values))
            seconds, clip = recording.finish()
    if missing > 0 or is_short:
        raise cut_off(name, seconds)
    return clip


def _decode(
    file: BinaryIO, file_format: FileFormat, name: str
) -> tuple[float, bool, NDArray[np.float32]]:
    """Seconds, whether they are fewer than the header promises, and the clip, by FFmpeg."""
    with closing(open_container(file, file_format)) as container:
        stream = only_sound(container, name)
        promised, is_exact = promised_seconds(container, stream, file, file_format)
        is_padded = codec_of(stream) in PADDED_CODECS
        recording = _Recording(name, promised, _FILLING if is_padded else 0.0)
        for frame in container.decode(stream):
            recording.add(frame.sample_rate, mono(samples_of(frame)))
        seconds, clip = recording.finish()
    return seconds, is_exact and is_too_short(seconds, promised, is_padded=is_padded), clip


class _Recording:
    """Collects decoded frames as 16 kHz mono, and knows when it is too long."""

    def __init__(self, name: str, promised: float, padding: float = 0.0) -> None:
        self._name = name
        self._promised = promised
        self._padding = padding
        self._heard = 0
        self._pieces: list[NDArray[np.float32]] = []
        self._resampling = Resampling(name)

    def add(self, rate: int, samples: NDArray[np.float32]) -> None:
        """Take the next samples; raises as `Resampling.add`, or when they are too many."""
        self._pieces += self._resampling.add(rate, samples)
        self._heard += samples.size
        if self._heard > (_LONGEST + self._padding) * rate:
            raise self._too_long()

    def finish(self) -> tuple[float, NDArray[np.float32]]:
        """The length in seconds and the clip, [samples] float32."""
        rate = self._resampling.rate
        if rate == 0:
            raise DamagedFileError(f"“{self._name}” holds no samples.", "Record it again.")
        self._pieces += self._resampling.finish()
        # the resampler may be a sample off at the end: the clip's length follows from the input's
        count = min(-(-self._heard * SAMPLE_RATE // rate), MAX_CLIP_SAMPLES)
        if count < MIN_CLIP_SAMPLES:
            milliseconds = 1000 * self._heard / rate
            message = f"“{self._name}” lasts {milliseconds:.3g} ms; a clip needs at least 20 ms."
            raise LimitError(message, "Choose a longer recording.")
        return self._heard / rate, within_full_scale(self._pieces, count)

    def _too_long(self) -> LongSoundError:
        length = f"longer than {_LONGEST} s"
        if self._promised > _LONGEST:
            length = f"{_duration(self._promised)} long"
        message = f"“{self._name}” is {length}; a clip may last at most {_LONGEST} s."
        hint = "Attach it again: then it is split into clips."
        return LongSoundError(message, hint)


def _duration(seconds: float) -> str:
    """For example `31.5 s`, `4 min 10 s` or `3 h 0 min`; rounded up, so never `30 s` for more."""
    if seconds < 60:
        return f"{-(-seconds * 10 // 1) / 10:g} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
