"""The model folders on this disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.byte_size import format_size
from gemma_tui.doctor.finding import Finding, State
from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.on_disk import find_models
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gemma_tui.hub.on_disk import ModelOnDisk


def models(builtin: Path, known: Iterable[str], library: str) -> Iterator[Finding]:
    """One finding for each folder.

    Args:
        builtin: Of the built-in model.
        known: Folders that the settings name.
        library: The folder of model folders; empty if there is none.
    """
    for model in find_models(builtin, known, library):
        yield _finding(model, is_builtin=model.folder == builtin)


def catalogue(config: Path) -> Iterator[Finding]:
    """What is wrong with the user's own catalogue file, if there is one.

    Args:
        config: The config folder.
    """
    for problem in load_catalog(config).problems:
        advice = "Correct it, or take it out; the rest of the file holds."
        yield Finding("catalogue", State.PROBLEM, problem, advice)


def _finding(model: ModelOnDisk, *, is_builtin: bool) -> Finding:
    name, folder = sanitize_line(model.name), sanitize_line(str(model.folder))
    if not model.problem:
        bits = f", {model.bits} bits" if model.bits else ""
        sentence = f"{name}{bits}, {format_size(model.size_bytes)}; {model.senses}"
        return Finding("model", State.OK, sentence)
    if is_builtin:
        sentence = f"The built-in model is broken: {model.problem}."
        return Finding("model", State.PROBLEM, sentence, "Install gemma-tui again.")
    sentence = f"{name} ({folder}) cannot be used: {model.problem}."
    return Finding("model", State.PROBLEM, sentence, "Choose another model, or copy it anew.")
