"""Estimates of memory against measured peaks: `python -m tests.bench.memory [CONTEXT...]`.

For the built-in model and a random checkpoint of each size, as it runs on this machine.
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gemma_tui.paths import builtin_model
from tests.golden import sizes
from tests.runtime.peaks import measure
from tests.runtime.test_sizes import model_folder

CONTEXTS = (2048, 4096, 8000)


def main(arguments: list[str]) -> None:
    """Print a row for each model and context."""
    contexts = [int(text) for text in arguments] or CONTEXTS
    builtin = builtin_model()
    sys.stdout.write("model      context   measured  estimated   ratio\n")
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(1) as pool:
        for name in ("built-in", *sizes.CONFIGS):
            own = Path(scratch) / name
            folder = builtin if name == "built-in" else model_folder(name, own, builtin)
            for context in contexts:
                peak = measure(folder, context, pool)
                megabytes = peak.measured_bytes / 1e6, peak.estimated_bytes / 1e6
                sys.stdout.write(
                    f"{name:9}{peak.context_tokens:9,}"
                    f"{megabytes[0]:8.1f} MB{megabytes[1]:8.1f} MB{peak.ratio:8.2f}\n"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
