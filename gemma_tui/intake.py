"""From a file to its copy in the store and what it is; a locked document is asked its password.

The copy of a document is stored without its password, so that it can be drawn again whenever its
conversation is read. The password itself goes to the process that decodes, and is forgotten.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from gemma_tui.engine.media_requests import Unlock
from gemma_tui.errors import AttachmentError, LockedDocumentError
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import MediaInfo
    from gemma_tui.storage.blobs import BlobStore, StoredBlob

AskPassword: TypeAlias = "Callable[[str, bool], Awaitable[str | None]]"
"""Asks for the password of the document with this name, fit to be shown; the other argument says
whether one was wrong. None: the user has none."""


class Intake:
    """Takes files into the store.

    Args:
        blobs: The store.
        engine: Looks into them.
    """

    def __init__(self, blobs: BlobStore, engine: Engine) -> None:
        self._blobs = blobs
        self._engine = engine

    async def take(
        self, path: Path, ask_password: AskPassword | None = None
    ) -> tuple[StoredBlob, MediaInfo]:
        """Copy a file, and find out what it is; what cannot be attached is not kept.

        Args:
            path: The file.
            ask_password: Called for a locked document, until a password opens it; None refuses it.

        Raises:
            LockedDocumentError: Nobody knows the password.
            AttachmentError: The file cannot be attached.
            StorageError: It cannot be copied.
            EngineError: Nobody could look into it.
        """
        blob = await self._blobs.add_file(path)
        try:
            return blob, await self._engine.probe(self._blobs.path_of(blob.sha256), path.name)
        except LockedDocumentError as error:
            try:
                if ask_password is None:
                    raise
                return await self._unlocked(blob, path.name, ask_password, error)
            finally:
                await self._discard(blob)
        except AttachmentError:
            await self._discard(blob)
            raise

    async def _unlocked(
        self, blob: StoredBlob, name: str, ask: AskPassword, error: LockedDocumentError
    ) -> tuple[StoredBlob, MediaInfo]:
        """The copy that needs no password; raises `error` if nobody knows one."""
        is_wrong = False
        while (password := await ask(sanitize_line(name), is_wrong)) is not None:
            target = self._blobs.path_in_the_making()
            request = Unlock(str(self._blobs.path_of(blob.sha256)), name, password, str(target))
            try:
                info = await self._engine.unlock(request)
                return await self._blobs.add_file(target), info
            except LockedDocumentError:
                is_wrong = True
            finally:
                await asyncio.to_thread(target.unlink, missing_ok=True)
        raise error

    async def _discard(self, blob: StoredBlob) -> None:
        if blob.is_new:
            await self._blobs.discard(blob.sha256)
