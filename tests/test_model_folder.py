from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from gemma_tui.errors import ModelError
from gemma_tui.model_folder import CODE_KEYS, CODE_STARTS, CODE_SUFFIXES, open_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files a model has; nobody looks into the weights here."""
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text('{"model_type": "gemma4"}')
    (path / "tokenizer.json").write_text("{}")
    (path / "model.safetensors").write_bytes(b"weights")
    return path


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_folder(folder)
    assert caught.value.hint
    return caught.value.message


def test_a_plain_folder_is_opened(folder: Path) -> None:
    (folder / "generation_config.json").write_text('{"eos_token_id": 1}')
    (folder / "README.md").write_text("about")
    opened = open_folder(folder)
    assert opened.config == {"model_type": "gemma4"}
    assert opened.generation_config == {"eos_token_id": 1}
    assert opened.processor_config == {}
    assert opened.weights == (folder / "model.safetensors",)
    assert opened.tokenizer == folder / "tokenizer.json"


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name.removeprefix("model") in refusal(folder)


def test_neither_a_file_nor_nothing_is_a_folder(folder: Path) -> None:
    assert "not a folder" in refusal(folder / "config.json")
    assert "not a folder" in refusal(folder / "absent")


@pytest.mark.parametrize("suffix", sorted(CODE_SUFFIXES))
def test_files_that_can_carry_code_are_refused(folder: Path, suffix: str) -> None:
    (folder / f"extra{suffix.upper()}").write_bytes(b"")
    assert f"extra{suffix.upper()}" in refusal(folder)


@pytest.mark.parametrize("key", CODE_KEYS)
@pytest.mark.parametrize("name", ["config.json", "processor_config.json", "anything.json"])
def test_json_that_asks_to_run_code_is_refused(folder: Path, key: str, name: str) -> None:
    (folder / name).write_text(json.dumps({key: "model.py"}))
    message = refusal(folder)
    assert key in message
    assert name in message


@pytest.mark.parametrize("key", CODE_KEYS)
def test_a_wish_to_run_code_is_found_at_any_depth(folder: Path, key: str) -> None:
    content: object = {key: "model.py"}
    for _ in range(50):
        content = {"a": 1, "b": [None, {"c": content}]}
    (folder / "anything.json").write_text(json.dumps(content))
    assert key in refusal(folder)


@pytest.mark.parametrize("start", CODE_STARTS, ids=CODE_STARTS.values())
@pytest.mark.parametrize("name", ["weights", "tokenizer.model", "original/deep/README.md"])
def test_code_is_known_by_how_it_begins(folder: Path, start: bytes, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(start + b"...")
    assert f"{Path(name).name} in {folder} is" in refusal(folder)


def test_code_is_found_in_folders_inside(folder: Path) -> None:
    (folder / "original" / "more").mkdir(parents=True)
    (folder / "original" / "params.json").write_text("not looked at: nobody reads it")
    open_folder(folder)
    (folder / "original" / "more" / "model.py").write_text("")
    assert "model.py" in refusal(folder)


def test_a_folder_of_anything_is_no_model(folder: Path) -> None:
    (folder / "many").mkdir()
    for index in range(10_000):
        (folder / "many" / str(index)).touch()
    assert "far more than a model" in refusal(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "extra.txt"])
def test_a_pipe_is_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert f"{name} in {folder} is not a file" in refusal(folder)


def test_links_that_lead_nowhere_or_away_are_refused(folder: Path) -> None:
    link = folder / "extra.txt"
    link.symlink_to("extra.txt")
    assert refusal(folder)
    link.unlink()
    link.symlink_to("absent.txt")
    assert "cannot be read" in refusal(folder)
    link.unlink()
    link.symlink_to("..", target_is_directory=True)
    assert "link to somewhere else" in refusal(folder)
    link.unlink()
    link.symlink_to("config.json")
    open_folder(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"[" * 100_000])
def test_damaged_json_is_named(folder: Path, content: bytes) -> None:
    (folder / "generation_config.json").write_bytes(content)
    assert "generation_config.json is damaged" in refusal(folder)


def test_json_that_is_no_model_setting_by_its_size_is_refused(folder: Path) -> None:
    (folder / "huge.json").write_bytes(b" " * (16 * 1024 * 1024 + 1))
    assert "huge.json is too large" in refusal(folder)


def test_a_link_to_somewhere_else_is_refused(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "secret.safetensors"
    target.write_bytes(b"weights")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(target)
    assert "link to somewhere else" in refusal(folder)


def test_the_links_of_the_hugging_face_cache_are_followed(folder: Path, tmp_path: Path) -> None:
    blobs = tmp_path / "models--some--model" / "blobs"
    blobs.mkdir(parents=True)
    snapshot = blobs.parent / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    for index, path in enumerate(sorted(folder.iterdir())):
        shutil.move(path, blobs / str(index))
        (snapshot / path.name).symlink_to(f"../../blobs/{index}")
    assert open_folder(snapshot).config == {"model_type": "gemma4"}


def test_an_index_names_the_shards_that_must_be_there(folder: Path) -> None:
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "model-1.safetensors").write_bytes(b"weights")
    assert "model-2.safetensors is missing" in refusal(folder)
    (folder / "model-2.safetensors").write_bytes(b"weights")
    found = [path.name for path in open_folder(folder).weights]
    assert found == ["model-1.safetensors", "model-2.safetensors"]


@pytest.mark.parametrize("shards", [None, [], {"a": 1}, {"a": "../model.safetensors"}])
def test_an_index_cannot_lead_out_of_the_folder(folder: Path, shards: object) -> None:
    (folder.parent / "model.safetensors").write_bytes(b"weights")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    assert refusal(folder)
