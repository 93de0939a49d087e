"""Benchmarks as text for a terminal, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gemma_tui.byte_size import format_size
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.bench.result import MediaSpeed, ModelBenchmark

_LABEL_WIDTH = 24


def as_text(run: ModelBenchmark) -> str:
    """A heading, the speed at each context, then one line for each other figure."""
    kind = "GPU" if run.has_gpu else "CPU"
    size = format_size(run.weight_bytes)
    lines = [sanitize_line(f"{run.model}  ({size} in memory, on {run.device}, {kind})"), ""]
    lines.append(f"  {'prompt':>14}{'read':>16}{'written':>16}")
    for speed in run.contexts:
        written = f"{speed.decode_tokens_per_second:,.1f} tok/s"
        if not speed.decode_tokens_per_second:
            written = "–"
        lines.append(
            f"  {speed.prompt_tokens:>7,} tokens{speed.prefill_tokens_per_second:>10,.0f} tok/s"
            f"{written:>16}"
        )
    lines.append("")
    lines += [f"  {label:<{_LABEL_WIDTH}}{value}" for label, value in _figures(run)]
    return "\n".join(lines) + "\n"


def as_json(runs: Sequence[ModelBenchmark]) -> str:
    """Every figure, with what follows from them; one object."""
    content = [
        asdict(run)
        | {
            "measured_at": datetime.fromtimestamp(run.measured_at, UTC).isoformat(),
            "bandwidth_share": round(run.bandwidth_share, 4),
        }
        for run in runs
    ]
    return json.dumps({"benchmarks": content}, indent=2, ensure_ascii=False)


def _figures(run: ModelBenchmark) -> list[tuple[str, str]]:
    gigabytes = run.bandwidth / 1e9
    bandwidth = f"{gigabytes:.0f}" if gigabytes >= 9.5 else f"{gigabytes:.1f}"
    share = f"{100 * run.bandwidth_share:.0f} % of {bandwidth} GB/s"
    if run.bandwidth_share > 1:
        share += " (the weights fit into a cache of the processor)"
    figures = [
        ("first token, cold", _seconds(run.first_token_cold_seconds)),
        ("first token, warm", _seconds(run.first_token_warm_seconds)),
        ("loading", _seconds(run.load_seconds)),
        ("peak memory", format_size(run.peak_memory_bytes)),
        ("memory bandwidth used", share if run.decode_speed else "–"),
    ]
    media = (("a picture", run.picture), ("a clip of 10 s", run.clip))
    figures += [(label, _media(speed)) for label, speed in media if speed is not None]
    return figures


def _media(speed: MediaSpeed) -> str:
    return f"{_seconds(speed.seconds)} for {speed.soft_tokens} soft tokens"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
