"""The models of this disk that may be loaded, those that were downloaded or imported as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.hub.cache import shared_cache
from gemma_tui.hub.downloaded import downloaded_models
from gemma_tui.hub.imported import imported_models
from gemma_tui.hub.on_disk import find_models
from gemma_tui.paths import builtin_model

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.hub.on_disk import ModelOnDisk
    from gemma_tui.settings.schema import Settings


def local_models(settings: Settings, library: Path) -> tuple[ModelOnDisk, ...]:
    """The models of this disk: the built-in one, the user's folders, downloaded, imported.

    Reads the disk: not for an event loop.

    Args:
        settings: Which folders the user has named, and where more of them are.
        library: Where imported models are.
    """
    known = (*settings.known_models, *local_folders(library))
    return find_models(builtin_model(), known, settings.model_library)


def local_folders(library: Path) -> tuple[str, ...]:
    """Every folder of the shared cache and of the library that may be loaded.

    Reads the disk: not for an event loop.

    Args:
        library: Where imported models are.
    """
    downloaded = (model.folder for model in downloaded_models(shared_cache()) if model.is_usable)
    return (*map(str, downloaded), *map(str, imported_models(library)))
