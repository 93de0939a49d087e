"""`gemma-tui models remove`: says what it frees, asks, and removes it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gemma_tui.byte_size import format_size
from gemma_tui.errors import UsageError
from gemma_tui.hub.cache import shared_cache
from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.imported import imported_model, remove_imported, size
from gemma_tui.hub.remove import removal, remove
from gemma_tui.hub.wanted_model import on_this_disk, wanted_model
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.hub.downloaded import DownloadedModel
    from gemma_tui.paths import Paths


def run_remove(name: str, paths: Paths, *, yes: bool) -> int:
    """Remove a model; returns the exit code: 1 if the user says no.

    Args:
        name: What the user wrote.
        paths: Where imported models and the user's catalogue are.
        yes: Do not ask.

    Raises:
        UsageError: It names no model on this disk, or nobody is there to be asked.
        GemmaError: It cannot be removed.
    """
    folder = imported_model(name, paths.models)
    if folder is not None:
        return _remove_imported(folder, yes=yes)
    model = on_this_disk(wanted_model(name, load_catalog(paths.config)), shared_cache())
    return _remove_downloaded(model, yes=yes)


def _remove_imported(folder: Path, *, yes: bool) -> int:
    freed = format_size(size(folder))
    if not _agrees(f"Removing {folder} frees {freed}.", yes=yes):
        return 1
    remove_imported(folder)
    _say(f"Removed {folder.name}: {freed} are free.")
    return 0


def _remove_downloaded(model: DownloadedModel, *, yes: bool) -> int:
    plan = removal(model)
    kept = (
        f" {format_size(plan.kept_bytes)} of it stay: another version has them, too."
        if plan.kept_bytes
        else ""
    )
    name = f"{model.repo} at {model.revision[:8]}"
    question = (
        f"Removing {name} frees {format_size(plan.freed_bytes)}.{kept} Other programs that use"
        " the shared cache lose it, too."
    )
    if not _agrees(question, yes=yes):
        return 1
    done = remove(model)
    _say(f"Removed {name}: {format_size(done.freed_bytes)} are free.")
    return 0


def _agrees(question: str, *, yes: bool) -> bool:
    """Ask on the terminal.

    Raises:
        UsageError: There is none.
    """
    if yes:
        return True
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(question, "Nobody is here to be asked: --yes does it.")
    sys.stderr.write(f"{sanitize_line(question)}\nRemove it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def _say(line: str) -> None:
    sys.stdout.write(f"{sanitize_line(line)}\n")
    sys.stdout.flush()
