"""Clip by clip from a sound to text: finds a clip, has the model write it down, joins the seams.

What is finished stands in a journal, so that the same wish goes on where it was interrupted. Knows
no screen, and neither where texts go.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.conversation import TextPart
from gemma_tui.engine.media_requests import FindClip
from gemma_tui.errors import (
    AttachmentError,
    CapabilityError,
    ContextOverflowError,
    EngineError,
    GemmaError,
)
from gemma_tui.generation import (
    Finished,
    GenerationRequest,
    Media,
    PromptMessage,
    TextDelta,
)
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.preprocessing.sound_cost import clock
from gemma_tui.sound_clip import SoundClip
from gemma_tui.transcription.clip_text import ClipBegun, ClipText
from gemma_tui.transcription.prompt import Wish, read_answer
from gemma_tui.transcription.seam import join_at_seam

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import ModelInfo
    from gemma_tui.transcription.journal import Journal, SessionJournal

TranscriptEvent: TypeAlias = ClipBegun | ClipText

MOST_FAILURES: Final = 3
"""So many clips in a row that fail are no bad luck: the rest would fail as well."""

_STEP: Final = 29 * SAMPLE_RATE
"""Samples that are left behind where nobody could find the end of a clip."""

_GREEDY: Final = SamplingOptions(temperature=0.0)

_MAX_TOKENS: Final = 1024
"""Of one clip: the fastest speaker says 200 tokens in 30 s, and a translation says them again."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is to be written down."""

    path: Path
    name: str
    """For error messages."""
    sha256: str
    sample_count: int
    """At 16 kHz; of a long sound, what the file says."""
    start: int = 0
    """Sample at 16 kHz to begin with."""
    stop: int = 0
    """Where to end; 0: at the end."""

    @property
    def end(self) -> int:
        """Where it ends, as far as that is known."""
        return self.stop or self.sample_count


def check_hearing(model: ModelInfo) -> None:
    """Raise a `CapabilityError` if a model cannot hear."""
    if not model.can_hear:
        raise CapabilityError(
            f"{model.name} cannot hear, so it cannot write down what is said.",
            "E2B, E4B and 12B can: choose one of them.",
        )


class Transcriber:
    """Has a sound written down.

    Args:
        engine: A model that hears is loaded in it.
        wish: What is wanted.
        is_aside: Whether nobody waits for it, see `GenerationRequest.is_aside`.
    """

    def __init__(self, engine: Engine, wish: Wish, *, is_aside: bool = False) -> None:
        self._engine = engine
        self._wish = wish
        self._is_aside = is_aside
        self._failures = 0
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()
        self._writing: asyncio.Task[tuple[str, str]] | None = None

    def pause(self) -> None:
        """Give the engine free at once; the clip that is being written is begun again later."""
        self._may_go_on.clear()
        if self._writing is not None:
            self._writing.cancel()

    def resume(self) -> None:
        """Go on."""
        self._may_go_on.set()

    async def run(
        self, sound: Sound, journal: Journal | SessionJournal
    ) -> AsyncGenerator[TranscriptEvent]:
        """Write a sound down; the journal is the caller's to forget when everything is said.

        Yields:
            `ClipBegun` before a clip is listened to, and its `ClipText` when nothing of it changes
            any more: one that overlaps the next is held back until that is written. What is in the
            journal comes at once; clips that had failed are tried again.

        Raises:
            ContextOverflowError: The model's context cannot hold a clip.
            CapabilityError: It cannot hear.
            GemmaError: Clip after clip failed.
            StorageError: The journal cannot be written.
        """
        known = await asyncio.to_thread(journal.read)
        held: ClipText | None = None
        start, number, ahead = sound.start, 1, None
        try:
            while True:
                done = known.get(start)
                if done is None or done.problem:
                    clip = await (ahead or self._find(sound, start))
                    ahead = None
                    problem = "" if isinstance(clip, SoundClip) else str(clip)
                    found = clip if isinstance(clip, SoundClip) else _next_step(sound, start)
                    yield ClipBegun(number, found.start, found.stop)
                    if not found.is_last and found.next_start not in known:
                        ahead = asyncio.create_task(self._find(sound, found.next_start))
                    done = await self._write(sound, found, problem)
                    await asyncio.to_thread(journal.add, done)
                text = done
                if held is not None:
                    held, text = _joined(held, done)
                    yield held
                    held = None
                if text.overlaps:
                    held = text
                else:
                    yield text
                if done.next_start == 0:
                    return
                start, number = done.next_start, number + 1
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _find(self, sound: Sound, start: int) -> SoundClip | AttachmentError:
        """The clip that begins there, or why nobody knows where it ends."""
        request = FindClip(str(sound.path), sound.name, start, sound.stop)
        try:
            try:
                return await self._engine.find_clip(request)
            except EngineError:  # it starts itself again
                return await self._engine.find_clip(request)
        except AttachmentError as error:
            return error

    async def _write(self, sound: Sound, clip: SoundClip, problem: str) -> ClipText:
        """What is said in a clip; what goes wrong becomes its problem."""
        empty = ClipText(clip.start, clip.stop, clip.next_start, problem=problem)
        if clip.is_silent:
            return empty
        try:
            text, more = await self._ask(sound, clip, _GREEDY)
            if more:  # as Whisper does: what loops on the likeliest words may not on others
                text, more = await self._ask_again(sound, clip, text, more)
        except (CapabilityError, ContextOverflowError):
            raise
        except GemmaError as error:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                raise
            # The file cannot be heard where its clip could not be found: it ends there.
            is_over = bool(problem)
            return replace(
                empty,
                problem=problem or str(error),
                next_start=0 if is_over else empty.next_start,
                stop=sound.end if is_over else empty.stop,
            )
        self._failures = 0
        said, translated = read_answer(text, self._wish)
        return replace(empty, text=said, translation=translated, problem=problem or more)

    async def _ask_again(
        self, sound: Sound, clip: SoundClip, text: str, problem: str
    ) -> tuple[str, str]:
        """A better answer, drawn as the model is usually sampled; else the one there was."""
        other, still = await self._ask(sound, clip, SamplingOptions(seed=clip.start))
        return (text, problem) if still else (other, "")

    async def _ask(
        self, sound: Sound, clip: SoundClip, sampling: SamplingOptions
    ) -> tuple[str, str]:
        """The model's answer about a clip and what is wrong with it; begun again after a pause."""
        crashes = 0
        while True:
            await self._may_go_on.wait()
            self._writing = asyncio.create_task(
                self._generate(self._request(sound, clip, sampling))
            )
            try:
                return await self._writing
            except asyncio.CancelledError:
                this = asyncio.current_task()
                if this is None or this.cancelling():  # else only the clip was cancelled
                    raise
            except EngineError:
                crashes += 1
                if crashes > 1:  # the engine starts itself again, but not for ever
                    raise
            finally:
                self._writing.cancel()
                self._writing = None

    async def _generate(self, request: GenerationRequest) -> tuple[str, str]:
        text, reason = "", ""
        async with aclosing(self._engine.generate(request)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    text += event.text
                elif isinstance(event, Finished):
                    reason = event.reason
        (clip,) = request.media
        where = f"From {clock(clip.start)} to {clock(clip.start + clip.length)}"
        match reason:
            case "stop":
                return text, ""
            case "repetition":
                return text, f"{where} the model said the same over and over, so it was ended."
            case "cancelled":
                raise EngineError("The engine was stopped.", "Try again.")
            case _:
                return text, f"{where} the text is longer than any speech, so it was ended."

    def _request(
        self, sound: Sound, clip: SoundClip, sampling: SamplingOptions
    ) -> GenerationRequest:
        length = clip.heard_stop - clip.heard_start
        media = Media(
            kind="audio",
            sha256=sound.sha256,
            path=str(sound.path),
            name=sound.name,
            sample_count=length,
            start=clip.heard_start,
            length=length,
        )
        message = PromptMessage("user", (TextPart(self._wish.prompt), media))
        options = GenerationOptions(sampling, max_tokens=_MAX_TOKENS)
        return GenerationRequest((message,), options=options, is_aside=self._is_aside)


def _next_step(sound: Sound, start: int) -> SoundClip:
    """A clip in place of one whose end could not be found."""
    stop = min(start + _STEP, max(sound.end, start + SAMPLE_RATE))
    return SoundClip(start, stop - start, stop if stop < sound.end else 0, start, stop)


def _joined(before: ClipText, after: ClipText) -> tuple[ClipText, ClipText]:
    """Two clips that overlap, without what both say at their border."""
    one, two = join_at_seam(before.text, after.text)
    first, second = join_at_seam(before.translation, after.translation)
    return (
        replace(before, text=one, translation=first),
        replace(after, text=two, translation=second),
    )
