"""Which parts of an attached file are sent: asked of the reader, shown on its chip.

What parts a file has, and what a selection means, `Documents` knows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gemma_tui.documents import is_document, not_divisible, page_count
from gemma_tui.errors import UsageError
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.preprocessing.sound_cost import clock
from gemma_tui.sanitize import sanitize_line
from gemma_tui.selection import describe_selection
from gemma_tui.videos import EXAMPLE as FRAMES_EXAMPLE
from gemma_tui.videos import video_in_words as _now

if TYPE_CHECKING:
    from textual.app import App

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment
    from gemma_tui.tui.desk_owner import DeskOwner
    from gemma_tui.tui.widgets.attachment_tray import AttachmentTray

EXAMPLE = "1-5, 8 or 20- or all"
SOUND_EXAMPLE = "10:00-12:30 or 1:05:00- or all"


class PartsChoice:
    """Lets parts be chosen.

    Args:
        chat: Knows what files have parts.
        tray: Shows them.
        owner: Runs what may fail.
    """

    def __init__(self, chat: Chat, tray: AttachmentTray, owner: DeskOwner) -> None:
        self._chat = chat
        self._tray = tray
        self._owner = owner

    async def choose(self, selection: str) -> None:
        """Send these parts of the file whose chip is chosen.

        Raises:
            GemmaError: There is no such file, or no such part.
        """
        if self._tray.chosen is None:
            raise UsageError("Nothing is attached that parts could be chosen of.")
        await self._put(self._tray.chosen, selection)

    def ask(self, attachment: Attachment, app: App[None]) -> None:
        """Ask in a dialogue which parts are sent."""
        from gemma_tui.tui.screens.path import PathScreen  # noqa: PLC0415  # rarely used

        name, now = sanitize_line(attachment.name), ""
        if attachment.kind == "audio":
            length = clock(attachment.sample_count)
            question, example = f"Which part of the {length} of “{name}” is sent?", SOUND_EXAMPLE
        elif is_video(attachment):
            question = f"How many frames a second of “{name}” are sent? Now: {_now(attachment)}"
            example = FRAMES_EXAMPLE
        elif is_document(attachment):
            question = f"Which of the {page_count(attachment):,} pages of “{name}” are sent?"
            example = EXAMPLE
            if len(attachment.segments) < page_count(attachment):
                now = describe_selection(page.start for page in attachment.segments)
        elif attachment.kind == "text":
            question, example = f"Which parts of “{name}” are sent, by their numbers?", EXAMPLE
            if attachment.segments:
                question = f"{question}\nNow: {sanitize_line(attachment.segments[0].label)}."
        else:
            raise not_divisible(attachment)
        screen = PathScreen(question, "chooses", now, example=example)
        app.push_screen(screen, partial(self._answered, attachment))

    def _answered(self, attachment: Attachment, selection: str | None) -> None:
        if selection:
            self._owner.perform(partial(self._put, attachment, selection))

    async def _put(self, attachment: Attachment, selection: str) -> None:
        changed = await self._chat.documents.choose(attachment, selection)
        self._tray.put_in_place(attachment, changed)
