"""Ctrl+V: from the system's clipboard into the draft, as a picture, as files, or as text."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ClipboardError
from gemma_tui.storage.faults import storage_faults
from gemma_tui.tui.clipboard_content import (
    CopiedFiles,
    CopiedPicture,
    CopiedText,
    NothingCopied,
    OtherCopied,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.tui.attaching import Attaching
    from gemma_tui.tui.clipboard_content import Clipboard
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

CLIPBOARD: Final = "clipboard"
"""What is pending while the clipboard is being read."""

PICTURE_NAME: Final = "pasted picture"

_SHOWN_KINDS: Final = 3


class Pasting:
    """Pastes what is copied.

    Args:
        clipboard: The system's; None where there is none.
        own: What was copied in this app last.
        attaching: Attaches files.
        page: Which conversation is shown.
        panel: The chips and the composer.
    """

    def __init__(
        self,
        clipboard: Clipboard | None,
        own: Callable[[], str],
        *,
        attaching: Attaching,
        page: Page,
        panel: ComposerPanel,
    ) -> None:
        self._clipboard = clipboard
        self._own = own
        self._attaching = attaching
        self._page = page
        self._panel = panel

    def expect(self) -> None:
        """Make a paste pending before `paste` runs: an Enter right behind Ctrl+V has to wait."""
        self._panel.tray.pending += (CLIPBOARD,)

    async def paste(self) -> None:
        """Attach or insert what is copied, after `expect`.

        Where the system's clipboard cannot be read, what was copied in this app is pasted.

        Raises:
            GemmaError: There is nothing to paste, or why it cannot be.
        """
        number = self._page.number
        try:
            content = await self._read()
            match content:
                case CopiedFiles(paths):
                    await self._attaching.attach(paths)
                case CopiedPicture():
                    await self._attach_picture(content)
                case CopiedText(text) if number == self._page.number:
                    self._panel.composer.take_paste(text)
                case CopiedText():
                    pass  # the reader turned the page before it came; it is still copied
                case NothingCopied():
                    raise ClipboardError("Nothing is copied.", "Copy a picture, files or text.")
                case OtherCopied(kinds):
                    raise _foreign(kinds)
        finally:
            self._panel.no_longer_pending(CLIPBOARD)

    async def _read(self) -> CopiedPicture | CopiedFiles | CopiedText | NothingCopied | OtherCopied:
        own = self._own()
        if self._clipboard is None:
            return CopiedText(own) if own else NothingCopied()
        try:
            return await self._clipboard.read()
        except ClipboardError:
            if own:
                return CopiedText(own)
            raise

    async def _attach_picture(self, picture: CopiedPicture) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{PICTURE_NAME}{picture.suffix}"
            with storage_faults(path):
                await asyncio.to_thread(path.write_bytes, picture.content)
            await self._attaching.attach([path])


def _foreign(kinds: tuple[str, ...]) -> ClipboardError:
    named = ", ".join(kinds[:_SHOWN_KINDS])
    more = ", …" if len(kinds) > _SHOWN_KINDS else ""
    return ClipboardError(
        f"What is copied is neither a picture, nor files, nor text ({named}{more}).",
        "Save it as a file and attach that.",
    )
