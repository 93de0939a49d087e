"""What a user means who names a model: a variant of the catalogue, or a repository of the hub."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemma_tui.errors import UsageError
from gemma_tui.hub.cache import check_repo, check_revision, shared_cache
from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.downloaded import find_downloaded
from gemma_tui.paths import expand

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.hub.catalog import Catalog
    from gemma_tui.hub.downloaded import DownloadedModel


@dataclass(frozen=True, slots=True)
class WantedModel:
    """A model of a hub."""

    name: str
    """As the user wrote it, or a variant's."""
    repo: str
    """`owner/name`."""
    revision: str
    """A branch or a commit; empty: whatever is published now."""


def wanted_model(text: str, catalog: Catalog) -> WantedModel:
    """The model that `NAME`, `OWNER/NAME` or `OWNER/NAME@REVISION` names.

    Raises:
        UsageError: It names none.
    """
    repo, _, revision = text.strip().partition("@")
    variant = catalog.find(repo)
    if variant is not None:
        return WantedModel(variant.name, variant.repo, check_pinned(revision or variant.revision))
    if "/" not in repo:
        raise UsageError(
            f"“{repo}” is no model of the catalogue.",
            "gemma-tui models list shows them; a repository is named OWNER/NAME.",
        )
    return WantedModel(text.strip(), check_repo(repo), check_pinned(revision))


def check_pinned(revision: str) -> str:
    """`check_revision` for one that may be empty."""
    return check_revision(revision) if revision else ""


def on_this_disk(wanted: WantedModel, cache: Path) -> DownloadedModel:
    """The copy of a model in the cache, whole or not.

    Raises:
        UsageError: There is none.
    """
    model = find_downloaded(cache, wanted.repo, wanted.revision)
    if model is None:
        raise UsageError(
            f"{wanted.name} is not on this disk.", f"gemma-tui models pull {wanted.name} gets it."
        )
    return model


def named_model(text: str, config: Path) -> Path | None:
    """The folder of a downloaded model that a user names instead of a folder.

    Args:
        text: What the user wrote; a folder that is there is never looked up.
        config: The config folder, for the user's catalogue.

    Returns:
        A model folder; None if the text can only be a path.

    Raises:
        UsageError: It names a model that is not on this disk, or not whole.
    """
    if os.path.exists(expand(text)):  # noqa: PTH110  # what cannot be a path is none
        return None
    try:
        wanted = wanted_model(text, load_catalog(config))
    except UsageError:
        return None
    cache = shared_cache()
    is_path = wanted.name == text and not find_downloaded(cache, wanted.repo)
    if is_path and load_catalog(config).find(text) is None:
        return None
    model = on_this_disk(wanted, cache)
    if not model.is_usable:
        raise UsageError(
            f"{wanted.name} is not whole on this disk ({model.state}).",
            f"gemma-tui models pull {wanted.name} gets the rest.",
        )
    return model.folder
