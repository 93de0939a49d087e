"""Two turns with servers that others wrote, on loopback, with the built-in model as theirs.

mlx-lm's comes with a dependency of ours. mlx-vlm's, which sees and hears, is tried where
`GEMMA_TUI_MLX_VLM_SERVER` names its command, as it is in no environment of the tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import TextPart
from gemma_tui.engine.remote import RemoteModel
from gemma_tui.errors import UnreachableServerError
from gemma_tui.generation import Finished, GenerationRequest, PromptMessage, TextDelta
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.settings.servers import Server
from tests.engine.scenes import picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gemma_tui.engine.client import EngineClient
    from gemma_tui.generation import GenerationEvent, Media

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
MLX_VLM = os.environ.get("GEMMA_TUI_MLX_VLM_SERVER", "")


@pytest.fixture(scope="module")
def served_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in model as mlx-lm takes it: it reads the size of the vocabulary at the top."""
    target = tmp_path_factory.mktemp("served") / "tiny"
    shutil.copytree(tiny_model, target)
    config = json.loads((target / "config.json").read_text("utf-8"))
    config["vocab_size"] = config["text_config"]["vocab_size"]
    (target / "config.json").write_text(json.dumps(config), "utf-8")
    return target


@asynccontextmanager
async def running(command: list[str], folder: Path) -> AsyncIterator[str]:
    """A server process until the test ends; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "hub").mkdir()
    process = await asyncio.create_subprocess_exec(
        *command,
        "--port",
        str(port),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(folder / "hub")},
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def connect(model: RemoteModel) -> None:
    """Wait until the server listens."""
    async with asyncio.timeout(180):
        while True:
            try:
                await model.connect()
            except UnreachableServerError:
                await asyncio.sleep(0.1)  # another process starts
            else:
                return


async def two_turns(model: RemoteModel, *media: Media) -> list[str]:
    """Ask what is there, and then what it is not."""
    messages: tuple[PromptMessage, ...] = ()
    said: list[str] = []
    asked = ("What is in this image?", "And what colour is it?") if media else ("Who are you?",) * 2
    options = GenerationOptions(SamplingOptions(temperature=0.0), max_tokens=48)
    for number, text in enumerate(asked):
        question = PromptMessage("user", (*(media if number == 0 else ()), TextPart(text)))
        messages = (*messages, question)
        events: list[GenerationEvent] = [
            event async for event in model.generate(GenerationRequest(messages, options=options))
        ]
        finished = events[-1]
        assert isinstance(finished, Finished)
        assert finished.usage.prompt_tokens > 0
        assert finished.usage.generated_tokens > 0
        said.append("".join(event.text for event in events if isinstance(event, TextDelta)))
        messages = (*messages, PromptMessage("model", (TextPart(said[-1]),)))
    return said


def clip(path: Path) -> Media:
    """A sound that is there, as a medium."""
    return replace(picture(path), kind="audio", token_budget=0, sample_count=0)


async def answer(model: RemoteModel, sound: Media) -> str:
    """What a model says of a sound."""
    question = PromptMessage("user", (TextPart("What is said?"), sound))
    options = GenerationOptions(SamplingOptions(temperature=0.0), max_tokens=16)
    request = GenerationRequest((question,), options=options)
    events = [event async for event in model.generate(request)]
    return "".join(event.text for event in events if isinstance(event, TextDelta)).strip().lower()


async def test_mlx_lm_answers_two_turns(
    local: EngineClient, served_model: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "mlx_lm", "server", "--model", str(served_model)]
    async with running(command, tmp_path) as url:
        model = RemoteModel(Server("mlx", url), "", local)
        await connect(model)
        first, second = await two_turns(model)
        await model.close()
    assert "demo" in first
    assert second


@pytest.mark.skipif(not MLX_VLM, reason="GEMMA_TUI_MLX_VLM_SERVER names no mlx_vlm.server")
async def test_mlx_vlm_sees_and_hears(
    local: EngineClient, served_model: Path, tmp_path: Path
) -> None:
    async with running([MLX_VLM, "--model", str(served_model)], tmp_path) as url:
        model = RemoteModel(Server("vlm", url, sees=True, hears=True), "", local)
        await connect(model)
        first, second = await two_turns(model, picture(EXAMPLES / "blue-star.png"))
        heard = await answer(model, clip(EXAMPLES / "nine.wav"))
        await model.close()
    assert "blue star" in first.lower()
    assert "blue" in second.lower()
    assert "9" in heard or "nine" in heard
