"""Writes an attached sound down while one goes on working, and puts the text in its place.

What is asked of the model meanwhile goes first. Stopped, or begun again, it goes on after the last
finished clip, also after the app was killed. A model that cannot hear lends its place to another.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import GemmaError, UsageError
from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.preprocessing.sound_cost import can_be_heard, estimated_clips, sound_range
from gemma_tui.sanitize import sanitize_line
from gemma_tui.storage.faults import storage_faults
from gemma_tui.transcription.clip_text import ClipBegun, ClipText
from gemma_tui.transcription.folder import Undertaking
from gemma_tui.transcription.formats import plain_text
from gemma_tui.transcription.journal import model_key
from gemma_tui.transcription.prompt import Wish, parse_wish
from gemma_tui.transcription.transcriber import Sound, Transcriber
from gemma_tui.tui.borrowed_model import find_listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.worker import Worker

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment
    from gemma_tui.engine.interface import Engine
    from gemma_tui.tui.attaching import Attaching
    from gemma_tui.tui.choosing import Choosing
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.perform import Perform
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

_NAMED: Final = 3
"""Sounds that are named in one sentence."""

_MOST_STEM_BYTES: Final = 200
"""Of the name of a sound, in that of its text."""


class Transcribing:
    """Writes sounds down, one after the other.

    Args:
        chat: Knows where sounds are.
        engine: Writes.
        attaching: Makes a chip of the text.
        page: The conversation shown.
        panel: The chips.
        choosing: Where models are, and how to another one.
        perform: Runs a coroutine function; shows the `GemmaError` it may raise.
    """

    def __init__(
        self,
        chat: Chat,
        engine: Engine,
        attaching: Attaching,
        page: Page,
        panel: ComposerPanel,
        choosing: Choosing,
        perform: Perform,
    ) -> None:
        self._chat = chat
        self._engine = engine
        self._attaching = attaching
        self._page = page
        self._panel = panel
        self._choosing = choosing
        self._perform = perform
        self._running: dict[str, Worker[None]] = {}
        """By the sha256 of the sound."""
        self._stopped: set[str] = set()
        """Those of them that the user has stopped, and that end presently."""
        self._left: dict[str, Undertaking] = {}
        """What an app that died was writing down, by the sha256 of the sound."""
        self._one_at_a_time = asyncio.Lock()
        self._transcriber: Transcriber | None = None
        self._must_wait = False

    def make_way(self, is_needed: bool) -> None:
        """Let the engine answer, or go on when it has."""
        self._must_wait = is_needed
        if self._transcriber is not None:
            (self._transcriber.pause if is_needed else self._transcriber.resume)()

    async def look_for_left(self) -> str:
        """Find what an app that died was writing down; a sentence about it, or nothing."""
        found = await asyncio.to_thread(self._chat.transcripts.left)
        there = [w for w in found if self._chat.sounds.has(w.sha256)]
        self._left = {work.sha256: work for work in there}
        if not there:
            return ""
        names = ", ".join(f"“{sanitize_line(work.name)}”" for work in there[:_NAMED])
        clips = sum(work.clips for work in there)
        count = "1 clip is" if clips == 1 else f"{clips} clips are"
        return (
            f"{names} was being written down the last time, and {count} finished:"
            " T on its chip, or /transcribe, goes on there."
        )

    async def begin(self, wanted: str = "") -> None:
        """Begin with the chosen sound, or stop with it if it has begun.

        Args:
            wanted: Languages, as `parse_wish` reads them; empty: the model finds out.

        Raises:
            UsageError: There is no sound, or no such language.
        """
        wish = parse_wish(wanted)
        sound = self._chosen()
        if (running := self._running.get(sound.sha256)) is not None:
            self._stop(sound, running)
            return
        left = self._left.pop(sound.sha256, None)
        if left is not None and not wanted:
            wish = Wish(left.language, left.translation)
        self._running[sound.sha256] = self._perform(partial(self._write_down, sound, wish))

    def _stop(self, sound: Attachment, running: Worker[None]) -> None:
        """Cancel it once: giving a borrowed model back takes seconds, and must not be cut short."""
        if sound.sha256 in self._stopped:
            return
        self._stopped.add(sound.sha256)
        words = "writing down is being stopped"
        self._panel.tray.show_work(sound.sha256, sanitize_line(sound.name), words)
        if running.is_running:  # else it has not begun, and sees that it need not
            running.cancel()

    def _chosen(self) -> Attachment:
        """The sound of the draft, else the last one of the conversation."""
        if (sound := self._panel.tray.sound) is not None:
            return sound
        sounds = list(filter(can_be_heard, self._page.attachments))
        if not sounds:
            raise UsageError(
                "There is no sound here that could be written down.", "Drop one into the window."
            )
        return sounds[-1]

    async def _write_down(self, item: Attachment, wish: Wish) -> None:
        place = self._page.conversation_id, self._page.number
        name, tray = sanitize_line(item.name), self._panel.tray
        text = _text_name(name)
        try:
            if item.sha256 in self._stopped:
                return
            tray.show_work(item.sha256, name, "waiting to be written down")
            async with self._one_at_a_time, self._listening(name):
                sound = self._sound(item, name)
                work = self._undertaking(item, sound, wish)
                async with self._noted(work):
                    clips = await self._clips(item, name, sound, work, wish)
                    if place[1] == self._page.number:  # an Enter waits for the text, too
                        tray.pending += (text,)
                    await self._deliver(item, name, clips, place)
        finally:
            tray.show_work(item.sha256, name, "")
            self._running.pop(item.sha256, None)
            self._stopped.discard(item.sha256)
            self._panel.no_longer_pending(text)

    @asynccontextmanager
    async def _listening(self, name: str) -> AsyncIterator[None]:
        """Have a model loaded that hears, and the one before again at the end.

        To be entered by one sound at a time: another one may have borrowed the model.

        Raises:
            ModelError: No model is loaded.
            CapabilityError: No model on this disk can hear.
        """
        listener = await find_listener(self._engine, self._choosing.preferences.settings)
        model = self._engine.state.model
        if listener is None or model is None:
            yield
            return
        self._panel.notify(
            f"{model.name} cannot hear: {listener.name} writes “{name}” down, then {model.name}"
            " answers again. T on its chip stops that; questions wait.",
            markup=False,
        )
        doing = f"{listener.name} writes “{name}” down"
        async with self._choosing.models.borrowed(listener.folder, listener.name, doing):
            yield

    def _undertaking(self, item: Attachment, sound: Sound, wish: Wish) -> Undertaking:
        """What is to be done, so that it can be gone on with; as the command line names it."""
        model = self._engine.state.model
        key: tuple[str, ...]
        key = (item.sha256, model_key(Path(model.folder)) if model else "", wish.prompt)
        if sound.start or sound.stop:
            key = (*key, str(sound.start), str(sound.stop))
        return Undertaking(item.sha256, item.name, wish.language, wish.translation, key)

    @asynccontextmanager
    async def _noted(self, work: Undertaking) -> AsyncIterator[None]:
        """Keep a note until the text is delivered; one is left only by an app that ends before."""
        transcripts = self._chat.transcripts
        await asyncio.to_thread(transcripts.begin, work)
        try:
            yield
        except asyncio.CancelledError:
            is_app_ending = work.sha256 not in self._stopped
            (transcripts.leave if is_app_ending else transcripts.stop)(work)
            raise
        except BaseException:
            transcripts.stop(work)
            raise
        await asyncio.to_thread(transcripts.finish, work)

    async def _clips(
        self, item: Attachment, name: str, sound: Sound, work: Undertaking, wish: Wish
    ) -> list[ClipText]:
        journal = self._chat.transcripts.journal(work.key)
        self._transcriber = transcriber = Transcriber(self._engine, wish, is_aside=True)
        self.make_way(self._must_wait)
        clips: list[ClipText] = []
        try:
            async with aclosing(transcriber.run(sound, journal)) as events:
                async for event in events:
                    if not isinstance(event, ClipBegun):
                        clips.append(event)
                    elif item.sha256 not in self._stopped:
                        self._panel.tray.show_work(item.sha256, name, _progress(event, sound))
        finally:
            self._transcriber = None
        return clips

    def _sound(self, item: Attachment, name: str) -> Sound:
        """What is to be written down of an attachment: all of it, or the part that was chosen."""
        start, stop = sound_range(item)
        path = self._chat.sounds.path_of(item)
        if item.kind != "audio":  # a video, whose sound may be longer than what is sent of it
            return Sound(path, name, item.sha256, stop)
        is_whole = start == 0 and abs(stop - item.sample_count) < SAMPLE_RATE
        count = item.sample_count
        return Sound(path, name, item.sha256, count, start, 0 if is_whole else stop)

    async def _deliver(
        self, item: Attachment, name: str, clips: list[ClipText], place: tuple[int | None, int]
    ) -> None:
        """Put the text in the place of the sound, in the draft it was meant for."""
        text = plain_text(clips)
        if not text:
            raise UsageError(f"In “{name}” nothing was heard that could be written down.")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / _text_name(name)
            with storage_faults(path):
                await asyncio.to_thread(path.write_text, f"{text}\n", encoding="utf-8")
            written = await self._chat.attach(path)
        tray = self._panel.tray
        is_here = place[1] == self._page.number or (
            place[0] is not None and place[0] == self._page.conversation_id
        )
        if not is_here:
            await self._attaching.keep_for(place[0], written, in_place_of=item)
        elif not tray.put_in_place(item, written, can_undo=True):
            tray.add(written)
        where = "" if is_here else " in the draft of its conversation"
        self._panel.notify(f"“{name}” is written down{where}.", markup=False)
        if problems := [clip.problem for clip in clips if clip.problem]:
            count = len(problems)
            what = "One clip is" if count == 1 else f"{count} clips are"
            message = f"{what} not wholly written down: {problems[0]}"
            raise GemmaError(message, "Write it down again to try them again.")


def _text_name(name: str) -> str:
    """The name of the text; no file system takes one of more than 255 bytes."""
    stem = Path(name).stem[:80].encode(errors="ignore")
    return f"{stem[:_MOST_STEM_BYTES].decode(errors='ignore')} (transcript).txt"


def _progress(begun: ClipBegun, sound: Sound) -> str:
    left = max(0, sound.end - begun.start)
    count = max(begun.number, begun.number - 1 + estimated_clips(left))
    return f"writing down clip {begun.number} of ~{count}"
