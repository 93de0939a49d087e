"""A benchmark of the built-in model, through the real engine process; and how it is shown."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.bench.result import BenchmarkOrder, BenchmarkProgress, ModelBenchmark
from gemma_tui.bench.run import benchmark, held_contexts
from gemma_tui.bench.table import as_json, as_text
from gemma_tui.engine.client import EngineClient
from gemma_tui.errors import ModelError
from gemma_tui.preprocessing.budget import audio_tokens
from tests.benchmark.runs import run_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineClient]:
    client = EngineClient(tmp_path / "engine.log")
    yield client
    await client.close()


async def measured(
    engine: EngineClient, folder: Path, order: BenchmarkOrder, scratch: Path
) -> tuple[list[str], ModelBenchmark]:
    """What was shown meanwhile, and the result."""
    shown: list[str] = []
    async with aclosing(benchmark(engine, folder, order, scratch)) as events:
        async for event in events:
            match event:
                case BenchmarkProgress(what):
                    shown.append(what)
                case ModelBenchmark():
                    return shown, event
    raise AssertionError("no result")


async def test_every_figure_is_measured(
    engine: EngineClient, tiny_model: Path, tmp_path: Path
) -> None:
    order = BenchmarkOrder(contexts=(900, 300, 100_000), decode_tokens=16)
    shown, run = await measured(engine, tiny_model, order, tmp_path)
    assert shown[0] == "loading"
    assert "a prompt of 300 tokens" in shown
    assert (run.model, run.has_gpu) == ("built-in demo", run.has_gpu)
    status = await engine.status()
    assert status.model is not None
    assert run.weight_bytes == status.model.weight_bytes
    lengths = [context.prompt_tokens for context in run.contexts]
    assert lengths == [pytest.approx(300, rel=0.05), pytest.approx(900, rel=0.05)]
    for context in run.contexts:
        assert context.prefill_tokens_per_second > 0
        assert context.decode_tokens_per_second > 0
    assert run.picture is not None
    assert run.clip is not None
    assert (run.picture.soft_tokens, run.clip.soft_tokens) == (256, audio_tokens(160_000))
    assert run.picture.seconds > 0
    assert run.first_token_cold_seconds > 0
    assert run.first_token_warm_seconds > 0
    assert run.load_seconds > 0
    assert run.peak_memory_bytes > run.weight_bytes > run.step_bytes > 0
    assert run.bandwidth > 1e8


def test_prompts_that_a_model_does_not_hold_are_left_out() -> None:
    order = BenchmarkOrder(contexts=(16_384, 512, 4096, 512), decode_tokens=64)
    assert held_contexts(order, 131_072) == (512, 4096, 16_384)
    assert held_contexts(order, 8192) == (512, 4096)
    assert held_contexts(BenchmarkOrder((16_384,)), 8192) == (8192 - 64 - 256,)
    assert held_contexts(BenchmarkOrder((16_384,)), 100) == (1,)


async def test_a_folder_that_is_no_model_is_refused(engine: EngineClient, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        await measured(engine, tmp_path, BenchmarkOrder((100,)), tmp_path)


def test_the_table_has_every_figure() -> None:
    text = as_text(run_of())
    assert text.splitlines()[0] == "Gemma 4 E2B  (3.6 GB in memory, on Apple M4, GPU)"
    for words in (
        *("512 tokens     1,800 tok/s      45.0 tok/s", "4,096 tokens", "410 ms", "62 ms"),
        *("2.50 s", "4.2 GB", "50 % of 117 GB/s", "300 ms for 256 soft tokens"),
    ):
        assert words in text, text
    assert "clip" not in text
    assert max(map(len, text.splitlines())) < 60


def test_a_table_of_what_could_not_be_measured_says_so() -> None:
    run = run_of(contexts=(), bandwidth=0.0, model="evil\x1b[2J")
    assert (run.decode_speed, run.prefill_speed, run.bandwidth_share) == (0.0, 0.0, 0.0)
    text = as_text(run)
    assert "memory bandwidth used   –" in text
    assert "\x1b" not in text


def test_the_json_has_every_figure_and_what_follows() -> None:
    (run,) = json.loads(as_json([run_of()]))["benchmarks"]
    assert run["bandwidth_share"] == 0.5
    assert run["measured_at"].startswith("2026-11-18T")
    assert run["contexts"][1]["decode_tokens_per_second"] == 40.0
    assert run["picture"] == {"soft_tokens": 256, "seconds": 0.3}
    assert run["clip"] is None
