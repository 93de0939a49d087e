"""The model folders on this disk: what each holds, by its config.json and the sizes of its files.

Cheap, and never the last word: whether a folder is safe, whole and fits, the engine says.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.hub.cache import repo_of
from gemma_tui.model_sizes import BUILTIN_NAME, model_name
from gemma_tui.paths import expand
from gemma_tui.server_name import server_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_CONFIG_BYTES: Final = 1024 * 1024
"""The config of a Gemma 4 has a few KB."""

MAX_DEPTH: Final = 4
"""Levels below the models folder: owner/name, or Hugging Face's models--x--y/snapshots/id."""

MAX_FOLDERS: Final = 2000
"""Folders looked at; a models folder that has more is somebody's home."""

MODEL_TYPES: Final = frozenset(("gemma4", "gemma4_unified", "gemma4_text", "gemma4_unified_text"))


@dataclass(frozen=True, slots=True)
class ModelOnDisk:
    """A folder that looks like a Gemma 4."""

    folder: Path
    name: str
    can_see: bool = False
    can_hear: bool = False
    bits: int = 0
    """Of a quantised weight; 0: not quantised."""
    size_bytes: int = 0
    """Of its weights on disk."""
    is_builtin: bool = False
    problem: str = ""
    """Why it cannot be used, as far as that can be told from outside."""
    url: str = ""
    """Of the server that it runs on; empty: it would run here."""

    @property
    def senses(self) -> str:
        """What it can do beside reading and writing; every Gemma 4 can think."""
        words = [word for word, can in (("sees", self.can_see), ("hears", self.can_hear)) if can]
        return ", ".join((*words, "thinks"))


def find_models(builtin: Path, known: Iterable[str], library: str) -> tuple[ModelOnDisk, ...]:
    """Every model there is: the built-in one, those used or named, those of the models folder.

    Reads the disk, which may take its time on a mount: not for an event loop.

    Args:
        builtin: Folder of the built-in model.
        known: Folders that the user has given; one that is gone is listed with its problem.
        library: A folder of model folders; empty if there is none.
    """
    found = {real_path(builtin): read_model(builtin, is_builtin=True)}
    for name in known:
        if server_of(name):
            continue
        folder = expand(name)
        found.setdefault(real_path(folder), read_model(folder))
    if library:
        for folder in _search(expand(library)):
            found.setdefault(real_path(folder), read_model(folder))
    first, *others = found.values()
    return (first, *sorted(others, key=lambda model: (model.size_bytes, model.name)))


def real_path(folder: Path | str) -> str:
    """One spelling of a folder, whatever links lead to it; a server's model has one already."""
    if server_of(folder):
        return str(folder)
    return os.path.realpath(expand(folder))


def _search(library: Path) -> Iterator[Path]:
    """Folders with a config.json of a Gemma 4, breadth first; links are not followed."""
    waiting = [(library, 0)]
    seen = 0
    while waiting and seen < MAX_FOLDERS:
        folder, depth = waiting.pop(0)
        seen += 1
        if os.path.isfile(folder / "config.json"):  # noqa: PTH113  # no folder is an error
            if not read_model(folder).problem:
                yield folder
            continue
        if depth < MAX_DEPTH:
            waiting += [(below, depth + 1) for below in _folders(folder)]


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if not name.startswith(".")]


def read_model(folder: Path, *, is_builtin: bool = False) -> ModelOnDisk:
    """What a folder holds, by its config.json and the sizes of its weights."""
    name = BUILTIN_NAME if is_builtin else folder.name
    try:
        with (folder / "config.json").open("rb") as file:
            config = json.loads(file.read(MAX_CONFIG_BYTES))
        size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    except OSError as error:
        return ModelOnDisk(folder, name, problem=f"not there any more ({error.strerror})")
    except (ValueError, RecursionError):
        return ModelOnDisk(folder, name, problem="its config.json is damaged")
    if not isinstance(config, dict) or config.get("model_type") not in MODEL_TYPES:
        return ModelOnDisk(folder, name, problem="not a Gemma 4")
    if not size:
        return ModelOnDisk(folder, name, problem="holds no weights (no *.safetensors file)")
    text = _table(config, "text_config") or config
    layers, width = text.get("num_hidden_layers"), text.get("hidden_size")
    if not is_builtin and isinstance(layers, int) and isinstance(width, int):
        name = model_name(layers, width, _folder_name(folder))
    is_multimodal = not str(config["model_type"]).endswith("_text")
    return ModelOnDisk(
        folder=folder,
        name=name,
        can_see=is_multimodal and bool(_table(config, "vision_config")),
        can_hear=is_multimodal and bool(_table(config, "audio_config")),
        bits=_bits(config, folder.name),
        size_bytes=size,
        is_builtin=is_builtin,
    )


def _folder_name(folder: Path) -> str:
    """A folder's name; of a snapshot of the Hugging Face cache that of its repository."""
    place = folder.resolve()
    if place.parent.name == "snapshots":
        return repo_of(place.parent.parent.name) or place.name
    return place.name


def _table(config: dict[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}


def _bits(config: dict[str, Any], folder_name: str) -> int:
    """Bits of a weight by `quantization` (MLX), else by the folder's name."""
    for key in ("quantization", "quantization_config"):
        bits = _table(config, key).get("bits")
        if isinstance(bits, int):
            return bits
    named = re.search(r"(?<!\d)([2-8])-?bit", folder_name)
    return int(named[1]) if named else 0
