"""The real program with another engine process: `python -m tests.scripted_program ARGUMENT…`.

Everything is the program's own, from its command line to its driver; only the engine it starts says
what the file named by `SCRIPT` holds (see `tests.scripted_worker`).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from gemma_tui.engine import process

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT: Final = "SCRIPT_OF_THE_ENGINE"
"""Environment variable with the path of the script."""


def scripted_command(log_path: Path, cache: Path | None = None) -> tuple[str, ...]:
    """The command of the scripted engine."""
    del log_path, cache
    return (sys.executable, "-P", "-m", "tests.scripted_worker", os.environ[SCRIPT])


if __name__ == "__main__":
    process.worker_command = scripted_command  # before anything takes it from there
    from gemma_tui.cli.main import main

    main()
