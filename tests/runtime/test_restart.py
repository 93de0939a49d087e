"""After a restart a conversation goes on from disk, if what is there is of this model and whole."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gemma_tui.conversation import TextPart
from gemma_tui.errors import GemmaError
from gemma_tui.generation import ReplySoFar
from gemma_tui.runtime.disk_cache import StoredArray
from gemma_tui.runtime.features import FeatureStore
from gemma_tui.runtime.model_digest import model_digest
from tests.engine.scenes import ask, png, wav
from tests.runtime.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gemma_tui.runtime.disk_cache import DiskCache

LONG = "Tell me about shapes and colors, and about digits too. " * 12
"""More tokens than the built-in model's sliding window of 128."""


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def loaded(
    tiny_model: Path, pool: ThreadPoolExecutor, tmp_path_factory: pytest.TempPathFactory
) -> Talk:
    return Talk(tiny_model, pool, tmp_path_factory.mktemp("engine") / "cache")


@pytest.fixture
def talk(loaded: Talk) -> Talk:
    loaded.restart()
    for path in files(loaded):
        path.unlink()
    return loaded


def files(talk: Talk) -> list[Path]:
    assert talk.disk is not None
    folder = talk.disk._folder
    return sorted(folder.iterdir()) if folder.exists() else []


def first_turn(talk: Talk) -> str:
    """One turn, with everything written that there is; nothing of it in memory."""
    text, _ = talk.reply(ask(LONG))
    talk.pause()
    talk.restart()
    return text


def test_a_conversation_goes_on_from_disk(talk: Talk) -> None:
    first = first_turn(talk)
    text, end = talk.reply(ask(LONG, first, "Hello!"))
    assert end.usage.prompt_tokens - end.usage.cached_tokens < 20
    for path in files(talk):
        path.unlink()
    talk.forget()
    assert talk.reply(ask(LONG, first, "Hello!"))[0] == text


def test_another_reply_to_the_last_turn_goes_on_from_disk(talk: Talk) -> None:
    first_turn(talk)
    _, end = talk.reply(ask(LONG))
    assert end.usage.prompt_tokens - end.usage.cached_tokens <= 4


def test_a_reply_that_was_cut_off_goes_on_from_disk_for_free(talk: Talk) -> None:
    whole, _ = talk.reply(ask(LONG, max_tokens=9))
    talk.forget()
    begun, _ = talk.reply(ask(LONG, max_tokens=5))
    talk.pause()
    talk.restart()
    so_far = ReplySoFar((TextPart(begun),))
    rest, end = talk.reply(replace(ask(LONG, max_tokens=4), reply=so_far))
    assert begun + rest == whole
    assert end.usage.cached_tokens == end.usage.prompt_tokens - 1


def test_each_turn_is_stored_once(talk: Talk) -> None:
    first = first_turn(talk)
    before = files(talk)
    talk.reply(ask(LONG, first, "Hello!"))
    talk.pause()
    talk.restart()
    after = files(talk)
    assert set(before) < set(after)
    assert len(after) - len(before) == 4, "a question and a reply, each in two kinds of layers"
    sizes = [sum(path.stat().st_size for path in paths) for paths in (before, after)]
    assert sizes[1] < 1.5 * sizes[0]


def test_without_a_pause_nothing_is_written(talk: Talk) -> None:
    talk.reply(ask("Hello!"))
    talk.pause(looks=0)
    talk.restart()
    assert files(talk) == []


@pytest.mark.parametrize("victim", [0, 1, 2, 3])
@pytest.mark.parametrize("damage", ["gone", "cut", "flipped"])
def test_what_is_damaged_is_read_again(talk: Talk, victim: int, damage: str) -> None:
    first = first_turn(talk)
    request = ask(LONG, first, "Hello!")
    expected, _ = talk.reply(request)
    talk.forget()
    path = files(talk)[victim]
    content = path.read_bytes()
    match damage:
        case "gone":
            path.unlink()
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case _:
            middle = len(content) // 2
            flipped = bytes([content[middle] ^ 1])
            path.write_bytes(content[:middle] + flipped + content[middle + 1 :])
    assert talk.reply(request)[0] == expected


@pytest.mark.parametrize(
    "wrong",
    [
        StoredArray("F32", np.zeros((1, 1, 10, 16), "<f4")),
        StoredArray("F32", np.zeros((1, 2, 10, 32), "<f4")),
        StoredArray("F16", np.zeros((1, 1, 10, 32), "<f2")),
        StoredArray("F32", np.zeros((1, 1, 10_000, 32), "<f4")),
        StoredArray("F32", np.zeros((10, 32), "<f4")),
    ],
)
def test_arrays_of_another_shape_or_type_are_not_used(talk: Talk, wrong: StoredArray) -> None:
    first = first_turn(talk)
    assert talk.disk is not None
    expected, _ = talk.reply(ask(LONG, first, "Hello!"))
    talk.forget()
    for path in files(talk):
        content = talk.disk.read(path.stem)
        assert content is not None
        replace_file(talk.disk, path, dict.fromkeys(content, wrong))
    text, end = talk.reply(ask(LONG, first, "Hello!"))
    assert (text, end.usage.cached_tokens) == (expected, 0)


def replace_file(disk: DiskCache, path: Path, content: dict[str, StoredArray]) -> None:
    path.unlink()
    disk.write(path.stem, content)
    disk.flush()


def test_soft_tokens_come_back_without_the_file_or_a_tower(
    talk: Talk, pool: ThreadPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = (png(tmp_path / "red.png", (255, 0, 0)), wav(tmp_path / "click.wav"))
    expected, _ = talk.reply(ask("What is this?", media=media))
    talk.restart()  # without a pause: there are no keys and values on disk

    def fail(*_: object) -> None:
        raise AssertionError("a tower ran")

    for medium in media:
        (tmp_path / medium.name).unlink()
    talk.features = FeatureStore(pool)
    monkeypatch.setattr(talk.resident.loaded.model, "encode_image", fail)
    monkeypatch.setattr(talk.resident.loaded.model, "encode_audio", fail)
    text, end = talk.reply(ask("What is this?", media=media))
    assert (text, end.usage.cached_tokens) == (expected, 0)


def test_damaged_soft_tokens_are_computed_again(talk: Talk, tmp_path: Path) -> None:
    media = (png(tmp_path / "red.png", (255, 0, 0)),)
    expected, _ = talk.reply(ask("What is this?", media=media))
    talk.restart()
    (path,) = files(talk)
    content = path.read_bytes()
    path.write_bytes(content[:-100] + bytes(100))
    assert talk.reply(ask("What is this?", media=media))[0] == expected


def test_a_picture_that_vanished_is_told_when_nothing_is_known_of_it(
    talk: Talk, tmp_path: Path
) -> None:
    picture = png(tmp_path / "vanished.png", (9, 9, 9))
    (tmp_path / "vanished.png").unlink()
    with pytest.raises(GemmaError, match="vanished"):
        talk.reply(ask("What is this?", media=(picture,)))


def test_a_digest_tells_models_apart(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    digests = {model_digest(tiny_model)}
    assert model_digest(folder) in digests, "a faithful copy is the same model"
    weights = folder / "model.safetensors"
    status = weights.stat()
    content = bytearray(weights.read_bytes())
    content[len(content) // 2 + 5] ^= 1
    weights.write_bytes(content)
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    digests.add(model_digest(folder))
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    digests.add(model_digest(folder))
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"initializer_range": 1}), "utf-8")
    digests.add(model_digest(folder))
    assert len(digests) == 4
