"""Prints the ratios of the runtime to others, side by side in one run.

    python -m tests.bench.runtime [--runs N] [--part PART] [--mlx-vlm PYTHON] [--reference PYTHON]

`--mlx-vlm` is the interpreter of a venv with mlx-vlm, `--reference` one with transformers and torch;
without them their rows are left out. By hand, on an idle machine: the sides take turns, and a ratio
is the median over the pairs, so that what else the machine does hits both. Above 1 the product is
the faster one, or takes less. On a Linux CPU, `LD_PRELOAD=libopenblas.so.0` makes products of
matrices quick enough to look at the rest; all sides inherit it.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from gemma_tui.conversation import MediaKind, TextPart
from gemma_tui.generation import GenerationRequest, Media, PromptMessage
from gemma_tui.runtime import compiled_kernels
from gemma_tui.runtime.decoder_process import ENVIRONMENT
from gemma_tui.runtime.prompt import PromptFlavour, PromptRenderer
from gemma_tui.runtime.tokenizer import Tokenizer
from tests.bench.runtime.inputs import endless_copy, larger_checkpoint, picture, question, sound
from tests.bench.runtime.sides import Child, WholePath

PARTS = ("preprocessing", "picture", "text")
PROMPT_WORDS, REPLY_TOKENS = 160, 96
BUDGET, LARGEST_BUDGET = 280, 1120
CACHE = "cache"
"""Folder beside the models."""


@dataclass
class Ratio:
    """One row of the table: pairs of measurements, the other side's first; 0 is no bar."""

    name: str
    bar: float
    unit: str = "ms"
    pairs: list[tuple[float, float]] = field(default_factory=list)

    def line(self) -> str:
        """The row."""
        other, own = (statistics.median(side) for side in zip(*self.pairs, strict=True))
        ratios = sorted(other / own for other, own in self.pairs)
        middle = statistics.median(ratios)
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        met = "ok" if middle >= self.bar else "MISSED"
        bar = f"bar {self.bar:.2f}x {met}" if self.bar else ""
        return (
            f"{self.name:<52} {own:9.2f} {other:9.2f} {self.unit:<3}"
            f" {middle:6.2f}x ({spread}) {bar}"
        ).rstrip()


class Table:
    """Rows in the order in which they were first measured."""

    def __init__(self) -> None:
        self._rows: dict[str, Ratio] = {}

    def add(self, name: str, bar: float, other: dict[str, float], own: dict[str, float]) -> None:
        """A pair of measurements in seconds, wall and processor time."""
        for kind in ("wall", "cpu"):
            if min(other[kind], own[kind]) > 0:  # the system counts processor time in 10 ms
                self.add_pair(f"{name}, {kind}", bar, (1e3 * other[kind], 1e3 * own[kind]), "ms")

    def add_pair(self, name: str, bar: float, pair: tuple[float, float], unit: str) -> None:
        """A pair of anything."""
        self._rows.setdefault(name, Ratio(name, bar, unit)).pairs.append(pair)

    def show(self) -> None:
        """Print the rows that are complete, and forget them."""
        if not self._rows:
            return
        head = f"{'':<52} {'product':>9} {'other':>9}"
        sys.stdout.write("\n".join([head, *(row.line() for row in self._rows.values())]) + "\n")
        sys.stdout.flush()
        self._rows.clear()


def ids_of(folder: Path, text: str, image_tokens: int = 0) -> list[int]:
    """The prompt of a question, for the sides that take ids."""
    kind: MediaKind = "image"
    media = (Media(kind, "", "", ""),) if image_tokens else ()
    request = GenerationRequest((PromptMessage("user", (*media, TextPart(text))),))
    renderer = PromptRenderer(Tokenizer.load(folder / "tokenizer.json"), PromptFlavour.OPEN)
    return list(renderer.render(request, [image_tokens] if image_tokens else []).ids)


async def compare_text(
    table: Table, name: str, folder: Path, others: dict[str, Child], runs: int
) -> None:
    """First token and decoding of a prompt of text."""
    with tempfile.TemporaryDirectory() as home:
        async with WholePath(Path(home), folder, folder.parent / CACHE) as product:
            for run in range(-1, runs):  # the first one warms the sides up
                for place, (other, child) in enumerate(others.items()):
                    text = question((run + 2) * len(others) + place, PROMPT_WORDS)
                    ids = ids_of(folder, text)
                    theirs = child.ask("generate", ids=ids, count=REPLY_TOKENS)
                    own = await product.generate(text, REPLY_TOKENS)
                    assert own["prompt"] == len(ids), "the sides were asked the same"
                    if run < 0:
                        continue
                    bar = 0.97 if other == "mlx-lm" else 1.0
                    table.add(f"{name}: first token, {other}", 1.0, theirs["first"], own["first"])
                    table.add(f"{name}: decode, {other}", bar, theirs["step"], own["step"])


async def compare_picture(table: Table, folder: Path, child: Child, image: Path, runs: int) -> None:
    """Memory and first token of a picture at the largest budget; 1600 x 1200 takes 1,064 tokens."""
    tokens = 1064
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as home:
            async with WholePath(Path(home), folder, folder.parent / CACHE) as product:
                own = await product.generate("What is it?", 8, [image], LARGEST_BUDGET)
        ids = ids_of(folder, "What is it?", tokens)
        assert own["prompt"] == len(ids), "the sides were asked the same"
        theirs = child.ask("generate", ids=ids, count=8, image=str(image), budget=LARGEST_BUDGET)
        name = f"picture of {tokens} tokens"
        table.add_pair(f"{name}: peak memory", 3.0, (theirs["peak"] / 1e6, own["peak"] / 1e6), "MB")
        table.add(f"{name}: first token", 1.0, theirs["first"], own["first"])


def compare_preprocessing(
    table: Table, reference: Child, product: Child, media: list[Path], runs: int
) -> None:
    """What processors do, with a bar; and the way from a file, where the product's is a decoder process."""
    image, clip = (str(path) for path in media)
    for _ in range(runs):
        for do, name, bar in (("pixels", "pixels", 2.0), ("image", "picture in a file", 0.0)):
            for budget in (BUDGET, LARGEST_BUDGET):
                asked = {"path": image, "budget": budget, "count": 10}
                theirs, own = (side.ask(do, **asked) for side in (reference, product))
                table.add(f"{name} to features, budget {budget}", bar, theirs, own)
        for do, name, bar in (
            ("samples", "30 s of samples", 2.0),
            ("sound", "30 s in a file", 0.0),
        ):
            theirs, own = (side.ask(do, path=clip, count=10) for side in (reference, product))
            table.add(f"{name} to features", bar, theirs, own)


async def measure(arguments: argparse.Namespace, table: Table, folder: Path) -> None:
    """The wanted parts, as far as the given interpreters allow."""
    models = {
        "built-in": endless_copy(folder / "built-in"),
        "larger": larger_checkpoint(folder / "larger"),
    }
    media = [picture(folder), sound(folder)]
    with ExitStack() as stack:

        def child(
            python: str, module: str, *more: str, environment: dict[str, str] | None = None
        ) -> Child:
            made = Child(python, module, *more, environment=environment or {})
            stack.callback(made.close)
            return made

        if "preprocessing" in arguments.part and arguments.reference:
            reference = child(arguments.reference, "serve_reference")
            product = child(sys.executable, "serve_preprocessing", environment=ENVIRONMENT)
            compare_preprocessing(table, reference, product, media, arguments.runs)
            table.show()
        if "picture" in arguments.part and arguments.mlx_vlm:
            larger = models["larger"]
            vlm = child(arguments.mlx_vlm, "serve_mlx_vlm", str(larger))
            await compare_picture(table, larger, vlm, media[0], arguments.runs)
            table.show()
        for name, model in models.items():
            if "text" not in arguments.part:
                break
            others = {"mlx-lm": child(sys.executable, "serve_mlx_lm", str(model))}
            if arguments.mlx_vlm:
                others["mlx-vlm"] = child(arguments.mlx_vlm, "serve_mlx_vlm", str(model))
            await compare_text(table, name, model, others, arguments.runs)
            table.show()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.runtime")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS, help="only these")
    parser.add_argument("--mlx-vlm", metavar="PYTHON", help="interpreter with mlx-vlm")
    parser.add_argument(
        "--reference", metavar="PYTHON", help="interpreter with transformers, torch"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # As for anyone who has used the program for a minute; mlx-lm compiles at its first step.
        kernels = str(Path(folder) / CACHE / "kernels")
        subprocess.run([sys.executable, "-m", compiled_kernels.__name__, kernels], check=True)
        asyncio.run(measure(arguments, Table(), Path(folder)))


if __name__ == "__main__":
    main()
