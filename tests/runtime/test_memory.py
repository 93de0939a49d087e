"""Estimates: against figures worked out by hand, and against what MLX really takes."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.chunk_size import MAX_CHUNK
from gemma_tui.engine.protocol import Estimate, Event, Failed, Load, ModelLoaded
from gemma_tui.errors import InsufficientMemoryError
from gemma_tui.generation import MemoryEstimate
from gemma_tui.hub.fit import fit_plan
from gemma_tui.memory_plan import (
    MINIMUM_CONTEXT,
    OVERHEAD_BYTES,
    Machine,
    MemoryPlan,
    cache_bytes,
    describe_limit,
    prefill_bytes,
    require_memory,
    token_bytes,
    vision_bytes,
)
from gemma_tui.network_shape import EmbedderShape, TowerShape
from gemma_tui.preprocessing.patches import ImageFeatures
from gemma_tui.runtime.free_memory import free_bytes, free_memory
from gemma_tui.runtime.gemma4.layers import on_cpu
from gemma_tui.runtime.gemma4.read_config import read_config
from gemma_tui.runtime.gemma4.shape import shape_of
from gemma_tui.runtime.generate import prefill
from gemma_tui.runtime.inference import Inference
from gemma_tui.runtime.jobs import Job
from gemma_tui.runtime.loader import load_model, plan_memory
from tests.runtime.quantised import Kind, write_quantised

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.network_shape import NetworkShape
    from gemma_tui.runtime.gemma4.config import Gemma4Config

GPU = Machine(item_bytes=2, chunk_tokens=1)
CPU = Machine(item_bytes=4, chunk_tokens=MAX_CHUNK)
KILO, MEGA = 1024, 1024 * 1024

# Layers with a cache of their own, key heads times head size, window: from the model card.
SIZES = {
    "E2B": ((12, 1, 3, 1, 512), 6 * KILO, 6 * MEGA),
    "E4B": ((20, 2, 4, 2, 512), 16 * KILO, 20 * MEGA),
    "12B": ((40, 8, 8, 1, 1024), 16 * KILO, 320 * MEGA),
    "26B-A4B": ((25, 8, 5, 2, 1024), 20 * KILO, 200 * MEGA),
    "31B": ((50, 16, 10, 4, 1024), 80 * KILO, 800 * MEGA),
}


def caching(
    sliding: int, key_heads: int, full: int, global_key_heads: int, window: int
) -> NetworkShape:
    """A network with such caches."""
    return replace(
        shape_of(e2b()),
        sliding_layers=sliding,
        key_heads=key_heads,
        global_layers=full,
        global_key_heads=global_key_heads,
        window=window,
    )


def e2b() -> Gemma4Config:
    """E2B as its released config describes it."""
    vision = {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 16,
        "num_attention_heads": 12,
        "head_dim": 64,
        "use_clipped_linears": True,
    }
    text: dict[str, Any] = {
        "vocab_size": 262_144,
        "hidden_size": 1536,
        "intermediate_size": 6144,
        "num_hidden_layers": 35,
        "num_attention_heads": 8,
        "num_key_value_heads": 1,
        "head_dim": 256,
        "global_head_dim": 512,
        "layer_types": (["sliding_attention"] * 4 + ["full_attention"]) * 7,
        "sliding_window": 512,
        "num_kv_shared_layers": 20,
        "use_double_wide_mlp": True,
    }
    return read_config({"model_type": "gemma4", "text_config": text, "vision_config": vision})


@pytest.mark.parametrize(("numbers", "per_token", "fixed"), SIZES.values(), ids=SIZES)
def test_caches_grow_as_worked_out_by_hand(
    numbers: tuple[int, int, int, int, int], per_token: int, fixed: int
) -> None:
    shape = caching(*numbers)
    long, longer = (cache_bytes(shape, tokens, GPU) for tokens in (32_768, 32_768 + 1024))
    assert longer - long == 1024 * per_token
    assert long == fixed + 32_768 * per_token
    assert cache_bytes(shape, 1, GPU) == cache_bytes(shape, 256, GPU)


E2B = shape_of(e2b())


def test_a_chunk_makes_sliding_layers_hold_more_than_their_window() -> None:
    one, chunked = (cache_bytes(E2B, 8192, Machine(2, chunk)) for chunk in (1, 513))
    assert chunked - one == 12 * 512 * 256 * 2 * 2


def test_the_cache_of_e2b_follows_from_its_config() -> None:
    assert caching(*SIZES["E2B"][0]) == E2B


def test_an_estimate_adds_up_for_e2b() -> None:
    plan = MemoryPlan(E2B, 10_250_000_000, Machine(2, 512), 16 * 10**9)
    estimate = plan.estimate(32_768)
    # In use, and remembered without what lies behind the windows.
    cache = 12 * 256 * 4 * (512 + 511 + 512) + 2 * 32_768 * 6 * KILO
    assert estimate.cache_bytes == cache
    # 512 queries of 8 heads against 32,768 tokens in bf16 are 268 MB of scores alone.
    assert 512 * 8 * 32_768 * 2 < estimate.working_bytes < 2 * 512 * 8 * 32_768 * 2
    total = 10_250_000_000 + cache + estimate.working_bytes + OVERHEAD_BYTES
    assert estimate.total_bytes == total
    assert estimate.fits
    assert (estimate.fitting_context, estimate.fitting_budget) == (32_768, 1120)
    assert describe_limit(estimate) == ""


def test_the_largest_setting_that_fits_is_found() -> None:
    plan = MemoryPlan(E2B, 10**10, Machine(2, 512), 11_200_000_000)
    whole = plan.estimate()
    assert not whole.fits
    assert MINIMUM_CONTEXT < whole.fitting_context < 131_072
    best = plan.estimate(whole.fitting_context, whole.fitting_budget)
    assert best.fits
    assert not plan.estimate(whole.fitting_context + 1024, whole.fitting_budget).fits
    sentence = describe_limit(whole)
    assert f"{whole.fitting_context:,} tokens" in sentence
    assert "131,072" in sentence
    assert "11.20 GB are free" in sentence


def test_where_memory_is_short_pictures_become_smaller_first() -> None:
    config = E2B
    large = MemoryPlan(config, 10**9, CPU, 2**62).estimate(MINIMUM_CONTEXT, 1120)
    tight = replace(large, free_bytes=large.total_bytes - 1)
    fitting = MemoryPlan(config, 10**9, CPU, tight.free_bytes).estimate()
    assert (fitting.fitting_budget, fitting.fitting_context >= MINIMUM_CONTEXT) == (560, True)


def test_a_model_that_cannot_fit_is_refused_with_figures() -> None:
    with pytest.raises(InsufficientMemoryError) as caught:
        require_memory(MemoryPlan(E2B, 10_250_000_000, Machine(2, 512), 8 * 10**9))
    message = caught.value.message
    assert "weights 10.25 GB" in message
    assert "2,048 tokens" in message
    assert "8.00 GB are free" in message
    assert caught.value.hint


def test_free_memory_is_what_the_system_says() -> None:
    meminfo = "MemTotal:       16000000 kB\nMemFree: 1 kB\nMemAvailable:    1000 kB\n"
    assert free_bytes({}, meminfo, 24) == 1_024_024
    metal: dict[str, str | int] = {
        "max_recommended_working_set_size": 12_000,
        "memory_size": 16_000,
    }
    assert free_bytes(metal, "", 24) == 12_000
    assert free_bytes({"memory_size": 16_000}, "", 24) == 16_000
    assert free_bytes({"architecture": "x86"}, "MemFree: 1 kB", 0) == 1 << 62
    assert free_memory() > 10_000_000


@pytest.mark.parametrize("kind", [None, Kind(64, 4), Kind(32, 8, "mxfp8", towers=True)])
def test_weights_are_known_to_the_byte_before_they_are_read(
    tiny_model: Path, tmp_path: Path, kind: Kind | None
) -> None:
    folder = tiny_model if kind is None else write_quantised(tiny_model, tmp_path, kind)[0]
    loaded = load_model(folder, lambda _phase, _fraction: None)
    assert plan_memory(folder, 10**9).weight_bytes == loaded.info.weight_bytes


def peak(work: Any) -> int:
    """Bytes that `work` took at most, beside what was there."""
    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    work()
    return mx.get_peak_memory() - before


def test_estimates_are_near_what_is_really_taken(tiny_model: Path) -> None:
    """As it runs where there is no GPU; measured on the built-in model."""
    if not on_cpu():
        pytest.skip("the figures for a GPU are other ones")
    loaded = load_model(tiny_model, lambda _phase, _fraction: None)
    shape = shape_of(loaded.config)
    assert isinstance(shape.vision, TowerShape)
    columns, rows = 60, 42
    places = [np.tile(np.arange(columns), rows), np.repeat(np.arange(rows), columns)]
    features = ImageFeatures(
        np.zeros((columns * rows, 768), dtype=np.float32),
        np.stack(places, axis=1).astype(np.int32),
        (columns, rows),
        280,
    )
    taken = peak(lambda: mx.eval(loaded.model.encode_image(features)))
    assert 0.7 < taken / vision_bytes(shape.vision, 280, CPU) < 1.1

    cache = loaded.model.make_cache()
    ids = [20] * 2048

    def read() -> None:
        for _ in prefill(loaded.model, ids, start=0, stop=len(ids), cache=cache, soft=None):
            pass

    taken = peak(read)
    kept = sum(array.nbytes for layer in cache for array in (layer.keys, layer.values))
    assert kept == cache_bytes(shape, 2048, CPU)
    assert kept < taken < kept + prefill_bytes(shape, 2048, CPU)


def answers(work: Load | Estimate, free: int) -> list[Event]:
    """What the engine answers on a machine with so much memory."""
    events: list[Event] = []
    job = Job(1, work, emit=lambda _number, event: events.append(event))
    inference = Inference(logging.getLogger("test"), free_memory=lambda: free)
    try:
        inference.perform(job)
    except InsufficientMemoryError as error:
        events.append(Failed.from_error(error))
    return events


def test_the_engine_refuses_or_shortens_before_it_reads_weights(tiny_model: Path) -> None:
    load = Load(str(tiny_model))
    *_, refused = answers(load, 100 * MEGA)
    assert isinstance(refused, Failed)
    assert refused.error == "InsufficientMemoryError"
    (estimate,) = answers(Estimate(str(tiny_model)), 2**40)
    assert isinstance(estimate, MemoryEstimate)
    assert estimate.fits
    *_, whole = answers(load, estimate.total_bytes)
    assert isinstance(whole, ModelLoaded)
    assert (whole.info.context_length, whole.info.limitations) == (8192, ())
    (short,) = answers(Estimate(str(tiny_model), 4096, 70), 2**40)
    assert isinstance(short, MemoryEstimate)
    *_, shortened = answers(load, short.total_bytes)
    assert isinstance(shortened, ModelLoaded)
    assert 4096 - 256 <= shortened.info.context_length <= 4096
    (limitation,) = shortened.info.limitations
    assert f"{shortened.info.context_length:,} tokens with pictures of" in limitation


@pytest.mark.parametrize("context", [600, 2500, 6000, 8192])
def test_the_verdict_is_what_loading_then_does(tiny_model: Path, context: int) -> None:
    """No: it is refused. Tight: it is loaded with the context that was said. Fits: with all."""
    plan = plan_memory(tiny_model, 2**40)
    free = plan.estimate(context, 70 if context < 8192 else 0).total_bytes
    fit = fit_plan(replace(plan, free_bytes=free))
    *_, last = answers(Load(str(tiny_model)), free)
    if fit.verdict == "no":
        assert isinstance(last, Failed)
        assert last.error == "InsufficientMemoryError"
        assert context < MINIMUM_CONTEXT
        return
    assert isinstance(last, ModelLoaded)
    assert last.info.context_length == fit.largest_context
    assert (last.info.limitations == ()) == (fit.verdict == "fits") == (context == 8192)
    assert fit.verdict == "fits" or f"{fit.largest_context:,}" in fit.sentence


def test_a_token_of_a_chunk_costs_more_in_wide_networks_and_long_prompts() -> None:
    shape = E2B
    cost = token_bytes(shape, 1000, GPU)
    # A score in bf16 for each head, and a byte that says whether the token may be seen.
    assert token_bytes(shape, 2000, GPU) - cost == (2 * shape.attention_heads + 1) * 1000
    for wider in (
        replace(shape, hidden_size=2 * shape.hidden_size),
        replace(shape, intermediate_size=9 * shape.intermediate_size),
    ):
        assert token_bytes(wider, 1000, GPU) > cost
    assert token_bytes(shape, 1000, CPU) > 2 * cost


def test_only_global_layers_whose_attention_is_needed_have_scores() -> None:
    one = replace(E2B, global_layers=1)
    assert token_bytes(one, 2000, GPU) == token_bytes(one, 1000, GPU)
    inside = replace(one, ends_global=False)
    assert token_bytes(inside, 2000, GPU) > token_bytes(inside, 1000, GPU)


def test_a_picture_that_is_seen_both_ways_makes_a_longer_chunk() -> None:
    whole = replace(E2B, vision=EmbedderShape(1536), keeps_pictures_whole=True)
    small, large = (MemoryPlan(whole, 0, Machine(2), 2**62).estimate(8192, b) for b in (280, 1120))
    chunk = prefill_bytes(whole, 8192, Machine(2, 1120))
    assert (small.working_bytes, large.working_bytes) == (
        prefill_bytes(whole, 8192, Machine(2)),
        chunk,
    )
    split = replace(whole, keeps_pictures_whole=False)
    assert MemoryPlan(split, 0, Machine(2), 2**62).estimate(8192, 1120).working_bytes < chunk


def test_a_chunk_that_has_room_is_what_the_plan_counts_on() -> None:
    shape = E2B
    plan = prefill_bytes(shape, 8192, GPU) - prefill_bytes(
        shape, 8192, replace(GPU, chunk_tokens=0)
    )
    assert plan == token_bytes(shape, 8192, GPU)
