"""What a folder must look like before anything in it is trusted with being a model.

Files only: finds the weights, the config and the tokenizer, and refuses folders that carry code or
formats that can. Opens no weights.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE_SUFFIXES: Final = frozenset(
    (
        *(".py", ".pyc", ".pyd", ".so", ".dylib", ".dll"),
        *(".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"),
        *(".npy", ".npz", ".gguf", ".h5"),
    )
)
"""Code, pickles, and formats whose readers have been broken into."""

CODE_KEYS: Final = ("model_file", "auto_map", "custom_pipelines")
"""Keys by which other programs run code found in a checkpoint."""

CODE_STARTS: Final = {
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"PK\x03\x04": "an archive, as PyTorch writes pickles",
    b"GGUF": "GGUF",
    b"\x93NUMPY": "a numpy file, which can hold a pickle",
    b"\x7fELF": "a program",
}
"""How the same formats begin, whatever a file is called."""

_MAX_FILES: Final = 10_000
"""A model has a dozen; beyond this it is somebody's disk."""

_MAX_JSON_BYTES: Final = 16 * 1024 * 1024
"""No JSON file of a Gemma 4 but the tokenizer is larger than 1 MB."""

_WRONG_FOLDER = "Choose a folder with a Gemma 4 in MLX or Hugging Face layout."
_HINT = "Download the model again."


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that may be read."""

    path: Path
    weights: tuple[Path, ...]
    """All files with weights: one, or every shard of the index."""
    tokenizer: Path
    config: dict[str, Any]
    generation_config: dict[str, Any]
    processor_config: dict[str, Any]


def open_folder(folder: Path) -> ModelFolder:
    """Check a folder and read its small files.

    Raises:
        ModelError: It is no model folder, is incomplete, or carries code.
    """
    try:
        if not folder.is_dir():
            raise ModelError(f"{folder} is not a folder.", _WRONG_FOLDER)
        files = sorted(path for path in folder.iterdir() if not path.is_dir())
        for name in ("config.json", "tokenizer.json"):
            if folder / name not in files:
                raise ModelError(f"{folder} holds no model: there is no {name}.", _WRONG_FOLDER)
        for path in _walk(folder):
            _refuse_code(folder, path)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle (Python 3.12)
        raise ModelError(
            f"{folder} cannot be read ({error}).", "Check its permissions and links."
        ) from error
    # tokenizer.json is large and only ever read by the tokenizers library, which runs no code.
    settings = {
        path.name: _read_json(path)
        for path in files
        if path.suffix == ".json" and path.name != "tokenizer.json"
    }
    return ModelFolder(
        path=folder,
        weights=_find_weights(folder, files, settings.get("model.safetensors.index.json")),
        tokenizer=folder / "tokenizer.json",
        config=settings["config.json"],
        generation_config=settings.get("generation_config.json", {}),
        processor_config=_processor_config(settings),
    )


def _processor_config(settings: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The settings of preprocessing; older conversions keep those of both senses in one table."""
    if (whole := settings.get("processor_config.json")) is not None:
        return whole
    flat = settings.get("preprocessor_config.json")
    return {} if flat is None else {"image_processor": flat, "feature_extractor": flat}


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, and every link: those are not followed here.

    Raises:
        ModelError: There are too many for a model.
        OSError: One of the folders cannot be read.
    """

    def fail(error: OSError) -> None:
        raise error

    count = 0
    for place, folders, names in os.walk(folder, onerror=fail):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*names, *links):
            count += 1
            if count > _MAX_FILES:
                raise ModelError(f"{folder} holds far more than a model.", _WRONG_FOLDER)
            yield Path(place) / name


def _refuse_code(folder: Path, path: Path) -> None:
    """Raise a `ModelError` for a file that can carry code, a link that leads away, a device."""
    safe = "Choose a folder with safetensors and JSON files only."
    if path.suffix.lower() in CODE_SUFFIXES:
        raise ModelError(
            f"{path.name} in {folder} can carry code, so nothing of this folder is used.", safe
        )
    if not _stays_inside(path, folder):
        raise ModelError(
            f"{path.name} in {folder} is a link to somewhere else, so it is not used.",
            "Put the file itself there.",
        )
    if path.is_dir():
        return
    if not stat.S_ISREG(path.stat().st_mode):
        raise ModelError(f"{path.name} in {folder} is not a file.", safe)
    with path.open("rb") as file:
        start = file.read(8)
    # A safetensors file begins with a number, which may be anything; its header is checked.
    kind = next((kind for begin, kind in CODE_STARTS.items() if start.startswith(begin)), "")
    if kind and path.suffix != ".safetensors":
        raise ModelError(
            f"{path.name} in {folder} is {kind}, so nothing of this folder is used.", safe
        )


def _stays_inside(path: Path, folder: Path) -> bool:
    """Links may stay in the folder, or lead into the blobs of the Hugging Face cache it is in."""
    home = folder.resolve()
    target = path.resolve()
    is_cached = home.parent.name == "snapshots" and target.parent == home.parent.parent / "blobs"
    return target.is_relative_to(home) or is_cached


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise ModelError(f"{path.name} is too large to be part of a model.", _HINT)
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{path.name} cannot be read ({error.strerror}).", "Check its permissions."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} is damaged: it is not JSON.", _HINT) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path.name} is damaged: it is not a table.", _HINT)
    if key := _find_code_key(content):
        raise ModelError(
            f'{path.name} asks to run code of its own ("{key}"), so this folder is not used.',
            "Choose a copy of the model without it.",
        )
    return content


def _find_code_key(content: object) -> str:
    """The first key, at any depth, by which other programs run code; empty if there is none."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if found := next((key for key in CODE_KEYS if key in value), ""):
                return found
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return ""


def _find_weights(
    folder: Path, files: list[Path], index: dict[str, Any] | None
) -> tuple[Path, ...]:
    found = [path for path in files if path.suffix == ".safetensors"]
    if index is not None:
        shards = index.get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(s, str) for s in shards.values()):
            raise ModelError("model.safetensors.index.json is damaged: no weight_map.", _HINT)
        wanted = {folder / name for name in set(shards.values())}
        if missing := sorted(path.name for path in wanted - set(found)):
            raise ModelError(f"{folder} is incomplete: {missing[0]} is missing.", _HINT)
        return tuple(sorted(wanted))
    if not found:
        raise ModelError(f"{folder} holds no weights: no *.safetensors file.", _WRONG_FOLDER)
    return tuple(found)
