"""How fast memory is, and what is read of a model for every token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx
import pytest

from gemma_tui.engine.client import EngineClient
from gemma_tui.runtime.bandwidth import measure_bandwidth, step_bytes
from gemma_tui.runtime.loader import load_model
from tests.golden import recipe, sizes
from tests.runtime.gemma4.checkpoint import recipe_tensors
from tests.runtime.test_sizes import model_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", ["e2b", "26b_a4b", "31b"])
def test_a_token_reads_the_decoder_but_not_every_row_and_expert(
    size: str, tmp_path: Path, tiny_model: Path
) -> None:
    loaded = load_model(model_folder(size, tmp_path / size, tiny_model), lambda *_: None)
    entries = loaded.config.text.vocab_size
    expected = 0.0
    for name, values in recipe_tensors(size).items():
        if "language_model" not in name or "embed_tokens_per_layer" in name:
            continue
        count = values.size
        if "embed_tokens" in name:
            count = entries * values.shape[1]
        if ".experts." in name:
            text = sizes.CONFIGS[size]["text_config"]
            count = count * text["top_k_experts"] // text["num_experts"]
        expected += 4 * count
    assert recipe.CONFIG["text_config"]["tie_word_embeddings"]
    assert step_bytes(loaded) == pytest.approx(expected, rel=0.1)
    assert step_bytes(loaded) < loaded.info.weight_bytes


def test_measuring_leaves_nothing_behind() -> None:
    before = mx.get_active_memory()
    measured = measure_bandwidth(1 << 30, None)
    assert measured.step_bytes == 0
    assert measured.bytes_per_second > 1e8
    assert mx.get_active_memory() == before


async def test_the_engine_measures_with_and_without_a_model(
    tmp_path: Path, tiny_model: Path
) -> None:
    engine = EngineClient(tmp_path / "engine.log")
    try:
        bare = await engine.measure_bandwidth()
        info = await engine.load(tiny_model)
        loaded = await engine.measure_bandwidth()
    finally:
        await engine.close()
    assert bare.step_bytes == 0 < loaded.step_bytes < info.weight_bytes
    assert min(bare.bytes_per_second, loaded.bytes_per_second) > 1e8
