"""Sound: from a file to a clip of 16 kHz mono, and to the features a Gemma 4 audio tower takes.

Decodes at most 30 s, however long the file is. Knows no network, and cuts nothing silently.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import av
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
from gemma_tui.preprocessing.sound_file import (
    PADDED_CODECS,
    RATES,
    codec_of,
    mono,
    only_sound,
    open_container,
    samples_of,
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
    with open_file(path, name) as file:
        file_format = format_of(file, name)
        if file_format.kind != "audio":
            message = f"“{name}” is a picture, not a sound."
            raise UnsupportedFormatError(message, "Attach it as a picture.")
        if length:
            clip = decode_range(file, file_format, name, start, length)
        else:
            clip = decode_clip(file, file_format, name)
    return AudioFeatures(LogMel()(clip), audio_tokens(clip.size), waveform_frames(clip))


def waveform_frames(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a clip into frames of 40 ms, as transformers' `Gemma4UnifiedAudioFeatureExtractor` does.

    Args:
        samples: [samples] at 16 kHz, mono, float32 in -1..1, at most 30 s.

    Returns:
        [`waveform_tokens(samples)`, 640] float32.
    """
    frames = np.zeros((waveform_tokens(samples.size), WAVEFORM_FRAME), np.float32)
    frames.reshape(-1)[: samples.size] = samples
    return frames


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
            wave = read_plain_wave(file, RATES, _LONGEST + 1)
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
        self._rate = 0
        self._heard = 0
        self._pieces: list[NDArray[np.float32]] = []
        self._resampler: av.AudioResampler | None = None

    def add(self, rate: int, mono: NDArray[np.float32]) -> None:
        """Take the next samples, whose rate must be that of the first."""
        if self._rate == 0:
            self._begin(rate)
        if rate != self._rate:
            message = f"“{self._name}” changes its sample rate in the middle."
            raise DamagedFileError(message, "Export it anew, as one recording.")
        self._check_finite(mono)
        self._heard += mono.size
        if self._heard > (_LONGEST + self._padding) * self._rate:
            raise self._too_long()
        self._push(mono)

    def finish(self) -> tuple[float, NDArray[np.float32]]:
        """The length in seconds and the clip, [samples] float32."""
        if self._rate == 0:
            raise DamagedFileError(f"“{self._name}” holds no samples.", "Record it again.")
        if self._resampler is not None:
            self._keep(self._resampler.resample(None))
        # the resampler may be a sample off at the end: the clip's length follows from the input's
        count = min(-(-self._heard * SAMPLE_RATE // self._rate), MAX_CLIP_SAMPLES)
        clip: NDArray[np.float32] = np.concatenate([*self._pieces, np.zeros(count, np.float32)])
        clip = clip[:count]
        if count < MIN_CLIP_SAMPLES:
            milliseconds = 1000 * self._heard / self._rate
            message = f"“{self._name}” lasts {milliseconds:.3g} ms; a clip needs at least 20 ms."
            raise LimitError(message, "Choose a longer recording.")
        self._check_finite(clip)
        peak = float(np.abs(clip).max())
        return self._heard / self._rate, clip / np.float32(peak) if peak > 1 else clip

    def _begin(self, rate: int) -> None:
        if rate not in RATES:
            message = f"“{self._name}” claims {rate} samples a second, which no recording has."
            raise DamagedFileError(message, "Export it anew from the program that made it.")
        self._rate = rate
        if rate != SAMPLE_RATE:
            self._resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)

    def _push(self, mono: NDArray[np.float32]) -> None:
        if self._resampler is None:
            self._pieces.append(mono)
            return
        frame = av.AudioFrame.from_ndarray(mono[None], format="fltp", layout="mono")
        frame.sample_rate = self._rate
        self._keep(self._resampler.resample(frame))

    def _check_finite(self, samples: NDArray[np.float32]) -> None:
        if not np.isfinite(samples).all():
            message = f"“{self._name}” holds samples that are not finite numbers."
            raise DamagedFileError(message, "Export it anew from the program that made it.")

    def _keep(self, frames: list[av.AudioFrame]) -> None:
        self._pieces.extend(frame.to_ndarray()[0] for frame in frames)

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
