"""What a repository holds at one commit, as the hub says, and which of it a model needs.

The answer of a hub is foreign text: names, sizes and digests are checked before any of them becomes
a path. Knows neither the network nor the disk.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import DownloadError
from gemma_tui.hub.cache import is_commit

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FILES: Final = 10_000
"""A model has a dozen files; beyond this it is a data set."""

MAX_NEEDED_FILES: Final = 500
MAX_WEIGHTS_BYTES: Final = 400 * 10**9
"""Of all weights together; Gemma 4 31B in bf16 has 63 GB."""

MAX_SETTINGS_BYTES: Final = 64 * 1024 * 1024
"""Of any other file; the tokenizer of Gemma 4 has 33 MB."""

_WEIGHTS: Final = ".safetensors"
_SETTINGS: Final = frozenset((".json", ".jinja", ".txt", ".model", ".md"))
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}|LICENSE")
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SHA1: Final = re.compile(r"[0-9a-f]{40}")
_HINT: Final = "Choose another repository."


@dataclass(frozen=True, slots=True)
class RepoFile:
    """A file of a repository."""

    name: str
    """Its path in the repository."""
    size_bytes: int
    blob_id: str
    """Git's sha1: of the file, or of the pointer that stands for a large one."""
    sha256: str = ""
    """Of a large file (Git LFS); empty for a small one."""

    @property
    def digest(self) -> str:
        """What its content is checked against, and its name among the blobs."""
        return self.sha256 or self.blob_id

    @property
    def is_weights(self) -> bool:
        """Whether it holds tensors."""
        return self.name.endswith(_WEIGHTS)

    def hasher(self) -> hashlib._Hash:
        """An empty hash that gives `digest` once it has read the whole file."""
        if self.sha256:
            return hashlib.sha256()
        # Git's name of a blob; it tells files apart, an attacker is kept out by TLS.
        begun = hashlib.sha1(usedforsecurity=False)
        begun.update(b"blob %d\0" % self.size_bytes)
        return begun


@dataclass(frozen=True, slots=True)
class RepoListing:
    """Everything in a repository at one commit."""

    repo: str
    commit: str
    files: tuple[RepoFile, ...]

    @property
    def needed(self) -> tuple[RepoFile, ...]:
        """What a model needs, small files first: weights, settings, tokenizer, licence; no code."""
        return tuple(sorted(filter(_is_needed, self.files), key=lambda f: (f.is_weights, f.name)))


def read_listing(repo: str, answer: object) -> RepoListing:
    """The listing in a hub's answer to `/api/models/REPO/revision/REVISION?blobs=true`.

    Args:
        repo: What was asked for.
        answer: Decoded JSON.

    Raises:
        DownloadError: It is no such answer, a name or size in it cannot be, or there is no model.
    """
    table = answer if isinstance(answer, dict) else {}
    commit, entries = table.get("sha"), table.get("siblings")
    if not isinstance(commit, str) or not is_commit(commit) or not isinstance(entries, list):
        raise DownloadError(
            f"What the hub says of {repo} is not in its format.",
            "Is HF_ENDPOINT the address of a hub?",
        )
    if len(entries) > MAX_FILES:
        raise DownloadError(f"{repo} has {len(entries):,} files: that is no model.", _HINT)
    files = tuple(_file(repo, entry) for entry in entries)
    listing = RepoListing(repo, commit, files)
    _check_needed(listing)
    return listing


def check_name(name: str) -> bool:
    """Whether a name of the hub stays below the folder it is put in, on every system."""
    parts = name.split("/")
    return (
        0 < len(name) <= 1024
        and name.isprintable()
        and not any(mark in name for mark in '\\:*?"<>|')
        and not any(part in {"", ".", ".."} or part[-1] in " ." for part in parts)
        and not any(_DEVICES.fullmatch(part) or len(part.encode()) > 255 for part in parts)
    )


def _file(repo: str, entry: object) -> RepoFile:
    table = entry if isinstance(entry, dict) else {}
    name = table.get("rfilename")
    if not isinstance(name, str) or not check_name(name):
        raise DownloadError(
            f"{repo} has a file whose name would lead out of its folder, so nothing is downloaded"
            f" ({str(name)[:80]!r}).",
            _HINT,
        )
    lfs: dict[str, Any] = table["lfs"] if isinstance(table.get("lfs"), dict) else {}
    size = lfs.get("size", table.get("size"))
    blob_id, sha256 = table.get("blobId"), lfs.get("sha256", "")
    is_right = (
        type(size) is int
        and size >= 0
        and isinstance(blob_id, str)
        and isinstance(sha256, str)
        and _SHA1.fullmatch(blob_id)
        and (not lfs or _SHA256.fullmatch(sha256))
    )
    if not is_right:
        raise DownloadError(
            f"The hub gives no size or checksum for {name} of {repo}, so it cannot be verified.",
            _HINT,
        )
    return RepoFile(name, int(str(size)), str(blob_id), str(sha256))


def _is_needed(file: RepoFile) -> bool:
    suffix = "." + file.name.rpartition(".")[2]
    is_plain = bool(_PLAIN_NAME.fullmatch(file.name))
    return is_plain and (suffix in _SETTINGS or suffix == _WEIGHTS or file.name == "LICENSE")


def _check_needed(listing: RepoListing) -> None:
    needed = listing.needed
    names = [file.name for file in needed]
    for name in ("config.json", "tokenizer.json"):
        if name not in names:
            raise DownloadError(f"{listing.repo} holds no model: there is no {name}.", _HINT)
    weights = sum(file.size_bytes for file in needed if file.is_weights)
    if not weights:
        raise DownloadError(
            f"{listing.repo} holds no weights this program reads: no *.safetensors file.", _HINT
        )
    if len({name.lower() for name in names}) < len(names):
        raise DownloadError(f"{listing.repo} has files whose names differ by case only.", _HINT)
    too_large = [f for f in needed if not f.is_weights and f.size_bytes > MAX_SETTINGS_BYTES]
    if weights > MAX_WEIGHTS_BYTES or too_large or len(needed) > MAX_NEEDED_FILES:
        raise DownloadError(f"{listing.repo} is far larger than any Gemma 4.", _HINT)


def tree_record(files: Iterable[RepoFile]) -> dict[str, object]:
    """A listing in the format of huggingface_hub's `trees/COMMIT.json` (version 1)."""
    return {
        "format_version": 1,
        "files": {
            file.name: {
                "size": file.size_bytes,
                "blob_id": file.blob_id,
                **({"lfs_sha256": file.sha256, "lfs_size": file.size_bytes} if file.sha256 else {}),
            }
            for file in sorted(files, key=lambda file: file.name)
        },
    }


def read_tree_record(repo: str, commit: str, record: object) -> RepoListing | None:
    """A listing that `tree_record`, or huggingface_hub, wrote; None if it is not one."""
    table = record if isinstance(record, dict) else {}
    entries = table.get("files")
    if table.get("format_version") != 1 or not isinstance(entries, dict):
        return None
    answer = [
        {"rfilename": name, "size": entry.get("size"), "blobId": entry.get("blob_id")}
        | (
            {"lfs": {"sha256": entry["lfs_sha256"], "size": entry.get("lfs_size")}}
            if entry.get("lfs_sha256")
            else {}
        )
        for name, entry in entries.items()
        if isinstance(entry, dict)
    ]
    try:
        return read_listing(repo, {"sha": commit, "siblings": answer})
    except DownloadError:
        return None
