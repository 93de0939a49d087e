"""Benchmarks as they might have been measured."""

from __future__ import annotations

from gemma_tui.bench.result import ContextSpeed, MediaSpeed, ModelBenchmark


def run_of(model: str = "Gemma 4 E2B", **changes: object) -> ModelBenchmark:
    """A run on a GPU that reaches half of its bandwidth."""
    values: dict[str, object] = {
        "model": model,
        "weight_bytes": 3_580_000_000,
        "measured_at": 1_795_000_000.0,
        "device": "Apple M4",
        "has_gpu": True,
        "load_seconds": 2.5,
        "first_token_cold_seconds": 0.41,
        "first_token_warm_seconds": 0.062,
        "contexts": (ContextSpeed(512, 1800.0, 45.0), ContextSpeed(4096, 1500.0, 40.0)),
        "picture": MediaSpeed(256, 0.3),
        "clip": None,
        "peak_memory_bytes": 4_200_000_000,
        "bandwidth": 117e9,
        "step_bytes": 1_300_000_000,
    }
    return ModelBenchmark(**(values | changes))  # type: ignore[arg-type]
