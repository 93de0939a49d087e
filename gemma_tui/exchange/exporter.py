"""`Exporter`: conversations into files, in the format that is asked for.

Decides which files there are and what they are called; what is in them is in the other modules.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias

from gemma_tui.exchange.branch import title_of
from gemma_tui.exchange.html import html_pieces
from gemma_tui.exchange.json_export import json_pieces
from gemma_tui.exchange.markdown import markdown, media_names
from gemma_tui.exchange.output import already_there, safe_name, whole_file, write_faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from gemma_tui.storage.blobs import BlobStore
    from gemma_tui.storage.trees import Tree, TreeStore

ExportFormat: TypeAlias = Literal["md", "json", "html"]
"""What a file is; also how its name ends."""


class Exporter:
    """Writes conversations to files. Nothing that is there already is replaced unless told so.

    Args:
        trees: The conversations.
        blobs: The bytes of their attachments.
    """

    def __init__(self, trees: TreeStore, blobs: BlobStore) -> None:
        self._trees = trees
        self._blobs = blobs

    async def export_conversation(
        self,
        conversation_id: int,
        form: ExportFormat,
        path: Path,
        *,
        overwrite: bool = False,
    ) -> Path:
        """Write one conversation; Markdown brings a folder `NAME-media` beside its file.

        Args:
            conversation_id: The conversation.
            form: What is written.
            path: The file; in an existing folder it gets its name from the title.
            overwrite: Whether what is there is replaced.

        Returns:
            The file.

        Raises:
            ExchangeError: There is such a file already, or it cannot be written.
            StorageError: The conversation cannot be read.
        """
        if form == "json":
            place = await self._place(conversation_id, form, path)
            await self._write_json((conversation_id,), place, overwrite=overwrite)
            return place
        tree = await self._trees.read(conversation_id)
        is_folder = await asyncio.to_thread(os.path.isdir, path)
        place = path / _file_name(tree, form) if is_folder else path
        write = self._write_html if form == "html" else self._write_markdown
        await asyncio.to_thread(write, tree, place, overwrite=overwrite)
        return place

    async def export_all(
        self,
        conversation_ids: Sequence[int],
        form: ExportFormat,
        path: Path,
        *,
        overwrite: bool = False,
    ) -> int:
        """Write several conversations: one file of JSON, or a folder with a file for each.

        Returns:
            How many were written.

        Raises:
            ExchangeError: As `export_conversation`; files written before are kept.
            StorageError: A conversation cannot be read.
        """
        if form == "json":
            await self._write_json(conversation_ids, path, overwrite=overwrite)
            return len(conversation_ids)
        with write_faults(path):
            await asyncio.to_thread(path.mkdir, parents=True, exist_ok=True)
        for conversation_id in conversation_ids:
            await self.export_conversation(conversation_id, form, path, overwrite=overwrite)
        return len(conversation_ids)

    async def pieces(
        self, conversation_ids: Sequence[int], form: Literal["json", "html"]
    ) -> AsyncIterator[bytes]:
        """What the file would hold, for a pipe; HTML is one page after the other.

        Raises:
            StorageError: A conversation cannot be read.
        """
        if form == "json":
            async for piece in json_pieces(conversation_ids, self._trees, self._blobs.path_of):
                yield piece
            return
        for conversation_id in conversation_ids:
            tree = await self._trees.read(conversation_id)
            for piece in html_pieces(tree, self._blobs.path_of):
                yield piece

    async def _place(self, conversation_id: int, form: ExportFormat, path: Path) -> Path:
        if not await asyncio.to_thread(os.path.isdir, path):
            return path
        return path / _file_name(await self._trees.read(conversation_id), form)

    async def _write_json(
        self, conversation_ids: Sequence[int], path: Path, *, overwrite: bool
    ) -> None:
        with whole_file(path, overwrite=overwrite) as file:
            async for piece in json_pieces(conversation_ids, self._trees, self._blobs.path_of):
                await asyncio.to_thread(file.write, piece)

    def _write_html(self, tree: Tree, path: Path, *, overwrite: bool) -> None:
        with whole_file(path, overwrite=overwrite) as file:
            for piece in html_pieces(tree, self._blobs.path_of):
                file.write(piece)

    def _write_markdown(self, tree: Tree, path: Path, *, overwrite: bool) -> None:
        names = media_names(tree)
        found = {key: name for key, name in names.items() if self._blobs.path_of(key).is_file()}
        folder = path.with_name(f"{safe_name(path.stem)}-media")
        with whole_file(path, overwrite=overwrite) as file:
            media = {key: PurePosixPath(folder.name) / name for key, name in found.items()}
            file.write(markdown(tree, media).encode())
            if found:
                with _whole_folder(folder, overwrite=overwrite) as temporary:
                    for sha256, name in found.items():
                        shutil.copyfile(self._blobs.path_of(sha256), temporary / name)


@contextmanager
def _whole_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder to fill, which gets its name only when the block ends without an error.

    Raises:
        ExchangeError: There is something of this name that may not be replaced.
    """
    temporary = folder.with_name(f".{folder.name}.part")
    with write_faults(folder):
        if folder.is_symlink() or (folder.exists() and not (overwrite and folder.is_dir())):
            raise already_there(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(mode=0o700)
        try:
            yield temporary
            if folder.exists():
                shutil.rmtree(folder)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _file_name(tree: Tree, form: ExportFormat) -> str:
    """The title, and the id so that two conversations of one title do not meet."""
    return f"{safe_name(title_of(tree))}-{tree.conversation.id}.{form}"
