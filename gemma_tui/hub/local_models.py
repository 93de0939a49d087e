"""The folders of models that may be loaded: those that were downloaded, and those imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.hub.cache import shared_cache
from gemma_tui.hub.downloaded import downloaded_models
from gemma_tui.hub.imported import imported_models

if TYPE_CHECKING:
    from pathlib import Path


def local_folders(library: Path) -> tuple[str, ...]:
    """Every folder of the shared cache and of the library that may be loaded.

    Reads the disk: not for an event loop.

    Args:
        library: Where imported models are.
    """
    downloaded = (model.folder for model in downloaded_models(shared_cache()) if model.is_usable)
    return (*map(str, downloaded), *map(str, imported_models(library)))
