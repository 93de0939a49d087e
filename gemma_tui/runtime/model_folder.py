"""What a folder must look like before anything in it is trusted with being a model.

Files only: finds the weights, the config and the tokenizer, and refuses folders that carry code or
formats that can. Opens no weights.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

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

_MAX_JSON_BYTES: Final = 16 * 1024 * 1024
"""No JSON file of a Gemma 4 but the tokenizer is larger than 1 MB."""

_WRONG_FOLDER = "Choose a folder with Gemma 4 E2B or E4B in MLX or Hugging Face layout."
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
    except OSError as error:
        raise ModelError(
            f"{folder} cannot be read ({error.strerror}).", "Check its permissions."
        ) from error
    for name in ("config.json", "tokenizer.json"):
        if folder / name not in files:
            raise ModelError(f"{folder} holds no model: there is no {name}.", _WRONG_FOLDER)
    _refuse_code(folder, files)
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


def _refuse_code(folder: Path, files: list[Path]) -> None:
    for path in files:
        if path.suffix.lower() in CODE_SUFFIXES:
            raise ModelError(
                f"{path.name} in {folder} can carry code, so nothing of this folder is used.",
                "Choose a folder with safetensors and JSON files only.",
            )
        if not _stays_inside(path, folder):
            raise ModelError(
                f"{path.name} in {folder} is a link to somewhere else, so it is not used.",
                "Put the file itself there.",
            )


def _stays_inside(path: Path, folder: Path) -> bool:
    """Links may lead to a sibling, or into the blobs of the Hugging Face cache the folder is in."""
    home = folder.resolve()
    parent = path.resolve().parent
    is_cached = home.parent.name == "snapshots" and parent == home.parent.parent / "blobs"
    return parent == home or is_cached


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
    for key in CODE_KEYS:
        if key in content:
            raise ModelError(
                f'{path.name} asks to run code of its own ("{key}"), so this folder is not used.',
                "Choose a copy of the model without it.",
            )
    return content


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
