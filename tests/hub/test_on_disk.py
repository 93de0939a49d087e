"""Which folders are taken for models, and what is said of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gemma_tui.hub.on_disk import find_models

if TYPE_CHECKING:
    from pathlib import Path

E2B = {
    "model_type": "gemma4",
    "text_config": {"num_hidden_layers": 35, "hidden_size": 1536},
    "vision_config": {"x": 1},
    "audio_config": {"x": 1},
}
LARGE = {
    "model_type": "gemma4",
    "text_config": {"num_hidden_layers": 60, "hidden_size": 5376},
    "vision_config": {"x": 1},
    "quantization": {"bits": 4},
}


def folder(path: Path, config: dict[str, Any] | str, size: int = 10) -> Path:
    path.mkdir(parents=True)
    text = config if isinstance(config, str) else json.dumps(config)
    (path / "config.json").write_text(text)
    if size:
        (path / "model.safetensors").write_bytes(bytes(size))
    return path


def test_the_built_in_model_comes_first(tiny_model: Path) -> None:
    (model,) = find_models(tiny_model, [], "")
    assert model.is_builtin
    assert model.name == "built-in demo"
    assert model.senses == "sees, hears, thinks"
    assert model.size_bytes > 1_000_000
    assert not model.problem


def test_a_models_folder_is_searched(tiny_model: Path, tmp_path: Path) -> None:
    folder(tmp_path / "owner" / "gemma-4-31b-it-4bit", LARGE, 300)
    hidden = tmp_path / "models--google--gemma-4-E2B-it" / "snapshots" / "abc"
    folder(hidden, E2B, 100)
    folder(tmp_path / "llama", {"model_type": "llama"})
    folder(tmp_path / "broken", "{")
    folder(tmp_path / "empty", E2B, 0)
    folder(tmp_path / ".trash" / "x", E2B)
    (tmp_path / "loop").symlink_to(tmp_path)
    _, small, large = find_models(tiny_model, [], str(tmp_path))
    assert (small.name, small.senses, small.bits, small.size_bytes) == (
        "Gemma 4 E2B",
        "sees, hears, thinks",
        0,
        100,
    )
    assert (large.name, large.senses, large.bits) == ("Gemma 4 31B", "sees, thinks", 4)


def test_known_folders_are_listed_once_and_with_what_is_wrong(
    tiny_model: Path, tmp_path: Path
) -> None:
    known = folder(tmp_path / "e2b", E2B)
    alias = tmp_path / "alias"
    alias.symlink_to(known)
    gone = tmp_path / "gone"
    bad = folder(tmp_path / "bad", "[")
    found = find_models(tiny_model, map(str, (known, gone, bad, tiny_model)), str(alias))
    by_name = {model.folder.name: model for model in found}
    assert len(found) == 4
    assert not by_name["e2b"].problem
    assert "not there" in by_name["gone"].problem
    assert "damaged" in by_name["bad"].problem


def test_a_models_folder_that_is_not_there_is_no_error(tiny_model: Path, tmp_path: Path) -> None:
    assert len(find_models(tiny_model, [], str(tmp_path / "nowhere"))) == 1
