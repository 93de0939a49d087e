"""Models that were imported: folders of the library, with the digests of their files."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import DownloadError, StorageError
from gemma_tui.hub.digest import blocks
from gemma_tui.hub.disk_faults import disk_faults
from gemma_tui.hub.import_folder import SUMS_SUFFIX
from gemma_tui.hub.verify import Verified, VerifyProgress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_SUMS_BYTES: Final = 1024 * 1024


def imported_models(library: Path) -> tuple[Path, ...]:
    """The folders of the library, by name."""
    try:
        found = sorted(path for path in library.iterdir() if path.is_dir())
    except OSError:
        return ()
    return tuple(path for path in found if not path.name.startswith("."))


def imported_model(name: str, library: Path) -> Path | None:
    """The folder that is called so, or is named by its path; None if it is not in the library."""
    for folder in imported_models(library):
        if name in {folder.name, str(folder)}:
            return folder
    return None


def verify_imported(folder: Path) -> Iterator[VerifyProgress | Verified]:
    """Compare every file with the digest it had when it was imported. Blocks.

    Raises:
        DownloadError: The digests are not there.
        StorageError: A file cannot be read.
    """
    sums = _read_sums(folder)
    with disk_faults(folder):
        total = sum(size(folder / name) for name in sums)
        done, damaged = 0, []
        for name, digest in sums.items():
            hasher = hashlib.sha256()
            for block in blocks(folder / name):
                hasher.update(block)
                done += len(block)
                yield VerifyProgress(done, total, name)
            if hasher.hexdigest() != digest:
                damaged.append(name)
    yield Verified(len(sums), tuple(damaged))


def remove_imported(folder: Path) -> None:
    """Remove a folder of the library; it disappears as a model in one step.

    Raises:
        StorageError: It cannot be removed.
    """
    grave = folder.with_name(f".{folder.name}.removed")
    try:
        shutil.rmtree(grave, ignore_errors=True)
        folder.rename(grave)
        folder.with_name(folder.name + SUMS_SUFFIX).unlink(missing_ok=True)
        shutil.rmtree(grave)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be removed ({error.strerror}).", "Check its permissions."
        ) from error


def size(path: Path) -> int:
    """Bytes of a file, or of the files of a folder; 0 if it is not there."""
    try:
        if path.is_dir():
            return sum(size(below) for below in path.iterdir())
        return path.stat().st_size
    except OSError:
        return 0


def _read_sums(folder: Path) -> dict[str, str]:
    """Digests by the names of files, which are those of this folder."""
    try:
        with folder.with_name(folder.name + SUMS_SUFFIX).open(encoding="utf-8") as file:
            lines = file.read(_MAX_SUMS_BYTES).splitlines()
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"What {folder.name} should be is not known: it was not imported by gemma-tui.",
            "Import it again.",
        ) from error
    pairs = (line.partition("  ") for line in lines)
    return {name: digest for digest, _, name in pairs if name and "/" not in name}
