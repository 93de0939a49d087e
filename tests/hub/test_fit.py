"""Does it fit: verdicts, figures and speeds for machines of every size."""

from __future__ import annotations

import pytest

from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.fit import (
    DISK_RESERVE,
    USEFUL_CONTEXT,
    Fit,
    Host,
    built_in_memory,
    fit_plan,
    fit_variant,
)
from gemma_tui.hub.speed import SHARES, MeasuredSpeed, expected_speed
from gemma_tui.hub.variant import MEMORY_CLASSES, Variant
from gemma_tui.memory_plan import MINIMUM_CONTEXT, MemoryPlan

GIB = 1 << 30
VARIANTS = load_catalog().variants


def mac(gigabytes: int, *, disk: int = 500, bandwidth: float = 0.0) -> Host:
    """A Mac: Metal recommends two thirds of its memory at most (less than larger ones give)."""
    memory = gigabytes * GIB
    return Host(
        memory, memory * 2 // 3, has_gpu=True, disk_free_bytes=disk * GIB, bandwidth=bandwidth
    )


def named(name: str) -> Variant:
    """A variant of the catalogue."""
    return next(v for v in VARIANTS if v.name == name)


def verdicts(host: Host) -> dict[str, str]:
    """Of all variants."""
    return {v.name: fit_variant(v, host).verdict for v in VARIANTS}


@pytest.mark.parametrize("size", MEMORY_CLASSES)
def test_what_is_recommended_can_be_loaded(size: int) -> None:
    variant = load_catalog().recommended(size * GIB)
    assert variant is not None
    fit = fit_variant(variant, mac(size))
    assert fit.verdict == "fits", fit.sentence
    assert fit.largest_context >= MINIMUM_CONTEXT


def test_more_memory_never_makes_a_verdict_worse() -> None:
    order = {"no": 0, "tight": 1, "fits": 2}
    before = verdicts(mac(4))
    for size in (8, 16, 24, 32, 48, 64, 128, 512):
        now = verdicts(mac(size))
        assert all(order[now[name]] >= order[before[name]] for name in now)
        before = now
    assert set(before.values()) == {"fits"}
    assert set(verdicts(mac(2)).values()) == {"no"}


@pytest.mark.parametrize("variant", VARIANTS, ids=[v.name for v in VARIANTS])
def test_the_verdict_is_what_the_rows_say(variant: Variant) -> None:
    for size in (6, 8, 12, 16, 24, 36, 64, 96):
        fit = fit_variant(variant, mac(size))
        (useful,) = [r for r in fit.rows if r.context_length == USEFUL_CONTEXT and r.with_pictures]
        assert useful.fits == (fit.verdict == "fits")
        assert (fit.largest_context > 0) == (fit.verdict != "no") == (fit.largest_budget > 0)
        for row in fit.rows:
            assert row.fits == (row.total_bytes <= fit.free_bytes)
            if row.fits:
                assert row.context_length <= fit.largest_context or not row.with_pictures
        by_context = [row.total_bytes for row in fit.rows if row.with_pictures]
        assert by_context == sorted(by_context)
        plain = [row.total_bytes for row in fit.rows if not row.with_pictures]
        assert all(a <= b for a, b in zip(plain, by_context, strict=True))


def test_the_largest_context_is_the_largest() -> None:
    for variant, size in (
        (named("12b-4bit"), 16),
        (named("31b-4bit"), 32),
        (named("e2b-8bit"), 12),
    ):
        fit = fit_variant(variant, mac(size))
        assert 0 < fit.largest_context < variant.context_length
        weights = variant.weight_bytes(has_gpu=True)
        plan = MemoryPlan(variant.size.shape, weights, mac(size).machine, fit.free_bytes)
        assert plan.estimate(fit.largest_context, fit.largest_budget).fits
        assert not plan.estimate(fit.largest_context + 1024, fit.largest_budget).fits


def sentence(name: str, gigabytes: int) -> str:
    """Of a variant on a Mac."""
    return fit_variant(named(name), mac(gigabytes)).sentence


def test_the_sentence_has_the_figures() -> None:
    assert sentence("31b-8bit", 16).startswith("Does not fit: it needs 3")
    assert sentence("31b-8bit", 16).endswith("at least; 11.5 GB are free.")
    assert sentence("12b-4bit", 13).startswith("Tight: 9.3 GB are free, which is enough for")
    assert sentence("e2b-4bit", 64) == (
        "Fits with a context of 131,072 tokens with pictures of 1120; 45.8 GB are free."
    )


def test_a_disk_that_is_too_small_is_said() -> None:
    variant = named("e2b-4bit")
    host = Host(64 * GIB, 48 * GIB, has_gpu=True, disk_free_bytes=variant.size_bytes)
    fit = fit_variant(variant, host)
    assert (fit.verdict, fit.has_disk, fit.disk_bytes) == ("fits", False, variant.size_bytes)
    roomy = Host(
        64 * GIB, 48 * GIB, has_gpu=True, disk_free_bytes=variant.size_bytes + DISK_RESERVE
    )
    assert fit_variant(variant, roomy).has_disk
    weights = variant.weight_bytes(has_gpu=True)
    here: Fit = fit_plan(MemoryPlan(variant.size.shape, weights, host.machine, host.free_bytes))
    assert (here.has_disk, here.disk_bytes) == (True, 0)


def test_without_a_gpu_the_same_variant_takes_more() -> None:
    variant = named("e4b-bf16")
    gpu, cpu = (Host(64 * GIB, 48 * GIB, has_gpu=has, disk_free_bytes=0) for has in (True, False))
    assert fit_variant(variant, cpu).weight_bytes == 2 * fit_variant(variant, gpu).weight_bytes


def test_speed_is_expected_from_the_bandwidth_and_then_from_runs() -> None:
    variant = named("12b-4bit")
    assert fit_variant(variant, mac(32)).speed is None
    host = mac(32, bandwidth=200e9)
    speed = fit_variant(variant, host).speed
    assert speed is not None
    # 6.67 GB are read for every token: 30 tokens a second would be all that the memory does.
    assert (speed.low, speed.high) == pytest.approx((30 * SHARES[0], 30 * SHARES[1]), rel=0.01)
    assert speed.words == "about 9.0–21 tokens/s"
    other = MeasuredSpeed("Gemma 4 E2B", 3_580_000_000, 100.0, 0.5)
    learnt = fit_variant(variant, host, (other,)).speed
    assert learnt is not None
    assert learnt.words == "about 15 tokens/s"
    same = MeasuredSpeed("Gemma 4 12B", 6_700_000_000, 22.9, 0.76)
    measured = expected_speed(variant, 0.0, (other, same))
    assert measured is not None
    assert (measured.words, measured.is_measured) == ("23 tokens/s", True)
    assert expected_speed(named("12b-qat-4bit"), 0.0, (same,)) is None


def test_this_machine_says_how_much_memory_it_has() -> None:
    assert built_in_memory() > 256 << 20
