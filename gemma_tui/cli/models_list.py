"""`gemma-tui models list` and `path`: what there is, on this disk and to be downloaded. Offline."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from gemma_tui.answer_stream import write_answer
from gemma_tui.byte_size import format_size
from gemma_tui.cli.config import configuration_of
from gemma_tui.cli.output import Progress
from gemma_tui.errors import UsageError
from gemma_tui.hub.cache import shared_cache
from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.downloaded import DownloadedModel, ModelState, downloaded_models
from gemma_tui.hub.imported import imported_model, imported_models
from gemma_tui.hub.on_disk import find_models, read_model, real_path
from gemma_tui.hub.wanted_model import on_this_disk, wanted_model
from gemma_tui.paths import builtin_model
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gemma_tui.hub.catalog import Catalog
    from gemma_tui.hub.on_disk import ModelOnDisk
    from gemma_tui.paths import Paths


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A line of the list."""

    name: str
    """What other commands take."""
    title: str
    state: str
    """`not downloaded`, one of `ModelState`, `here`, or what is wrong."""
    size_bytes: int
    done_bytes: int
    """What is on the disk."""
    senses: str
    repo: str = ""
    revision: str = ""
    folder: str = ""
    """Empty while there is none that could be loaded."""


def run_list(paths: Paths, *, as_json: bool) -> int:
    """Print every model; returns the exit code.

    Args:
        paths: Where settings, imported models and the user's catalogue are.
        as_json: An array of objects instead of lines.
    """
    catalog = load_catalog(paths.config)
    progress = Progress(sys.stderr)
    for problem in catalog.problems:
        progress.tell(problem)
    rows = list(listed_models(paths, catalog))
    if as_json:
        value = [asdict(row) for row in rows]
        write_answer(sys.stdout, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        return 0
    cells = [(row.name, _size_words(row), row.state, row.title, row.senses) for row in rows]
    write_answer(sys.stdout, "".join(f"{line}\n" for line in table(cells)))
    return 0


def run_path(name: str | None, paths: Paths) -> int:
    """Print where a model is, or where models are kept; returns the exit code.

    Args:
        name: What the user wrote; None: no model.
        paths: Where imported models and the user's catalogue are.

    Raises:
        UsageError: There is no such model on this disk, or it is not whole.
    """
    if name is None:
        write_answer(sys.stdout, f"{shared_cache()}\n{paths.models}\n")
        return 0
    folder = imported_model(name, paths.models)
    if folder is None:
        wanted = wanted_model(name, load_catalog(paths.config))
        model = on_this_disk(wanted, shared_cache())
        if not model.is_usable:
            raise UsageError(
                f"{wanted.name} is not whole on this disk ({model.state}).",
                f"gemma-tui models pull {wanted.name} gets the rest.",
            )
        folder = model.folder
    write_answer(sys.stdout, f"{folder}\n")
    return 0


def listed_models(paths: Paths, catalog: Catalog) -> Iterator[ListedModel]:
    """Every model: the built-in one, the catalogue, others of the cache, folders of the user's."""
    builtin = read_model(builtin_model(), is_builtin=True)
    yield _folder_row(builtin, "built-in")
    models = downloaded_models(shared_cache())
    shown = {real_path(builtin.folder), *(real_path(model.folder) for model in models)}
    by_repo: dict[str, list[DownloadedModel]] = {}
    for model in models:
        by_repo.setdefault(model.repo.casefold(), []).append(model)
    for variant in catalog.variants:
        copies = by_repo.pop(variant.repo.casefold(), [])
        if not copies:
            size = variant.size_bytes
            common = variant.senses, variant.repo, variant.revision
            yield ListedModel(variant.name, variant.title, "not downloaded", size, 0, *common)
        for copy in sorted(copies, key=lambda model: not model.is_usable)[:1]:
            yield _downloaded_row(copy, variant.name, variant.title, variant.senses)
    for copies in by_repo.values():
        for copy in copies:
            name = copy.repo if len(copies) == 1 else f"{copy.repo}@{copy.revision[:8]}"
            found = read_model(copy.folder)
            senses = found.senses if copy.is_usable else ""
            yield _downloaded_row(copy, name, found.name, senses)
    settings = configuration_of(paths, {}).resolve().settings
    known = (*settings.known_models, *map(str, imported_models(paths.models)))
    for found in find_models(builtin.folder, known, settings.model_library):
        if real_path(found.folder) not in shown:
            yield _folder_row(found, _own_name(found.folder, paths.models))


def table(cells: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Lines whose columns stand below each other; nothing in them can act on a terminal."""
    rows = [tuple(map(sanitize_line, row)) for row in cells]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (
            text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()


def _size_words(row: ListedModel) -> str:
    size = format_size(row.size_bytes)
    return f"{format_size(row.done_bytes)} of {size}" if row.state == ModelState.PARTIAL else size


def _downloaded_row(model: DownloadedModel, name: str, title: str, senses: str) -> ListedModel:
    return ListedModel(
        name=name,
        title=title if model.is_usable or "/" not in name else "",
        state=str(model.state),
        size_bytes=model.size_bytes,
        done_bytes=model.done_bytes,
        senses=senses,
        repo=model.repo,
        revision=model.revision,
        folder=str(model.folder) if model.is_usable else "",
    )


def _folder_row(model: ModelOnDisk, name: str) -> ListedModel:
    return ListedModel(
        name=name,
        title=model.name,
        state=model.problem or "here",
        size_bytes=model.size_bytes,
        done_bytes=model.size_bytes,
        senses=model.senses,
        folder=str(model.folder),
    )


def _own_name(folder: Path, library: Path) -> str:
    """An imported model is called by its name, any other folder by its path."""
    return folder.name if real_path(folder.parent) == real_path(library) else str(folder)
