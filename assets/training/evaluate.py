"""Asks the built-in model through the product's own engine about a test set; prints a table.

Knows nothing of torch. Run it with the program's own environment.
Usage: python evaluate.py TESTSET [--model FOLDER] [--default-sampling] [--limit N]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import tempfile
from collections import defaultdict
from pathlib import Path

from gemma_tui.conversation import TextPart
from gemma_tui.engine.client import EngineClient
from gemma_tui.generation import GenerationRequest, Media, PromptMessage, TextDelta
from gemma_tui.options import GenerationOptions, SamplingOptions

HERE = Path(__file__).resolve().parent
BUDGETS = (70, 140, 280)


def digest(file: Path) -> str:
    """The sha256 of a file, by which the engine knows it."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


async def answer(
    engine: EngineClient, file: Path | None, ask: str, budget: int, temperature: float
) -> str:
    """The model's whole answer to one question."""
    parts: list[TextPart | Media] = [TextPart(ask)]
    if file is not None and file.suffix == ".png":
        parts.insert(0, Media("image", digest(file), str(file), file.name, budget))
    elif file is not None:
        parts.append(Media("audio", digest(file), str(file), file.name))
    options = GenerationOptions(SamplingOptions(temperature=temperature), max_tokens=64)
    request = GenerationRequest((PromptMessage("user", tuple(parts)),), options=options)
    pieces = [e.text async for e in engine.generate(request) if isinstance(e, TextDelta)]
    return "".join(pieces).strip()


async def measure(arguments: argparse.Namespace) -> dict[tuple[str, int], list[bool]]:
    """Right or wrong per (group, budget); wrong answers are printed."""
    cases = json.loads((arguments.testset / "index.json").read_text())
    results: dict[tuple[str, int], list[bool]] = defaultdict(list)
    temperature = 1.0 if arguments.default_sampling else 0.0
    with tempfile.TemporaryDirectory() as logs:
        engine = EngineClient(Path(logs) / "engine.log")
        await engine.load(arguments.model)
        seen: dict[str, int] = defaultdict(int)
        for case in cases:
            seen[case["group"]] += 1
            if seen[case["group"]] > arguments.limit:
                continue
            file = arguments.testset / case["file"] if case["file"] else None
            budgets = arguments.budgets if case["file"].endswith(".png") else (0,)
            for budget in budgets:
                if budget > 70 and seen[case["group"]] > arguments.limit // 2:
                    continue
                given = await answer(engine, file, case["ask"], budget, temperature)
                results[case["group"], budget].append(given == case["answer"])
                if given != case["answer"]:
                    print(
                        f"{case['file']} at {budget}: {case['answer']!r}, got {given!r}", flush=True
                    )
        await engine.close()
    return results


def main() -> None:
    """Prints the share of exactly right answers per group and budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("testset", type=Path)
    parser.add_argument("--model", type=Path, default=HERE.parent / "tiny")
    parser.add_argument("--default-sampling", action="store_true")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    results = asyncio.run(measure(parser.parse_args()))
    print(f"\n{'group':26} {'budget':>6} {'cases':>6} {'right':>8}")
    for (group, budget), values in results.items():
        share = 100 * sum(values) / len(values)
        print(f"{group:26} {budget or '':>6} {len(values):>6} {share:7.1f} %")


if __name__ == "__main__":
    main()
