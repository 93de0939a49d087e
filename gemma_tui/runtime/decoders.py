"""Decoder processes of the engine: kept while they work, replaced when a file ends one.

A file may crash a codec, keep it busy for ever, or make it eat memory. All of that happens in a
process of its own and comes back as a sentence about the file. Knows pipes, nothing of media.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.engine.media_requests import Crop, Encode, FindClip, Preview, Probe, Unlock
from gemma_tui.errors import (
    DamagedFileError,
    EngineError,
    GemmaError,
    LimitError,
    error_classes,
)
from gemma_tui.runtime.decoder_process import DecoderEndedError, DecoderLimits, DecoderProcess

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from gemma_tui.generation import Media, MediaInfo, MediaPreview
    from gemma_tui.runtime.features import Features
    from gemma_tui.sound_clip import SoundClip

DECODER: Final = (sys.executable, "-m", "gemma_tui.preprocessing.decoder")
"""What is run; the limit of its memory is added."""

_ANEW: Final = "Open it in another program and export it anew."


class Decoders:
    """Runs functions of the decoder process, as many at once as there are callers.

    Args:
        log: Told what ended a process, never what the file was called.
        limits: For one call.
        command: How a decoder is started.
    """

    def __init__(
        self,
        log: logging.Logger,
        limits: DecoderLimits | None = None,
        command: Sequence[str] = DECODER,
    ) -> None:
        self._log = log
        self._limits = limits or DecoderLimits()
        self._command = (*command, "--memory", str(self._limits.memory_bytes))
        self._lock = threading.Lock()
        self._all: set[DecoderProcess] = set()
        self._idle: list[DecoderProcess] = []

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of those that run."""
        with self._lock:
            return tuple(decoder.process_id for decoder in self._all)

    @property
    def busy_count(self) -> int:
        """How many decode something now."""
        with self._lock:
            return len(self._all) - len(self._idle)

    def look(
        self, request: Probe | Preview | Crop | Encode | FindClip | Unlock
    ) -> MediaInfo | MediaPreview | SoundClip:
        """Answer what the engine is asked about a file; raises as the function for it."""
        path, name = Path(request.path), request.name
        match request:
            case Probe():
                return self.probe(path, name)
            case Preview(is_large=is_large):
                return self.preview(path, name, is_large=is_large)
            case FindClip(start=start, stop=stop):
                return self.find_clip(path, name, start, stop)
            case Encode(media=media, target=target):
                return self.encode(media, Path(target))
            case Crop(region=region, target=target):
                return self.crop(path, name, region, Path(target))
            case Unlock(password=password, target=target):
                return self.unlock(path, name, password, Path(target))

    def probe(self, path: Path, name: str) -> MediaInfo:
        """As `preprocessing.probe.probe`, and raises the same."""
        found: MediaInfo = self.call("probe", name, path, name)
        return found

    def preview(self, path: Path, name: str, *, is_large: bool = False) -> MediaPreview:
        """As `preprocessing.preview.preview`, and raises the same."""
        found: MediaPreview = self.call("preview", name, path, name, is_large)
        return found

    def find_clip(self, path: Path, name: str, start: int, stop: int) -> SoundClip:
        """As `preprocessing.splitting.find_clip`, and raises the same."""
        found: SoundClip = self.call("next_clip", name, path, name, start, stop)
        return found

    def crop(
        self, path: Path, name: str, region: tuple[float, float, float, float], target: Path
    ) -> MediaInfo:
        """As `preprocessing.crop.crop`, and raises the same."""
        found: MediaInfo = self.call("crop", name, path, name, region, target)
        return found

    def unlock(self, path: Path, name: str, password: str, target: Path) -> MediaInfo:
        """As `preprocessing.unlocking.unlock`, and raises the same."""
        found: MediaInfo = self.call("unlock", name, path, name, password, target)
        return found

    def encode(self, media: Media, target: Path) -> MediaInfo:
        """As the functions of `preprocessing.media_file`, and raises the same."""
        path, name = Path(media.path), media.name
        if media.kind == "audio":
            clip = (media.start, media.length)
            found: MediaInfo = self.call("write_clip", name, path, name, *clip, target)
            return found
        part = (media.token_budget, media.start)
        picture: MediaInfo = self.call("write_picture", name, path, name, *part, target)
        return picture

    def features(self, media: Media) -> Features:
        """What a network takes of a picture or a sound; raises as those functions do."""
        path, name = Path(media.path), media.name
        if media.kind == "audio":
            found: Features = self.call(
                "audio_features", name, path, name, media.start, media.length
            )
            return found
        from gemma_tui.preprocessing.patches import cut_patches  # noqa: PLC0415  # imports numpy

        # Pixels are a quarter of the patches, and cutting needs no decoder.
        budget, start = media.token_budget, media.start
        return cut_patches(self.call("picture_pixels", name, path, name, budget, start))

    def call(self, function: str, name: str, *arguments: object) -> Any:  # noqa: ANN401  # its result
        """Run one function on one file.

        Args:
            function: One of `preprocessing.decoder.CALLS`.
            name: What error messages call the file.
            arguments: Those of the function.

        Raises:
            GemmaError: What the function raised, or that the file ended the process.
            EngineError: A decoder cannot be started, or a defect in the program.
        """
        decoder = self._take()
        try:
            answer = decoder.call((function, int(self._limits.seconds), arguments), self._limits)
        except TimeoutError:
            self._discard(decoder)
            raise self._too_slow(name) from None
        except DecoderEndedError:
            # Its pipe is closed a moment before it is gone, and how it went is worth knowing.
            raise self._ended(self._discard(decoder, grace_seconds=5.0), name) from None
        except BaseException:
            self._discard(decoder)
            raise
        self._give_back(decoder)
        match answer:
            case ("value", value):
                return value
            case ("error", error, message, hint):
                raise error_classes().get(error, GemmaError)(message, hint)
            case _:
                raise self._defect(answer)

    def close(self) -> None:
        """End all of them; they hold nothing."""
        with self._lock:
            decoders, self._all, self._idle = self._all, set(), []
        for decoder in decoders:
            decoder.end()

    def _take(self) -> DecoderProcess:
        with self._lock:
            while self._idle:
                decoder = self._idle.pop()
                if decoder.is_alive:
                    return decoder
                self._all.discard(decoder)
                decoder.end()
        try:
            decoder = DecoderProcess(self._command)
        except OSError as error:
            reason = error.strerror or str(error)
            sentence = f"The process that decodes files could not be started ({reason})."
            raise EngineError(sentence, "Close other programs, and try again.") from error
        with self._lock:
            self._all.add(decoder)
        return decoder

    def _give_back(self, decoder: DecoderProcess) -> None:
        with self._lock:
            if decoder in self._all:
                self._idle.append(decoder)

    def _discard(self, decoder: DecoderProcess, grace_seconds: float = 0.0) -> int:
        with self._lock:
            self._all.discard(decoder)
        code = decoder.end(grace_seconds)
        self._log.info("a decoder ended with %d", code)
        return code

    def _ended(self, code: int, name: str) -> GemmaError:
        if code == -getattr(signal, "SIGXCPU", 0):
            return self._too_slow(name)
        if code in {-signal.SIGKILL, 1}:  # by the system, or for want of memory
            message = f"“{name}” needs more memory to be decoded than there is."
            return LimitError(message, "Make it smaller, or close other programs.")
        message = f"“{name}” crashed what decodes it: it is damaged, or made to do harm."
        return DamagedFileError(message, _ANEW)

    def _too_slow(self, name: str) -> LimitError:
        seconds = self._limits.seconds
        return LimitError(f"“{name}” could not be decoded within {seconds:g} seconds.", _ANEW)

    def _defect(self, answer: object) -> EngineError:
        match answer:
            case ("fault", str(kind), str(place)):
                self._log.error("media work failed: %s\n%s", kind, place)
            case _:
                kind = "wrong answer"
        sentence = f"Something unexpected went wrong ({kind})."
        return EngineError(sentence, "The engine's log says where.")
