"""Copies a model folder, say from a USB disk, to where models are kept; whole or not at all.

The folder is looked at first as the engine would: what carries code is not copied. What was copied
of a file before an interruption is kept, but for its end. The digests of all files are written
beside the model in the format of sha256sum, so that it can be verified later.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ModelError, UsageError
from gemma_tui.hub.disk_faults import check_space, disk_faults
from gemma_tui.hub.on_disk import read_model
from gemma_tui.hub.repo_lock import folder_lock
from gemma_tui.model_folder import open_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUMS_SUFFIX: Final = ".sha256"
"""Of the file with the digests: the name of the folder with this behind it."""

_SETTINGS: Final = frozenset((".json", ".jinja", ".txt", ".model", ".md"))
_DISTRUSTED_BYTES: Final = 64 * 1024 * 1024
"""At the end of a file whose copy was interrupted; they are copied again."""

_BLOCK: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far it is."""

    done_bytes: int
    total_bytes: int
    file: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The last event."""

    folder: Path
    """The copy."""


def import_folder(source: Path, library: Path) -> Iterator[ImportProgress | Imported]:
    """Copy a model folder into the library. Blocks for minutes: run it in a thread.

    Closing it early is a pause; the same import goes on where it stopped.

    Args:
        source: A model folder, or that of a repository in a Hugging Face cache with one snapshot.
        library: Where imported models are kept; made if it is not there.

    Raises:
        ModelError: It is no model folder, is incomplete, or carries code.
        UsageError: A model of that name is there already.
        DiskFullError: There is too little space.
        StorageError: A file cannot be read or written.
    """
    folder = _snapshot_of(source)
    files = _files_of(folder)
    target = library / _name_of(source)
    partial = library / f".{target.name}.partial"
    if os.path.lexists(target):
        raise UsageError(f"{target} is already there.", "Rename the folder, or remove that one.")
    with disk_faults(library):
        library.mkdir(parents=True, exist_ok=True)
        total = sum(path.stat().st_size for path in files)
        have = sum(p.stat().st_size for p in partial.iterdir()) if partial.is_dir() else 0
        check_space(library, max(0, total - have), target.name)
        with folder_lock(partial, target.name):
            yield from _copy(files, partial, total)
            open_folder(partial)
            _publish(partial, target)
    yield Imported(target)


def _copy(files: list[Path], partial: Path, total: int) -> Iterator[ImportProgress]:
    """Copy every file, and write their digests beside the folder."""
    known = partial.with_suffix(".source")
    state = json.dumps([[path.name, *_state(path)] for path in files])
    if not known.exists() or known.read_text(encoding="utf-8") != state:
        for stale in partial.iterdir():
            stale.unlink()
        known.write_text(state, encoding="utf-8")
    done, sums = 0, []
    for path in files:
        hasher = hashlib.sha256()
        for count in _copy_file(path, partial / path.name, hasher):
            done += count
            yield ImportProgress(done, total, path.name)
        sums.append(f"{hasher.hexdigest()}  {path.name}\n")
    partial.with_suffix(SUMS_SUFFIX).write_text("".join(sums), encoding="utf-8")


def _copy_file(source: Path, target: Path, hasher: hashlib._Hash) -> Iterator[int]:
    """Copy what is missing of a file; yields how many more bytes are there."""
    with source.open("rb") as original, target.open("ab+") as copy:
        # A machine that stopped may not have written the end of what it had.
        start = max(0, copy.tell() - _DISTRUSTED_BYTES)
        copy.truncate(start)
        copy.seek(0)
        while block := copy.read(_BLOCK):
            hasher.update(block)
            yield len(block)
        original.seek(start)
        while block := original.read(_BLOCK):
            copy.write(block)
            hasher.update(block)
            yield len(block)
        copy.flush()
        os.fsync(copy.fileno())


def _publish(partial: Path, target: Path) -> None:
    partial.with_suffix(SUMS_SUFFIX).replace(target.with_name(target.name + SUMS_SUFFIX))
    partial.rename(target)
    partial.with_suffix(".source").unlink()


def _snapshot_of(source: Path) -> Path:
    """The model folder meant: of a repository of a Hugging Face cache its only snapshot."""
    snapshots = source / "snapshots"
    if (source / "config.json").exists() or not snapshots.is_dir():
        return source
    found = [path for path in snapshots.iterdir() if path.is_dir()]
    if len(found) != 1:
        raise ModelError(
            f"{source} holds {len(found)} snapshots.", f"Choose one of those in {snapshots}."
        )
    return found[0]


def _name_of(source: Path) -> str:
    """What the copy is called: as its folder, or as the repository it is a snapshot of."""
    place = source.absolute()
    if place.parent.name == "snapshots":
        place = place.parent.parent
    name = place.name.removeprefix("models--").rpartition("--")[2]
    if not name or name.startswith("."):
        raise UsageError(f"{source} has no name for a model.", "Rename the folder.")
    return name


def _files_of(folder: Path) -> list[Path]:
    """What is copied: weights, settings, tokenizer, licence; small files first."""
    model = open_folder(folder)
    found = read_model(folder)
    if found.problem:
        raise ModelError(
            f"{folder} cannot be used: {found.problem}.", "Choose a folder with a Gemma 4."
        )
    others = (path for path in folder.iterdir() if path.is_file())
    small = [p for p in others if p.suffix in _SETTINGS or p.name == "LICENSE"]
    return [*sorted(small), *model.weights]


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
