"""Whether what is being downloaded is a Gemma 4 at all, by its small files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.errors import DownloadError
from gemma_tui.hub.on_disk import MODEL_TYPES
from gemma_tui.hub.publication import read_json

if TYPE_CHECKING:
    from gemma_tui.hub.cache import RepoFolder
    from gemma_tui.hub.listing import RepoListing

_INDEX: Final = "model.safetensors.index.json"


def check_config(repo: str, folder: RepoFolder, listing: RepoListing) -> None:
    """See to it that the config names a Gemma 4, and that the repository has every shard.

    Args:
        repo: For the sentence.
        folder: Where the small files are whole.
        listing: What the repository holds.

    Raises:
        DownloadError: It is another model, or an incomplete one.
    """
    named = {file.name: file for file in listing.needed}
    config = read_json(folder.blobs / named["config.json"].digest)
    kind = config.get("model_type")
    if kind not in MODEL_TYPES:
        raise DownloadError(
            f"{repo} is not a Gemma 4 (its config.json says {str(kind)[:40]!r}).",
            "Choose another repository.",
        )
    if _INDEX not in named:
        return
    shards = read_json(folder.blobs / named[_INDEX].digest).get("weight_map")
    wanted = set(shards.values()) if isinstance(shards, dict) else {""}
    if missing := sorted(str(name) for name in wanted - set(named)):
        raise DownloadError(
            f"{repo} is incomplete: it lacks the weights {missing[0][:80]!r}.",
            "Choose another repository.",
        )
