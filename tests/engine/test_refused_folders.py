"""Folders nobody should trust, through the real engine process: an error, and nothing executed.

A canary proves it: each of them carries code that would make one if anyone ran it.
"""

from __future__ import annotations

import json
import pickle
import shutil
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from gemma_tui.engine.client import EngineClient
from gemma_tui.errors import ModelError
from gemma_tui.model_folder import CODE_KEYS
from tests.engine.scenes import ask, collect, text_of
from tests.runtime.malformed import MALFORMED, pickled_trap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

on_one_loop = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EngineClient]:
    """One process for all of them: it must survive each."""
    client = EngineClient(tmp_path_factory.mktemp("refusing") / "engine.log")
    yield client
    await client.close()


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """Must not be there at the end."""
    return tmp_path / "canary"


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path, canary: Path) -> Path:
    """A good model."""
    return shutil.copytree(tiny_model, tmp_path / "model")


def code(canary: Path) -> str:
    return f"import pathlib; pathlib.Path({str(canary)!r}).touch()\nclass Model: pass\nclass ModelArgs: pass\n"


def was_executed(canary: Path) -> bool:
    return canary.exists()


def test_the_traps_work(canary: Path) -> None:
    for spring in (lambda: exec(code(canary), {}), lambda: pickle.loads(pickled_trap(canary))):
        spring()
        assert was_executed(canary)
        canary.rename(canary.with_name(str(len(list(canary.parent.iterdir())))))


def python(folder: Path, canary: Path) -> None:
    (folder / "modeling_gemma4.py").write_text(code(canary))


def python_deep_inside(folder: Path, canary: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "__init__.py").write_text(code(canary))


def shadowing_library(folder: Path, canary: Path) -> None:
    (folder / "numpy.py").write_text(code(canary))


def pickle_by_name(folder: Path, canary: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickled_trap(canary))


def pickle_by_content(folder: Path, canary: Path) -> None:
    (folder / "tokenizer.model").write_bytes(pickled_trap(canary))


def pickle_as_weights(folder: Path, canary: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickled_trap(canary))


def pickle_as_array(folder: Path, canary: Path) -> None:
    (folder / "weights.npy").write_bytes(b"\x93NUMPY\x01\x00" + pickled_trap(canary))


def gguf(folder: Path, canary: Path) -> None:
    (folder / "model.gguf").write_bytes(b"GGUF" + bytes(100))


def gguf_by_content(folder: Path, canary: Path) -> None:
    (folder / "model.weights").write_bytes(b"GGUF" + bytes(100))


def link_to_elsewhere(folder: Path, canary: Path) -> None:
    target = folder.parent / "elsewhere.safetensors"
    shutil.move(folder / "model.safetensors", target)
    (folder / "model.safetensors").symlink_to(target)


def folder_elsewhere(folder: Path, canary: Path) -> None:
    (folder / "more").symlink_to(folder.parent, target_is_directory=True)


FOLDERS: dict[str, Callable[[Path, Path], None]] = {
    f.__name__.replace("_", " "): f
    for f in (
        *(python, python_deep_inside, shadowing_library, pickle_by_name, pickle_by_content),
        *(pickle_as_weights, pickle_as_array, gguf, gguf_by_content),
        *(link_to_elsewhere, folder_elsewhere),
    )
}


async def refusal(engine: EngineClient, folder: Path, canary: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await engine.load(folder)
    assert not was_executed(canary)
    assert caught.value.hint
    return caught.value


@on_one_loop
@pytest.mark.parametrize("spoil", FOLDERS.values(), ids=FOLDERS)
async def test_a_folder_that_could_run_code_is_refused(
    engine: EngineClient, folder: Path, canary: Path, spoil: Callable[[Path, Path], None]
) -> None:
    spoil(folder, canary)
    assert (await refusal(engine, folder, canary)).message


@on_one_loop
@pytest.mark.parametrize("key", CODE_KEYS)
@pytest.mark.parametrize("depth", [0, 3])
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
async def test_json_that_asks_to_run_code_is_refused(
    engine: EngineClient, folder: Path, canary: Path, key: str, depth: int, name: str
) -> None:
    (folder.parent / "model.py").write_text(code(canary))
    wish: object = {key: "../model.py"}
    for _ in range(depth):
        wish = {"nested": [wish]}
    content = json.loads((folder / name).read_text("utf-8"))
    assert isinstance(wish, dict)
    (folder / name).write_text(json.dumps(content | wish), "utf-8")
    assert key in (await refusal(engine, folder, canary)).message


@on_one_loop
@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_weights_are_refused(
    engine: EngineClient, folder: Path, canary: Path, content: bytes
) -> None:
    (folder / "model.safetensors").write_bytes(content)
    message = (await refusal(engine, folder, canary)).message
    assert "model.safetensors" in message or "Tensor a" in message


@on_one_loop
async def test_after_all_that_the_same_process_loads_a_good_folder(
    engine: EngineClient, folder: Path
) -> None:
    process = (await engine.status()).process_id
    await engine.load(folder)
    assert text_of(await collect(engine.generate(ask("What are you?"))))
    assert (await engine.status()).process_id == process
