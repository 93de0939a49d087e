"""Where the files of a repository lie in the cache that every Hugging Face program shares.

    models--owner--name/
        blobs/<digest>               the files, by the sha256 (large ones) or git's sha1 of a blob
        snapshots/<commit>/<name>    links into blobs: a folder that can be loaded
        refs/<branch>                the commit a branch stood at
        trees/<commit>.json          what the hub lists for it: sizes and digests
        .gemma-tui/                  ours: what is not whole yet, and what was verified

The layout is huggingface_hub's (2.4); other programs find what is downloaded here, and the other
way round. What another program must not take for a file lies in `.gemma-tui` only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gemma_tui.errors import UsageError

_REPO: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")


@dataclass(frozen=True, slots=True)
class RepoFolder:
    """The folder of one repository.

    Attributes:
        cache: The shared cache.
        repo: `owner/name`, as `check_repo` returns it.
    """

    cache: Path
    repo: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.cache / ("models--" + self.repo.replace("/", "--"))

    @property
    def blobs(self) -> Path:
        """Whole files, by their digest."""
        return self.path / "blobs"

    @property
    def snapshots(self) -> Path:
        """A folder for each commit."""
        return self.path / "snapshots"

    @property
    def refs(self) -> Path:
        """A file for each branch."""
        return self.path / "refs"

    @property
    def own(self) -> Path:
        """What only this program knows: partial files, the lock, what was verified."""
        return self.path / ".gemma-tui"

    @property
    def lock(self) -> Path:
        """Held by whoever changes the folder."""
        return self.own / "lock"

    @property
    def plan(self) -> Path:
        """What a download that is not finished is to bring."""
        return self.own / "plan.json"

    def snapshot(self, commit: str) -> Path:
        """The folder of a commit."""
        return self.snapshots / commit

    def tree(self, commit: str) -> Path:
        """What the hub lists for a commit, in huggingface_hub's format."""
        return self.path / "trees" / f"{commit}.json"

    def seal(self, commit: str) -> Path:
        """Which files of a commit were verified, and when they were changed last."""
        return self.own / f"{commit}.json"

    def partial(self, digest: str) -> Path:
        """A file that is not whole."""
        return self.own / f"{digest}.partial"


def repo_of(folder_name: str) -> str:
    """`owner/name` of a folder of the cache; empty if it is not that of a model."""
    kind, _, rest = folder_name.partition("--")
    repo = rest.replace("--", "/", 1)
    return repo if kind == "models" and _REPO.fullmatch(repo) else ""


def check_repo(text: str) -> str:
    """The name of a repository, unchanged.

    Raises:
        UsageError: It is not of the form `owner/name`, so it could name another place.
    """
    if not _REPO.fullmatch(text) or "--" in text or ".." in text:
        raise UsageError(
            f"“{text}” is no name of a repository.", "It looks like mlx-community/gemma-4-e2b-it."
        )
    return text


def check_revision(text: str) -> str:
    """A branch, a tag or a commit, unchanged.

    Raises:
        UsageError: Git would not take it, or it could name another place.
    """
    if not _REVISION.fullmatch(text) or ".." in text or "//" in text or text.endswith("/"):
        raise UsageError(f"“{text}” is no revision.", "Name a branch, a tag or a commit.")
    return text


def is_commit(text: str) -> bool:
    """Whether a revision is the full sha of a commit, which never changes."""
    return bool(_COMMIT.fullmatch(text))


def shared_cache() -> Path:
    """The cache by `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`, as huggingface_hub reads them."""
    from huggingface_hub import constants  # noqa: PLC0415  # not before it is needed

    return Path(constants.HF_HUB_CACHE)


def hub_endpoint() -> str:
    """The address of the hub, or of the mirror that `HF_ENDPOINT` names; without a slash behind."""
    from huggingface_hub import constants  # noqa: PLC0415  # as above

    return str(constants.ENDPOINT)
