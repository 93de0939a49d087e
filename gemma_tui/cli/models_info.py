"""`gemma-tui models info`: one model, and whether it fits this machine, by the engine's figures."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from gemma_tui.answer_stream import write_answer
from gemma_tui.bench.saved import SavedBenchmarks
from gemma_tui.byte_size import format_size
from gemma_tui.cli.models_list import ListedModel, listed_models, table
from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.engine.protocol import Estimate
from gemma_tui.errors import GemmaError, UsageError
from gemma_tui.hub.cache import shared_cache
from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.disk_faults import free_space
from gemma_tui.hub.fit import Host, built_in_memory, fit_variant
from gemma_tui.hub.wanted_model import wanted_model
from gemma_tui.paths import builtin_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gemma_tui.engine.interface import ComputeDevice
    from gemma_tui.hub.catalog import Catalog
    from gemma_tui.hub.variant import Variant
    from gemma_tui.paths import Paths


def run_info(name: str, paths: Paths, *, as_json: bool) -> int:
    """Print what is known of a model; returns the exit code.

    Args:
        name: What the user wrote.
        paths: Where settings, imported models and the user's catalogue are.
        as_json: One object instead of lines.

    Raises:
        UsageError: It names no model.
        KeyboardInterrupt: Ctrl-C.
    """
    catalog = load_catalog(paths.config)
    row = _row(name, paths, catalog)
    variant = catalog.find(row.repo) if row.repo else None
    facts = {**asdict(row), **(_variant_facts(variant) if variant else {})}
    code = asyncio.run(until_signalled(_add_fit(facts, row, variant, paths)))
    if code:
        return code
    if as_json:
        write_answer(sys.stdout, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
        return 0
    cells = list(_cells(facts))
    write_answer(sys.stdout, "".join(f"{line}\n" for line in table(cells)))
    return 0


def _row(name: str, paths: Paths, catalog: Catalog) -> ListedModel:
    rows = list(listed_models(paths, catalog))
    found = next((row for row in rows if name in {row.name, row.folder}), None)
    if found is not None:
        return found
    wanted = wanted_model(name, catalog)
    for row in rows:
        is_repo = row.repo.casefold() == wanted.repo.casefold()
        if is_repo and row.revision.startswith(wanted.revision):
            return row
    raise UsageError(
        f"Nothing is known of {wanted.name} on this disk.",
        f"gemma-tui models pull {wanted.name} gets it.",
    )


def _variant_facts(variant: Variant) -> dict[str, object]:
    return {
        "good_for": variant.good_for,
        "bits": variant.bits,
        "context_length": variant.context_length,
        "window": variant.window,
        "cache_bytes_per_token": variant.cache_bytes_per_token,
    }


async def _add_fit(
    facts: dict[str, object], row: ListedModel, variant: Variant | None, paths: Paths
) -> None:
    """Ask the engine what this machine has, or what a folder takes."""
    progress = Progress(sys.stderr)
    progress.show("asking whether it fits")
    engine = EngineClient(paths.engine_log, command=worker_command(paths.engine_log))
    try:
        if row.folder:
            estimate = await engine.estimate(Estimate(row.folder))
            facts["fit"] = _estimate_words(estimate.total_bytes, estimate.free_bytes, estimate.fits)
            facts["largest_context"] = estimate.fitting_context
        elif variant is not None:
            await engine.load(builtin_model())
            device = (await engine.status()).device
            if device is not None:
                saved = SavedBenchmarks(paths.benchmarks)
                host = _host(device, shared_cache(), saved.bandwidth())
                fit = fit_variant(variant, host, saved.speeds())
                facts["fit"], facts["verdict"] = fit.sentence, fit.verdict
                facts["largest_context"] = fit.largest_context
                facts["memory"] = [asdict(line) for line in fit.rows]
                facts["has_disk_space"] = fit.has_disk
                facts["speed"] = fit.speed.words if fit.speed else ""
    except GemmaError as error:
        facts["fit"] = error.message
    finally:
        progress.clear()
        await engine.close()


def _estimate_words(total: int, free: int, fits: bool) -> str:
    verb = "Takes" if fits else "Would take"
    return f"{verb} {format_size(total)} at the full context; {format_size(free)} are free."


def _host(device: ComputeDevice, cache: Path, bandwidth: float) -> Host:
    return Host(
        memory_bytes=built_in_memory(),
        free_bytes=device.free_bytes,
        has_gpu=device.has_gpu,
        disk_free_bytes=free_space(cache),
        bandwidth=bandwidth,
    )


def _cells(facts: dict[str, object]) -> Iterator[tuple[str, str]]:
    """What is known, as pairs of a heading and words."""
    for key, value in facts.items():
        if key == "memory" and isinstance(value, list):
            for line in value:
                tokens = f"{line['context_length']:,} tokens"
                pictures = " with pictures" if line["with_pictures"] else ""
                yield "memory", f"{format_size(line['total_bytes'])} at {tokens}{pictures}"
        elif value:
            yield key.removesuffix("_bytes").replace("_", " "), _words(key, value)


def _words(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return format_size(value) if key.endswith("_bytes") else f"{value:,}"
    return str(value)
