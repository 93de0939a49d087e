"""What can be done with the attachments of a conversation: see, attach again, save, open outside.

The screen shows them; it asks here. Every method that fails says so with a `GemmaError`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import ExchangeError, UsageError
from gemma_tui.exchange.output import safe_name, whole_file
from gemma_tui.paths import expand
from gemma_tui.sanitize import sanitize_line
from gemma_tui.storage.blobs import missing_blob

if TYPE_CHECKING:
    from textual.app import App

    from gemma_tui.chat import Chat
    from gemma_tui.generation import MediaPreview
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.storage.media_uses import MediaUse
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.perform import Perform
    from gemma_tui.tui.system_viewer import SystemViewer
    from gemma_tui.tui.widgets.attachment_tray import AttachmentTray
    from gemma_tui.tui.workspace import Workspace


_LINES: Final = 60
"""Of a text, as many as any window shows."""


class Gallery:
    """The attachments of the open conversation.

    Args:
        chat: Knows previews and bytes.
        store: Conversations.
        page: The open one.
        tray: Where an attachment is put to be sent again.
        workspace: Shows a message.
        perform: Runs a coroutine function as a worker; shows the `GemmaError` it may raise.
        viewer: Opens files outside; None is that of the system.
    """

    def __init__(
        self,
        chat: Chat,
        store: ConversationStore,
        page: Page,
        tray: AttachmentTray,
        workspace: Workspace,
        perform: Perform,
        viewer: SystemViewer | None = None,
    ) -> None:
        self._chat = chat
        self._store = store
        self._page = page
        self._tray = tray
        self._workspace = workspace
        self._perform = perform
        self._viewer = viewer

    @property
    def viewer(self) -> SystemViewer:
        """What opens files outside of this program."""
        if self._viewer is None:
            from gemma_tui.tui.system_viewer import (  # noqa: PLC0415  # rarely used
                SystemViewer,
                viewer_command,
            )

            self._viewer = SystemViewer(viewer_command())
        return self._viewer

    async def open(self, app: App[Any]) -> None:
        """Show the gallery.

        Raises:
            UsageError: There is nothing to show.
        """
        conversation = self._page.conversation
        uses = await self._store.media_uses(conversation.id) if conversation else ()
        if not uses:
            raise UsageError("No message of this conversation has an attachment.")
        from gemma_tui.tui.screens.gallery import GalleryScreen  # noqa: PLC0415  # rarely used

        app.push_screen(GalleryScreen(self, uses))

    async def preview(self, use: MediaUse) -> MediaPreview | str:
        """A picture or a sound in small, or the first lines of a text.

        Raises:
            GemmaError: It cannot be read any more.
        """
        if use.attachment.kind != "text":
            return await self._chat.preview(use.attachment)
        text = await self._chat.text_of(use.attachment)
        return "\n".join(text.split("\n", _LINES)[:_LINES])

    def go_to(self, use: MediaUse) -> None:
        """Show the message that it stands in, also where that is in another branch."""
        if (conversation := self._page.conversation) is not None:
            self._perform(partial(self._go_to, conversation.id, use.message_id))

    async def _go_to(self, conversation_id: int, message_id: int) -> None:
        if self._page.message(message_id) is None:
            await self._store.set_leaf(conversation_id, message_id)
            await self._workspace.turn_to(conversation_id)
        self._page.transcript.choose(message_id)

    def attach_again(self, use: MediaUse) -> None:
        """Put it into the draft, with the budget and the parts it had.

        Raises:
            StorageError: Its copy is gone.
        """
        self._path(use)
        self._tray.add(use.attachment)

    async def save(self, use: MediaUse, typed: str) -> Path:
        """Write a copy; a folder gets it under its own name, and nothing is replaced.

        Args:
            use: What to save.
            typed: A path as the user wrote it.

        Returns:
            Where it is.

        Raises:
            ExchangeError: That name is taken, or cannot be written.
            StorageError: The stored copy is gone.
        """
        source = self._path(use)
        target = expand(typed.strip()).absolute()
        return await asyncio.to_thread(_copy, source, target, use.attachment.name)

    async def suggested_path(self, use: MediaUse) -> str:
        """A name that is free, where downloads go."""
        return await asyncio.to_thread(_suggested, use.attachment.name)

    async def open_outside(self, use: MediaUse) -> None:
        """Show a copy with the system's viewer.

        Raises:
            GemmaError: It cannot be shown.
        """
        item = use.attachment
        await self.viewer.show(self._path(use), sanitize_line(item.name), item.media_type)

    def _path(self, use: MediaUse) -> Path:
        path = self._chat.pictures.path_of(use.attachment)
        if not path.is_file():
            raise missing_blob(use.attachment.name)
        return path


def _copy(source: Path, target: Path, name: str) -> Path:
    if os.path.isdir(target):  # noqa: PTH112  # it never raises
        target /= safe_name(name, "attachment")
    if os.path.lexists(target):
        message = f"“{target}” is there already, so nothing was written."
        raise ExchangeError(message, "Choose another name.")
    with whole_file(target, overwrite=False) as file, source.open("rb") as content:
        shutil.copyfileobj(content, file)
    return target


def _suggested(name: str) -> str:
    home, own = Path.home(), Path(safe_name(name, "attachment"))
    folder = home / "Downloads"
    place = folder if os.path.isdir(folder) else home  # noqa: PTH112  # as above
    numbers = ("", *(f" {number}" for number in range(2, 1000)))
    for number in numbers:
        free = place / f"{own.stem}{number}{own.suffix}"
        with suppress(OSError):
            if not free.exists():
                return str(free)
    return str(place / own)
