"""`Exchange`: conversations out to files and in from them, for a program that is open anyway.

What that takes is loaded when it is first wanted: most runs neither export nor import.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from gemma_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gemma_tui.exchange.exporter import ExportFormat
    from gemma_tui.exchange.found import Report
    from gemma_tui.exchange.importer import Probe
    from gemma_tui.storage.blobs import BlobStore
    from gemma_tui.storage.trees import TreeStore


class Exchange:
    """Writes and reads files of conversations.

    Args:
        trees: The conversations.
        blobs: The bytes of their attachments.
        probe: Finds out what an attachment is.
    """

    def __init__(self, trees: TreeStore, blobs: BlobStore, probe: Probe) -> None:
        self._trees = trees
        self._blobs = blobs
        self._probe = probe

    async def export(self, conversation_id: int, path: Path) -> Path:
        """Write a conversation in the format that the path's ending says; a folder gets Markdown.

        Returns:
            The file.

        Raises:
            UsageError: The ending names no format.
            ExchangeError: There is such a file already, or it cannot be written.
            StorageError: The conversation cannot be read.
        """
        from gemma_tui.exchange.exporter import Exporter  # noqa: PLC0415

        exporter = Exporter(self._trees, self._blobs)
        return await exporter.export_conversation(conversation_id, _form_of(path), path)

    async def import_file(self, path: Path, progress: Callable[[float], None]) -> Report:
        """Import everything in a file, or nothing; as `Importer.import_file`."""
        from gemma_tui.exchange.importer import Importer  # noqa: PLC0415

        return await Importer(self._trees, self._blobs, self._probe).import_file(path, progress)


def form_of_ending(path: Path) -> ExportFormat | None:
    """The format that a path's ending says; None if it says none."""
    ending = path.suffix.lower().removeprefix(".")
    return cast("ExportFormat", ending) if ending in {"md", "html", "json"} else None


def _form_of(path: Path) -> ExportFormat:
    if (form := form_of_ending(path)) is not None:
        return form
    if os.path.isdir(path):  # noqa: PTH112  # nothing is an error
        return "md"
    raise UsageError(
        f"“{path.name}” does not say which format it is to have.",
        "End it with .md, .html or .json, or name a folder.",
    )
