"""Kernels that MLX compiles on a CPU: when they are made, and when they are used."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import mlx.core as mx
import pytest

from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.runtime import compiled_kernels
from gemma_tui.runtime.compiled_kernels import COMPILER, CompiledKernels
from tests.engine.scenes import ask, collect, png, text_of

if TYPE_CHECKING:
    from pathlib import Path

compiles = pytest.mark.skipif(
    mx.metal.is_available() or not shutil.which(COMPILER),
    reason=f"compiling for a CPU needs {COMPILER}, and no GPU",
)


@pytest.fixture
def tmpdir_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "what it was")


def make_kernels(folder: Path) -> None:
    command = [sys.executable, "-m", compiled_kernels.__name__, str(folder)]
    subprocess.run(command, check=True, timeout=170)


@compiles
async def test_an_engine_answers_the_same_with_kernels_made_in_the_background(
    tmp_path: Path, tiny_model: Path
) -> None:
    """The first engine has none, another process makes them, the second engine uses them."""
    cache, log = tmp_path / "cache", tmp_path / "engine.log"
    media = png(tmp_path / "red.png", (255, 0, 0))
    request = ask("What is it?", media=(media,))
    texts = []
    for _ in range(2):
        engine = EngineClient(log, command=worker_command(log, cache))
        await engine.load(tiny_model)
        texts.append(text_of(await collect(engine.generate(request))))
        await engine.close()
        if len(texts) == 1:
            assert "uses compiled kernels" not in log.read_text()
            await asyncio.to_thread(make_kernels, cache / "kernels")
    assert "uses compiled kernels" in log.read_text()
    assert texts[0] == texts[1] != ""
    assert (cache / "kernels").stat().st_mode & 0o077 == 0
    assert list((cache / "kernels").rglob("*.so")), "MLX put them into our folder"


@compiles
@pytest.mark.usefixtures("tmpdir_restored")
def test_kernels_are_made_once_and_only_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("subprocess.Popen", lambda command, **_: started.append(command))
    kernels = CompiledKernels(tmp_path / "kernels")
    assert not kernels.use()
    assert os.environ["TMPDIR"] == "what it was"
    timer = kernels.make_later(seconds=0)
    assert timer is not None
    timer.join(30)
    assert [command[-1] for command in started] == [str(tmp_path / "kernels")]
    (tmp_path / "kernels").mkdir()
    kernels._mark.touch()
    assert kernels.make_later(seconds=0) is None
    assert kernels.use()
    assert os.environ["TMPDIR"] == str(tmp_path / "kernels")


@pytest.mark.usefixtures("tmpdir_restored")
def test_without_a_compiler_nothing_is_made_or_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    kernels = CompiledKernels(tmp_path)
    kernels._mark.touch()
    assert not kernels.use()
    kernels._mark.unlink()
    assert kernels.make_later(seconds=0) is None
    assert os.environ["TMPDIR"] == "what it was"
