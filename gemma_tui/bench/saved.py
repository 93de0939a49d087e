"""Benchmarks of this machine, in one small file of the data folder; of each model the newest.

It is a convenience, not data: one that is missing, damaged or of another version says nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.bench.result import ContextSpeed, MediaSpeed, ModelBenchmark
from gemma_tui.storage.faults import make_private_folder, storage_faults

if TYPE_CHECKING:
    from gemma_tui.hub.speed import MeasuredSpeed

VERSION: Final = 1
MAX_RUNS: Final = 50
"""Of different models; the oldest go."""

_MAX_BYTES: Final = 1024 * 1024


class SavedBenchmarks:
    """Reads and writes the file.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[ModelBenchmark, ...]:
        """What was measured, the newest first. Reads the disk."""
        try:
            with self._path.open("rb") as file:
                content = json.loads(file.read(_MAX_BYTES))
            if content["version"] != VERSION:
                return ()
            return tuple(_from_json(item) for item in content["runs"][:MAX_RUNS])
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return ()

    def speeds(self) -> tuple[MeasuredSpeed, ...]:
        """The same, for what fits and how fast it will be."""
        return tuple(run.speed for run in self.read() if run.decode_speed > 0)

    def prefill_speed(self, model: str) -> float:
        """Prompt tokens a second of the newest run of a model; 0: none is known."""
        return next((run.prefill_speed for run in self.read() if run.model == model), 0.0)

    def bandwidth(self) -> float:
        """Bytes a second that memory moves, by the newest run; 0: not measured."""
        return next((run.bandwidth for run in self.read()), 0.0)

    def add(self, run: ModelBenchmark) -> None:
        """Keep a run in the place of an earlier one of the same model, whole or not at all.

        Raises:
            StorageError: It cannot be written.
        """
        others = [item for item in self.read() if not _is_same_model(item, run)]
        content = {"version": VERSION, "runs": [asdict(item) for item in (run, *others)[:MAX_RUNS]]}
        with storage_faults(self._path):
            make_private_folder(self._path.parent)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".benchmarks-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(content, file, indent=1, ensure_ascii=False)
                Path(name).replace(self._path)
            except BaseException:
                with suppress(OSError):
                    Path(name).unlink()
                raise


def _is_same_model(one: ModelBenchmark, other: ModelBenchmark) -> bool:
    return (one.model, one.weight_bytes) == (other.model, other.weight_bytes)


def _from_json(item: dict[str, Any]) -> ModelBenchmark:
    """A run out of the file.

    Raises:
        TypeError: A field is missing, unknown, or of another type.
        ValueError: A number is none that was measured.
    """
    picture, clip = (item[name] and _media(item[name]) for name in ("picture", "clip"))
    contexts = tuple(ContextSpeed(**_numbers(entry)) for entry in item["contexts"])
    nested: dict[str, Any] = {"picture": picture, "clip": clip, "contexts": contexts}
    texts = {name: item[name] for name in ("model", "device")}
    if not all(isinstance(text, str) and len(text) <= 200 for text in texts.values()):
        raise TypeError("no name")
    rest = {name: value for name, value in item.items() if name not in nested | texts}
    return ModelBenchmark(**texts, **_numbers(rest), **nested)


def _media(item: dict[str, Any]) -> MediaSpeed:
    return MediaSpeed(**_numbers(item))


def _numbers(item: dict[str, Any]) -> dict[str, Any]:
    for value in item.values():
        if not isinstance(value, int | float) or not 0 <= value < 1e18:
            raise ValueError("no number that was measured")
    return item
