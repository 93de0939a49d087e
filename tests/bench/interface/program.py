"""The real program with another engine: `python -m tests.bench.interface.program ARGUMENT…`.

Everything is the program's own but the module that runs as the engine process, which `ENGINE` names.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from gemma_tui.engine import process

if TYPE_CHECKING:
    from pathlib import Path

ENGINE: Final = "ENGINE_OF_THE_BENCH"
"""Environment variable with the name of the module."""


def paced_command(log_path: Path, cache: Path | None = None) -> tuple[str, ...]:
    """The command of that engine, which keeps nothing on disk."""
    del cache
    return (sys.executable, "-P", "-m", os.environ[ENGINE], "--log", str(log_path))


if __name__ == "__main__":
    process.worker_command = paced_command  # before anything takes it from there
    from gemma_tui.cli.main import main

    main()
