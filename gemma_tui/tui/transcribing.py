"""Writes an attached sound down while one goes on working, and puts the text in its place.

What is asked of the model meanwhile goes first. Stopped, or begun again, it goes on after the last
finished clip as long as the app runs.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.errors import CapabilityError, GemmaError, ModelError, UsageError
from gemma_tui.hub.on_disk import find_models
from gemma_tui.paths import builtin_model
from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.preprocessing.sound_cost import can_be_heard, estimated_clips, sound_range
from gemma_tui.sanitize import sanitize_line
from gemma_tui.storage.faults import storage_faults
from gemma_tui.transcription.clip_text import ClipBegun, ClipText
from gemma_tui.transcription.formats import plain_text
from gemma_tui.transcription.journal import SessionJournal
from gemma_tui.transcription.prompt import Wish, language_name
from gemma_tui.transcription.transcriber import Sound, Transcriber, check_hearing

if TYPE_CHECKING:
    from textual.worker import Worker

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment
    from gemma_tui.engine.interface import Engine
    from gemma_tui.tui.attaching import Attaching
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.perform import Perform
    from gemma_tui.tui.preferences import Preferences
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel


class Transcribing:
    """Writes sounds down, one after the other.

    Args:
        chat: Knows where sounds are.
        engine: Writes.
        attaching: Makes a chip of the text.
        page: The conversation shown.
        panel: The chips.
        preferences: Where models are.
        perform: Runs a coroutine function; shows the `GemmaError` it may raise.
    """

    def __init__(
        self,
        chat: Chat,
        engine: Engine,
        attaching: Attaching,
        page: Page,
        panel: ComposerPanel,
        preferences: Preferences,
        perform: Perform,
    ) -> None:
        self._chat = chat
        self._engine = engine
        self._attaching = attaching
        self._page = page
        self._panel = panel
        self._preferences = preferences
        self._perform = perform
        self._running: dict[str, Worker[None]] = {}
        """By the sha256 of the sound."""
        self._journals: dict[tuple[str, ...], SessionJournal] = {}
        self._one_at_a_time = asyncio.Lock()
        self._transcriber: Transcriber | None = None
        self._must_wait = False

    def make_way(self, is_needed: bool) -> None:
        """Let the engine answer, or go on when it has."""
        self._must_wait = is_needed
        if self._transcriber is not None:
            (self._transcriber.pause if is_needed else self._transcriber.resume)()

    async def begin(self, language: str = "") -> None:
        """Begin with the chosen sound, or stop with it if it has begun.

        Args:
            language: What is spoken, a name or a code; empty: the model finds out.

        Raises:
            UsageError: There is no sound, or no such language.
            ModelError: No model is loaded, or one that cannot hear.
        """
        wish = Wish(language_name(language) if language else "")
        sound = self._chosen()
        if (running := self._running.pop(sound.sha256, None)) is not None:
            running.cancel()
            return
        await self._check_model()
        work = partial(self._write_down, sound, wish)
        self._running[sound.sha256] = self._perform(work)

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

    async def _check_model(self) -> None:
        model = self._engine.state.model
        if model is None:
            raise ModelError("No model is loaded that could listen.", "Wait for it, or choose one.")
        try:
            check_hearing(model)
        except CapabilityError as error:
            settings = self._preferences.settings
            found = await asyncio.to_thread(
                find_models, builtin_model(), settings.known_models, settings.model_library
            )
            able = [item.name for item in found if item.can_hear and not item.is_builtin]
            if not able:
                hint = "No model on this disk can, but the built-in demo for digits: E2B would do."
            else:
                hint = f"{able[0]} on this disk can: choose it with Ctrl+L, then do this again."
            raise CapabilityError(error.message, hint) from None

    async def _write_down(self, item: Attachment, wish: Wish) -> None:
        place = self._page.conversation_id, self._page.number
        name, tray = sanitize_line(item.name), self._panel.tray
        tray.show_work(item.sha256, name, "waiting to be written down")
        try:
            async with self._one_at_a_time:
                clips = await self._clips(item, name, wish)
            await self._deliver(item, name, clips, place)
        finally:
            tray.show_work(item.sha256, name, "")
            self._running.pop(item.sha256, None)

    async def _clips(self, item: Attachment, name: str, wish: Wish) -> list[ClipText]:
        sound = self._sound(item, name)
        model = self._engine.state.model
        part = str(sound.start), str(sound.stop)
        key = (item.sha256, *part, wish.prompt, model.folder if model else "")
        journal = self._journals.setdefault(key, SessionJournal())
        self._transcriber = transcriber = Transcriber(self._engine, wish, is_aside=True)
        self.make_way(self._must_wait)
        clips: list[ClipText] = []
        try:
            async with aclosing(transcriber.run(sound, journal)) as events:
                async for event in events:
                    if isinstance(event, ClipBegun):
                        self._panel.tray.show_work(item.sha256, name, _progress(event, sound))
                    else:
                        clips.append(event)
        finally:
            self._transcriber = None
        del self._journals[key]
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
            path = Path(folder) / f"{Path(name).stem[:80]} (transcript).txt"
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


def _progress(begun: ClipBegun, sound: Sound) -> str:
    left = max(0, sound.end - begun.start)
    count = max(begun.number, begun.number - 1 + estimated_clips(left))
    return f"writing down clip {begun.number} of ~{count}"
