"""Another model in the place of the present one: memory, answers, and what is known on the way back."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from gemma_tui.engine.conversion import convert
from gemma_tui.engine.interface import EngineState
from gemma_tui.engine.process import worker_command
from gemma_tui.engine.protocol import Convert
from gemma_tui.errors import ModelError
from tests.engine.scenes import ask, collect, eventually, finish_of, picture, text_of

if TYPE_CHECKING:
    from gemma_tui.engine.client import EngineClient
    from gemma_tui.generation import GenerationRequest
    from tests.engine.conftest import NewEngine

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
SWITCHES = 20
TOLERANCE = 1.05
NEGATED = re.compile(r".*language_model.*\.layers\.[1-4]\.mlp\.down_proj\.weight")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with answers and a size of its own: layers of the built-in one negated, 4 bits."""
    folder = tmp_path_factory.mktemp("other")
    shutil.copytree(tiny_model, folder / "negated")
    weights = folder / "negated" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    start = 8 + struct.unpack_from("<Q", data)[0]
    tensors = json.loads(data[8:start])
    negated = [tensors[name]["data_offsets"] for name in tensors if NEGATED.fullmatch(name)]
    assert negated
    for first, last in negated:
        high_bytes = slice(start + first + 1, start + last, 2)  # of bfloat16, the sign in front
        data[high_bytes] = bytes(byte ^ 0x80 for byte in data[high_bytes])
    weights.write_bytes(data)
    target = folder / "other"
    request = Convert(str(folder / "negated"), str(target), 4, 32, None)
    async for _ in convert(request, folder / "engine.log"):
        pass
    return target


@pytest.fixture
def questions() -> tuple[GenerationRequest, ...]:
    circle = picture(EXAMPLES / "red-circle.png")
    return (
        ask("What are you? Tell me all about it.", max_tokens=24),
        ask("What is in this picture?", media=(circle,), max_tokens=12),
    )


async def answers_of(engine: EngineClient, questions: tuple[GenerationRequest, ...]) -> list[str]:
    return [text_of(await collect(engine.generate(question))) for question in questions]


def resident_bytes(process_id: int) -> int:
    """Memory of a process as the system counts it; 0 where it does not tell in a file."""
    if sys.platform != "linux":
        return 0
    pages = Path(f"/proc/{process_id}/statm").read_text("ascii").split()[1]
    return int(pages) * 4096


async def test_twenty_switches_bring_memory_back_and_mix_nothing_up(
    new_engine: NewEngine,
    engine: EngineClient,
    tiny_model: Path,
    other_model: Path,
    questions: tuple[GenerationRequest, ...],
    tmp_path: Path,
) -> None:
    alone = new_engine()
    await alone.load(other_model)
    own = {
        tiny_model: await answers_of(engine, questions),
        other_model: await answers_of(alone, questions),
    }
    for one, other in zip(*own.values(), strict=True):
        assert one != other
    await alone.close()
    switching = new_engine(worker_command(tmp_path / "switching.log", tmp_path / "cache"))
    loaded: dict[Path, list[int]] = {tiny_model: [], other_model: []}
    resident: dict[Path, list[int]] = {tiny_model: [], other_model: []}
    for _ in range(SWITCHES // 2):
        for folder in (tiny_model, other_model):
            await switching.load(folder)
            loaded[folder].append((await switching.status()).active_memory_bytes)
            assert await answers_of(switching, questions) == own[folder]
            resident[folder].append(resident_bytes((await switching.status()).process_id))
    for folder in (tiny_model, other_model):
        assert max(loaded[folder]) <= TOLERANCE * min(loaded[folder])
        # The first visit brings in what is loaded once: code, the processes of the decoders.
        assert max(resident[folder][1:]) <= TOLERANCE * min(resident[folder][1:])


async def test_memory_is_never_needed_twice(
    new_engine: NewEngine, tiny_model: Path, other_model: Path
) -> None:
    engine = new_engine()
    peaks = []
    for folder in (other_model, tiny_model):
        cold = new_engine()
        await cold.load(folder)
        peaks.append((await cold.status()).peak_memory_bytes)
        await cold.close()
    await engine.load(tiny_model)
    for folder in (other_model, tiny_model):
        reply = await collect(engine.generate(ask("Hello", max_tokens=2)))
        before = finish_of(reply).usage.peak_memory_bytes  # counted anew with each reply
        await engine.load(folder)
        peak = (await engine.status()).peak_memory_bytes
        assert peak <= TOLERANCE * max(before, *peaks)
        assert peak < before + min(peaks)


async def test_going_back_reads_only_what_is_new(
    new_engine: NewEngine, tiny_model: Path, other_model: Path, tmp_path: Path
) -> None:
    engine = new_engine(worker_command(tmp_path / "engine.log", tmp_path / "cache"))
    await engine.load(tiny_model)
    talk = ["What are you? " * 20]
    for folder in (other_model, tiny_model, other_model, tiny_model):
        talk.append(text_of(await collect(engine.generate(ask(*talk, max_tokens=24)))))
        # At once: what a pause would have stored must not be lost.
        await engine.load(folder)
        talk.append("Tell me more.")
    usage = finish_of(await collect(engine.generate(ask(*talk)))).usage
    # Known is all up to the last reply that this model wrote; new, the other one's turn and a word.
    assert usage.cached_tokens > 0.5 * usage.prompt_tokens
    alone = new_engine(worker_command(tmp_path / "engine.log"))
    await alone.load(tiny_model)
    seen = finish_of(await collect(alone.generate(ask(*talk[:-2], max_tokens=1)))).usage
    assert usage.cached_tokens >= seen.prompt_tokens - 15


async def test_after_a_load_that_failed_nothing_is_read_again(
    new_engine: NewEngine, tiny_model: Path, tmp_path: Path
) -> None:
    engine = new_engine(worker_command(tmp_path / "engine.log", tmp_path / "cache"))
    await engine.load(tiny_model)
    question = "What are you? " * 20
    text = text_of(await collect(engine.generate(ask(question, max_tokens=24))))
    with pytest.raises(ModelError):
        await engine.load(tmp_path)
    await engine.load(tiny_model)
    usage = finish_of(await collect(engine.generate(ask(question, text, "Hello!")))).usage
    assert 0 < usage.prompt_tokens - usage.cached_tokens < 15


async def test_a_model_that_was_unloaded_comes_back_with_the_next_question(
    new_engine: NewEngine, tiny_model: Path, tmp_path: Path
) -> None:
    engine = new_engine(worker_command(tmp_path / "engine.log", tmp_path / "cache"))
    assert not await engine.suspend()  # there is none
    info = await engine.load(tiny_model)
    question = "What are you? " * 20
    text = text_of(await collect(engine.generate(ask(question, max_tokens=24))))
    loaded = (await engine.status()).active_memory_bytes
    states: list[EngineState] = []
    engine.watch(states.append)
    assert await engine.suspend()
    assert engine.state == EngineState("unloaded")
    status = await engine.status()
    assert status.model is None
    assert status.active_memory_bytes < loaded / 10
    assert not await engine.suspend()
    with pytest.raises(ModelError, match="No model is loaded"):
        await engine.count(ask(question))
    assert engine.state.phase == "unloaded"  # asking what it costs is no reason to load it
    usage = finish_of(await collect(engine.generate(ask(question, text, "Hello!")))).usage
    assert usage.prompt_tokens - usage.cached_tokens < 15
    assert [state.phase for state in states if state.model is None][:2] == ["unloaded", "loading"]
    assert engine.state.model == info


async def test_waking_loads_once_and_a_crash_wakes_nothing(
    new_engine: NewEngine, tiny_model: Path
) -> None:
    engine = new_engine()
    await engine.load(tiny_model)
    await engine.suspend()
    dead = (await engine.status()).process_id
    states: list[EngineState] = []
    engine.watch(states.append)
    os.kill(dead, signal.SIGKILL)
    await eventually(lambda: len(states) > 1 and states[-1].phase == "unloaded")
    assert [state.phase for state in states] == ["stopped", "starting", "unloaded"]
    assert (await engine.status()).process_id != dead
    assert (await engine.status()).model is None
    engine.wake()
    engine.wake()
    assert text_of(await collect(engine.generate(ask("Hello", max_tokens=4))))
    assert engine.state.model is not None
    phases = [state.phase for state in states]
    assert phases.index("generating") > phases.index("ready")
    assert sum(state.phase == "loading" and not state.fraction for state in states) == 1


async def test_nothing_is_unloaded_while_a_reply_is_written(
    talker: EngineClient, tiny_model: Path
) -> None:
    reply = talker.generate(ask("Hello", max_tokens=100_000))
    await anext(reply)
    assert not await talker.suspend()
    await reply.aclose()
    assert (await talker.status()).model is not None
