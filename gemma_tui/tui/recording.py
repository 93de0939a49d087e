"""From the recorder to a chip: opens it, attaches what was recorded, offers what was left over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gemma_tui.errors import GemmaError, UsageError

if TYPE_CHECKING:
    from textual.app import App

    from gemma_tui.microphone.folder import KeptRecording
    from gemma_tui.microphone.recorder import Recorder
    from gemma_tui.microphone.take import Take
    from gemma_tui.tui.attaching import Attaching
    from gemma_tui.tui.perform import Perform
    from gemma_tui.tui.preferences import Preferences


class Recording:
    """Records into the draft.

    Args:
        recorder: Hears and keeps; None if nothing can be recorded here.
        attaching: Makes chips of files.
        preferences: Remember the device.
        perform: Runs a coroutine function; shows the `GemmaError` it may raise.
    """

    def __init__(
        self,
        recorder: Recorder | None,
        attaching: Attaching,
        preferences: Preferences,
        perform: Perform,
    ) -> None:
        self._recorder = recorder
        self._attaching = attaching
        self._preferences = preferences
        self._perform = perform
        self._left: list[KeptRecording] = []

    async def look_for_left(self) -> str:
        """Find what a program that died has recorded; a sentence about it, or nothing."""
        if self._recorder is None:
            return ""
        self._left = list(await asyncio.to_thread(self._recorder.folder.left))
        if not self._left:
            return ""
        seconds = sum(recording.seconds for recording in self._left)
        count = len(self._left)
        what = "A recording" if count == 1 else f"{count} recordings"
        how = "is" if count == 1 else "are"
        shows = "F9 shows it." if count == 1 else "F9 shows them."
        return f"{what} of {seconds:.0f} s {how} kept from the last time: {shows}"

    async def open(self, app: App[object]) -> None:
        """Show the recorder; it begins at once, or shows what was left over.

        Raises:
            UsageError: Nothing can be recorded here.
        """
        if self._recorder is None:
            raise UsageError("Nothing can be recorded here.")
        from gemma_tui.tui.screens.record import RecordScreen  # noqa: PLC0415  # rarely used

        screen = RecordScreen(
            self._recorder,
            self._preferences.settings.microphone,
            keep=self._keep,
            remember=self._remember,
            left=self._left.pop(0) if self._left else None,
        )
        app.push_screen(screen)

    def _remember(self, device: str) -> None:
        self._perform(partial(self._preferences.set, "microphone", device, "all"))

    def _keep(self, recording: KeptRecording, take: Take) -> None:
        self._perform(partial(self._attach, recording, take))

    async def _attach(self, recording: KeptRecording, take: Take) -> None:
        """Attach a recording; what cannot be attached stays, and is offered again."""
        try:
            await self._attaching.attach([recording.path])
        except GemmaError:
            self._left.append(replace(recording, seconds=take.seconds))
            raise
        recording.remove()
