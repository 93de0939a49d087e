"""The recorder: begins at once, shows what arrives, and hands over what was recorded.

A tap starts, a tap stops. Everything is on the disk as it is spoken; nothing is thrown away that
was not asked for twice. What becomes of a recording is the business of `tui.recording`.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from textual import on
from textual.containers import Vertical
from textual.widgets import OptionList, Static

from gemma_tui.errors import GemmaError, MicrophoneError
from gemma_tui.microphone.advice import advice
from gemma_tui.microphone.folder import MIN_SECONDS
from gemma_tui.microphone.interface import Level, Started
from gemma_tui.microphone.privacy import can_open_privacy, open_privacy
from gemma_tui.microphone.take import Take, time_words
from gemma_tui.sanitize import sanitize
from gemma_tui.tui.recorder_view import RecorderView, recorder_lines
from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.screens.record_keys import RECORD_KEYS
from gemma_tui.tui.widgets.device_list import DeviceList
from gemma_tui.tui.widgets.short_text import ShortText

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from gemma_tui.microphone.folder import KeptRecording
    from gemma_tui.microphone.interface import RecordEvent
    from gemma_tui.microphone.recorder import Recorder

Then: TypeAlias = Literal["review", "attach", "play", "begin"]
"""What follows when a recording has stopped."""

_ONLY_SILENCE = "Only silence was recorded. Enter attaches it all the same, Esc discards it."


class RecordScreen(Dialogue[None]):
    """Records, plays back, lets another device be chosen.

    Args:
        recorder: Hears and keeps.
        device: The name of what to record from; empty is the default.
        keep: Takes over a recording that is to be attached.
        remember: Takes the name of a device that was chosen.
        left: A recording from the last time, to be decided about first.
    """

    CSS_PATH = "record.tcss"
    AUTO_FOCUS = ""
    BINDINGS = RECORD_KEYS

    def __init__(
        self,
        recorder: Recorder,
        device: str,
        *,
        keep: Callable[[KeptRecording, Take], None],
        remember: Callable[[str], None],
        left: KeptRecording | None = None,
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._device = device
        self._keep = keep
        self._remember = remember
        self._file = left
        self._left = left
        self._view = RecorderView()
        self._stopping = asyncio.Event()
        self._then: Then = "review"
        self._told = ""
        """What went wrong, or what is asked; else the sound itself decides."""
        self._asked: Literal["", "discard", "silence"] = ""

    def compose(self) -> ComposeResult:
        """What arrives, what is wrong with it, devices, keys."""
        with Vertical(id="recorder"):
            yield Static(id="levels", markup=False)
            yield ShortText(name="message", classes="-empty")
            yield DeviceList(id="devices")
            yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin at once, unless something waits for a decision."""
        if self._left is None:
            self._begin()
            return
        take = Take(self._left.seconds, heard_until=self._left.seconds)
        self._show(
            RecorderView("review", take, device=self._left.name, is_left=True),
            f"{time_words(take.seconds)} were recorded before the app ended.",
        )

    def on_unmount(self) -> None:
        """Let the device go; what is not decided about is offered at the next start."""
        self._stopping.set()
        if self._file is not None:
            self._file.release()
            self._file = None

    def on_resize(self) -> None:
        """The meter is as wide as there is room."""
        self.call_after_refresh(self._draw)

    def _begin(self) -> None:
        self._then, self._asked = "review", ""
        self._stopping = asyncio.Event()
        self._show(RecorderView(), "")
        self.run_worker(self._record())

    async def _record(self) -> None:
        problem = ""
        microphone, stopping = self._recorder.microphone, self._stopping
        try:
            self._file = await asyncio.to_thread(self._recorder.folder.begin)
            recording = microphone.record(self._file.path, self._device, stopping)
            async with aclosing(recording) as events:
                async for event in events:
                    self._take_in(event)
        except GemmaError as error:
            problem = str(error)
        self._ended(problem)

    def _take_in(self, event: RecordEvent) -> None:
        view = self._view
        match event:
            case Started(device, rate):
                told = ""
                if self._device and device != self._device:
                    told = f"“{self._device}” is not connected: this is the system's default."
                self._show(replace(view, phase="recording", device=device, rate=rate), told)
            case Level():
                self._show(replace(view, take=view.take.after(event)))

    def _ended(self, problem: str) -> None:
        """The device is closed, for whatever reason; what was recorded is on the disk."""
        if self._view.take.seconds < MIN_SECONDS:
            self._remove()
            if self._then == "attach" and not problem:
                self.notify("Nothing was recorded.", markup=False)
                self.dismiss()
            elif self._then == "begin":
                self._begin()
            else:
                self._show(replace(self._view, phase="failed"), problem)
            return
        self._show(replace(self._view, phase="review"), problem)
        if self._then == "attach":
            self._hand_over()
        elif self._then == "play":
            self.action_play()
        elif self._then == "begin":
            self._hand_over(goes_on=True)

    def _hand_over(self, *, goes_on: bool = False) -> None:
        """Have the recording attached; silence only if that is wanted."""
        if self._view.take.is_silent and self._asked != "silence" and not goes_on:
            self._asked = "silence"
            self._show(self._view, _ONLY_SILENCE)
            return
        if self._file is not None and not (goes_on and self._view.take.is_silent):
            self._keep(self._file, self._view.take)
            self._file = None
        self._remove()
        if goes_on:
            self._begin()
        else:
            self.dismiss()

    def _remove(self) -> None:
        if self._file is not None:
            self._file.remove()
            self._file = None

    def _stop_and(self, then: Then) -> bool:
        """Stop recording or playing, if it does; whether it recorded."""
        self._then = then
        self._stopping.set()
        return self._view.phase in {"starting", "recording"}

    def action_attach(self) -> None:
        """Stop, attach, close."""
        if self._view.phase == "failed":
            self.dismiss()
        elif not self._stop_and("attach"):
            self._hand_over()

    def action_stop(self) -> None:
        """Stop; attach, play or discard later."""
        self._asked = ""
        self._stop_and("review")

    def action_play(self) -> None:
        """Play what was recorded, or stop that."""
        if self._view.phase == "failed" or self._stop_and("play"):
            return
        if self._view.played is None and self._file is not None:
            self._stopping = asyncio.Event()
            self._show(replace(self._view, played=0.0), "")
            self.run_worker(self._play(self._file))

    async def _play(self, file: KeptRecording) -> None:
        problem = ""
        try:
            playing = self._recorder.microphone.play(file.path, self._stopping)
            async with aclosing(playing) as events:
                async for event in events:
                    self._show(replace(self._view, played=event.seconds))
        except GemmaError as error:
            problem = str(error)
        self._show(replace(self._view, played=None), problem)

    def action_discard(self) -> None:
        """Throw the recording away if that is asked for twice; close."""
        devices = self.query_one(DeviceList)
        if devices.is_shown:
            devices.hide()
        elif self._asked or self._view.take.seconds < MIN_SECONDS:
            self._stopping.set()
            self._remove()
            self.dismiss()
        else:
            self._asked = "discard"
            length = time_words(self._view.take.seconds)
            question = f"Discard {length}? Esc again throws it away, Enter attaches it."
            self._show(self._view, question)

    def action_try_again(self) -> None:
        """Begin anew after a failure."""
        if self._view.phase == "failed":
            self._begin()

    def action_choose_device(self) -> None:
        """Show what there is to record from."""
        if not self._left:
            self.run_worker(self._list_devices(), group="devices", exclusive=True)

    async def _list_devices(self) -> None:
        try:
            devices = await self._recorder.microphone.devices()
        except MicrophoneError as error:
            self._show(self._view, str(error))
            return
        if devices:
            self.query_one(DeviceList).show(devices, self._device)
        else:
            self._show(self._view, "No microphone is connected.")

    @on(OptionList.OptionSelected)
    def _device_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        devices = self.query_one(DeviceList)
        self._device = devices.name_at(event.option_index)
        devices.hide()
        self._remember(self._device)
        if self._view.phase == "review":
            self._hand_over(goes_on=True)
        elif not self._stop_and("begin"):
            self._begin()

    def action_open_privacy(self) -> None:
        """Show where macOS keeps who may use the microphone."""
        if can_open_privacy():
            self.run_worker(open_privacy())

    def _show(self, view: RecorderView, told: str | None = None) -> None:
        """Draw a new state; what is told stays until something else is."""
        self._view = view
        if told is not None:
            self._told = told
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        view = self._view
        levels, message = self.query_one("#levels", Static), self.query_one("#message", Static)
        levels.update(recorder_lines(view, levels.content_size.width), layout=False)
        is_recording = view.phase == "recording"
        fault = advice(view.take.fault, view.device, os.environ) if is_recording else ""
        text = sanitize("\n".join(filter(None, (self._told, fault))))
        if text != str(message.visual):
            message.update(text)
            message.set_class(not text, "-empty")
        panel = self.query_one("#recorder")
        if panel.border_title != view.title:
            panel.border_title = view.title
        keys = self.query_one("#keys", Static)
        if view.keys != str(keys.visual):
            keys.update(view.keys)
