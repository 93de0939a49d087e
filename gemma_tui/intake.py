"""From a file to an attachment: its copy in the store, what it is, what of it fits.

The copy of a locked document is stored without its password, so that it can be drawn again whenever
its conversation is read. The password itself goes to the process that decodes, and is forgotten.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from gemma_tui.documents import is_divisible
from gemma_tui.engine.media_requests import Unlock
from gemma_tui.errors import AttachmentError, LockedDocumentError
from gemma_tui.pictures import attachment_of
from gemma_tui.preprocessing.budget import AUTO, DEFAULT_TOKEN_BUDGET, check_budget
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from gemma_tui.conversation import Attachment
    from gemma_tui.documents import Documents
    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import MediaInfo
    from gemma_tui.pictures import Pictures
    from gemma_tui.preprocessing.budget import TokenBudget
    from gemma_tui.storage.blobs import BlobStore, StoredBlob

AskPassword: TypeAlias = "Callable[[str, bool], Awaitable[str | None]]"
"""Asks for the password of the document with this name, fit to be shown; the other argument says
whether one was wrong. None: the user has none."""


class Intake:
    """Takes files into the store.

    Args:
        blobs: The store.
        engine: Looks into them.
        pictures: Told what a file is.
        documents: Knows how much of a file fits.
    """

    def __init__(
        self, blobs: BlobStore, engine: Engine, pictures: Pictures, documents: Documents
    ) -> None:
        self._blobs = blobs
        self._engine = engine
        self._pictures = pictures
        self._documents = documents

    async def attach(
        self,
        path: Path,
        token_budget: TokenBudget | None,
        used_tokens: int,
        ask_password: AskPassword | None,
    ) -> Attachment:
        """As `Chat.attach`."""
        if isinstance(token_budget, int):
            check_budget(token_budget)
        blob, info = await self.take(path, ask_password)
        self._pictures.learn(blob.sha256, info)
        # Asked now: the model may have become known while the file was copied.
        model = self._engine.state.model
        budget = model.default_token_budget if model else DEFAULT_TOKEN_BUDGET
        budget = token_budget if isinstance(token_budget, int) else budget
        found = attachment_of(blob, info, path.name, budget)
        if is_divisible(found):
            return await self._documents.first_parts(found, token_budget, used_tokens)
        if token_budget == AUTO:
            return await self._pictures.with_auto_budget(found, used_tokens)
        return found

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
