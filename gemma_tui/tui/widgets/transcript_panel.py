"""Where a conversation is read: the transcript, the search in it, the keys of its cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical

from gemma_tui.tui.keys import keys_of
from gemma_tui.tui.transcript.requests import CursorMoved, FindEnded
from gemma_tui.tui.widgets.find_bar import FindBar
from gemma_tui.tui.widgets.key_line import KeyLine, keys_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.app import ComposeResult

    from gemma_tui.tui.transcript.widget import Transcript


class TranscriptPanel(Vertical):
    """Where a conversation is read.

    Args:
        transcript: Draws it.
    """

    def __init__(self, transcript: Transcript) -> None:
        super().__init__()
        self.transcript = transcript
        """What is read."""
        self.bar = FindBar()
        """What is looked for."""
        self._keys = KeyLine()
        self._keys.display = False

    def compose(self) -> ComposeResult:
        """Transcript and keys; the search comes when it is wanted."""
        yield self.transcript
        yield self._keys

    async def find(self) -> None:
        """Ask what to look for."""
        await self._mount_bar()
        self.bar.open()
        self._find(self.bar.input.value)

    async def show_match(self, message_id: int, text: str) -> bool:
        """Go to a hit that was found elsewhere, as if the reader had looked for it here.

        Args:
            message_id: A message of the open conversation.
            text: What was looked for.

        Returns:
            Whether the message shows it; if not, the message is shown without it.
        """
        await self._mount_bar()
        self.bar.open(text)
        is_found = self.transcript.show_match(message_id, text)
        self._count()
        return is_found

    @on(CursorMoved)
    def _show_keys(self) -> None:
        is_shown = self.transcript.has_focus
        self._keys.display = is_shown
        if is_shown:
            self._keys.keys = keys_for(self.transcript)

    @on(FindBar.Changed)
    def _text_changed(self, event: FindBar.Changed) -> None:
        event.stop()
        self._find(event.text)

    @on(FindBar.StepRequested)
    def _step(self, event: FindBar.StepRequested) -> None:
        event.stop()
        self.transcript.find_next(event.direction)
        self._count()

    @on(FindBar.Closed)
    def _end_find(self, event: FindBar.Closed) -> None:
        event.stop()
        current = self.transcript.finder.message_id
        self.transcript.end_find()
        self.transcript.choose(current)

    @on(FindEnded)
    def _hide_bar(self) -> None:
        self.bar.display = False

    async def _mount_bar(self) -> None:
        if not self.bar.is_attached:
            await self.mount(self.bar, before=self._keys)

    def _find(self, text: str) -> None:
        self.transcript.find(text)
        self._count()

    def _count(self) -> None:
        finder = self.transcript.finder
        self.bar.tell(finder.number, finder.total)


def palette_actions(
    transcript: Transcript, keymap: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """For the command palette: name, key and action of what can be done with a message."""
    for binding in transcript.BINDINGS:
        if not isinstance(binding, tuple) and binding.show:
            yield (
                f"Message: {binding.description.lower()}",
                keys_of(binding, keymap),
                binding.action,
            )
