"""`gemma-tui transcribe`: what is said in sound files, on the standard output, clip by clip.

Progress and what went wrong go to the standard error. What is finished is kept, so that the same
command goes on after it was stopped.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.cli.ask import log_path, show_state
from gemma_tui.cli.closed_output import require_output
from gemma_tui.cli.engine_place import engine_of
from gemma_tui.cli.output import Answer, Progress
from gemma_tui.cli.question import PIPE, PIPE_NAME
from gemma_tui.cli.signals import until_signalled
from gemma_tui.errors import (
    AttachmentError,
    CapabilityError,
    NotAFileError,
    UnsupportedFormatError,
    UsageError,
)
from gemma_tui.paths import expand
from gemma_tui.preprocessing.frame_times import is_sound_left_out
from gemma_tui.preprocessing.sound_cost import clock, estimated_clips
from gemma_tui.sanitize import sanitize_line
from gemma_tui.storage.faults import storage_faults
from gemma_tui.transcription.clip_text import ClipBegun, ClipText
from gemma_tui.transcription.formats import FORMATS, to_json, writer_of
from gemma_tui.transcription.journal import Journal, hash_file, model_key
from gemma_tui.transcription.transcriber import Sound, Transcriber, check_hearing

if TYPE_CHECKING:
    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import ModelInfo
    from gemma_tui.paths import Paths
    from gemma_tui.settings.schema import Settings
    from gemma_tui.transcription.prompt import Wish


@dataclass(frozen=True, slots=True)
class TranscribeOrder:
    """What the command line asks for."""

    files: tuple[str, ...]
    """Paths; `-` is the pipe."""
    wish: Wish
    form: str
    """One of `FORMATS`, if the user knows them."""
    model: Path
    settings: Settings
    """Where other models are."""


def run_transcribe(order: TranscribeOrder, paths: Paths) -> int:
    """Write everything down; returns the exit code: 1 if something could not be.

    Raises:
        UsageError: No such format, or several files in one of subtitles.
        GemmaError: Whatever kept all of it from being written.
        KeyboardInterrupt: Ctrl-C; what was finished is kept.
    """
    require_output(sys.stdout)
    if order.form not in FORMATS:
        raise UsageError(f"“{order.form}” is no format.", f"Choose one of {', '.join(FORMATS)}.")
    if order.form == "srt" and len(order.files) > 1:
        raise UsageError("Subtitles belong to one file.", "Run the command once for each.")
    if "" in order.files or order.files.count(PIPE) > 1:
        raise UsageError("A file has no name, or the pipe is named twice.")
    run = _Run(order, paths)
    return asyncio.run(until_signalled(run.all())) or run.code


class _Run:
    """One run of the command."""

    def __init__(self, order: TranscribeOrder, paths: Paths) -> None:
        self._order = order
        self._paths = paths
        self._progress = Progress(sys.stderr)
        self._answer = Answer(sys.stdout, self._progress)
        self._has_written = False
        self.code = 0

    async def all(self) -> None:
        """Every file, one after the other."""
        async with AsyncExitStack() as stack:
            stack.callback(self._progress.clear)
            log = log_path(self._paths)
            engine = engine_of(self._paths, log, None)
            stack.push_async_callback(engine.close)
            engine.watch(lambda state: show_state(self._progress, state))
            model = await engine.load(self._order.model)
            await asyncio.to_thread(self._check, model)
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gemma-tui-"))
            for name in self._order.files:
                try:
                    sound = await self._open(engine, name, Path(folder))
                except AttachmentError as error:
                    self._tell(str(error))
                    continue
                await self._transcribe(engine, model, sound)

    def _check(self, model: ModelInfo) -> None:
        """Raise a `CapabilityError` that names the models of this disk that can hear."""
        try:
            check_hearing(model)
        except CapabilityError as error:
            from gemma_tui.hub.local_models import local_models  # noqa: PLC0415  # rarely used

            found = local_models(self._order.settings, self._paths.models)
            able = [item for item in found if item.can_hear and not item.is_builtin]
            if not able:
                raise
            names = ", ".join(f"{item.name} ({item.folder})" for item in able[:3])
            raise CapabilityError(error.message, f"Here is one that can: {names}.") from None

    async def _open(self, engine: Engine, text: str, folder: Path) -> Sound:
        self._progress.show(f"opening {text}")
        if text == PIPE:
            path, name = folder / PIPE_NAME, PIPE_NAME
            await asyncio.to_thread(_read_pipe, path)
        else:
            path = expand(text).absolute()
            name = path.name
        info = await engine.probe(path, sanitize_line(name))
        heard = [part for part in info.segments if part.kind == "audio"]
        is_long_video = is_sound_left_out(info.media_type, info.sample_count)
        if info.kind != "audio" and not (heard or is_long_video):
            raise UnsupportedFormatError(f"“{sanitize_line(name)}” is no sound.")
        try:
            sha256 = await asyncio.to_thread(hash_file, path)
        except OSError as error:
            raise NotAFileError(f"“{sanitize_line(name)}” cannot be read any more.") from error
        count = max([info.sample_count, *(part.start + part.length for part in heard)])
        return Sound(path, sanitize_line(name), sha256, count)

    async def _transcribe(self, engine: Engine, model: ModelInfo, sound: Sound) -> None:
        wish = self._order.wish
        key = sound.sha256, await asyncio.to_thread(model_key, self._order.model), wish.prompt
        journal = Journal(self._paths.transcripts, key)
        transcript = _Transcript(sound, self._order, self._answer, model.name)
        pace = _Pace(sound)
        if self._has_written and self._order.form == "txt":
            self._answer.write("\n")
        self._has_written = True
        try:
            async with aclosing(Transcriber(engine, wish).run(sound, journal)) as events:
                async for event in events:
                    if isinstance(event, ClipBegun):
                        self._progress.show(pace.label(event))
                        continue
                    transcript.add(event)
                    if event.problem:
                        where = f"{clock(event.start)}–{clock(event.stop)}"
                        self._tell(f"“{sound.name}”, {where}: {event.problem}")
        except asyncio.CancelledError:
            at = clock(transcript.clips[-1].stop) if transcript.clips else "the beginning"
            self._progress.tell(f"Stopped at {at} of {sound.name}: the same command goes on there.")
            raise
        finally:
            transcript.end()
        if not transcript.has_problem:
            await asyncio.to_thread(journal.remove)

    def _tell(self, sentence: str) -> None:
        self._progress.tell(sentence)
        self.code = 1


class _Transcript:
    """Writes the transcript of one sound in its format."""

    def __init__(self, sound: Sound, order: TranscribeOrder, answer: Answer, model: str) -> None:
        self._sound = sound
        self._wish = order.wish
        self._answer = answer
        self._model = model
        self._writer = writer_of(order.form)
        self.clips: list[ClipText] = []

    @property
    def has_problem(self) -> bool:
        """Whether something is missing."""
        is_whole = bool(self.clips) and self.clips[-1].next_start == 0
        return not is_whole or any(clip.problem for clip in self.clips)

    def add(self, clip: ClipText) -> None:
        """Write a clip, as far as that can be done before all are there."""
        self.clips.append(clip)
        if self._writer is not None:
            self._answer.write(self._writer.add(clip))

    def end(self) -> None:
        """Write what had to wait."""
        if self._writer is None:
            is_whole = not self.has_problem
            name = self._sound.name
            self._answer.write(
                to_json(name, self.clips, self._wish, self._model, is_whole=is_whole)
            )
        self._answer.end()


class _Pace:
    """Tells how far a sound is, and how long the rest takes by the pace so far."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._begun_at = time.monotonic()
        self._first = -1

    def label(self, clip: ClipBegun) -> str:
        """One line about the clip that begins."""
        total = max(self._sound.end, clip.stop)
        if self._first < 0:
            self._first = clip.start
        count = max(clip.number, clip.number - 1 + estimated_clips(total - clip.start))
        label = (
            f"{self._sound.name} · clip {clip.number} of ~{count}"
            f" · {clock(clip.start)} of {clock(total)}"
        )
        done = clip.start - self._first
        if not done:
            return label
        left = (time.monotonic() - self._begun_at) * (total - clip.start) / done
        minutes = round(left / 60)
        return f"{label} · {f'~{minutes} min' if minutes else 'under 1 min'} left"


def _read_pipe(path: Path) -> None:
    """Put what the pipe brings into a file.

    Raises:
        UsageError: There is no pipe.
        StorageError: There is no place for it.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("“-” takes a sound from a pipe, but there is none.")
    with storage_faults(path), path.open("wb") as file:
        while chunk := sys.stdin.buffer.read(1 << 20):
            file.write(chunk)
