"""MLX's compiled kernels on a CPU: made once, in the background, used from the next start on.

For a GPU, MLX compiles within milliseconds, and nothing here is needed. On a CPU it has g++ make a
library of each kernel, a second each, and loads it from the temporary folder that all users share.
So an engine does without until a process of its own has had them made, in a folder of the user's.

`python -m gemma_tui.runtime.compiled_kernels FOLDER` makes them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Final

import mlx.core as mx

from gemma_tui.network import install_guard
from gemma_tui.paths import builtin_model
from gemma_tui.runtime.gemma4.layers import on_cpu

COMPILER: Final = "g++"
"""What MLX calls."""

IDLE_SECONDS: Final = 60.0
"""After the start; until then somebody waits for the first answers, on the same cores."""

_MAX_SECONDS: Final = 180
"""For all of them; on two cores it takes 5."""


class CompiledKernels:
    """The kernels of this installation of MLX.

    Args:
        folder: Made if needed. Libraries in it are loaded, so only the user may write to it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # MLX names them after its version, but keeps no list: this file says that all are there.
        self._mark = folder / f"complete-{version('mlx')}"

    def use(self) -> bool:
        """Have MLX use them, in all of this process, if it costs nothing now; whether it does."""
        if not (on_cpu() and self._mark.exists() and shutil.which(COMPILER)):
            return False
        os.environ["TMPDIR"] = str(self._folder)
        return True

    def make(self) -> None:
        """Have all of them made that the built-in model needs; takes seconds.

        Raises:
            OSError: The folder cannot be written.
        """
        from gemma_tui.runtime.loader import load_model  # noqa: PLC0415  # knows of kernels itself

        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["TMPDIR"] = str(self._folder)
        loaded = load_model(builtin_model(), lambda *_: None, compiles=True)
        model, cache = loaded.model, loaded.model.make_cache()
        for ids in ([[loaded.config.tokens.bos] * 8], [[loaded.config.tokens.bos]]):
            mx.eval(model(mx.array(ids), cache=cache))
        self._mark.touch(mode=0o600)

    def make_later(self, seconds: float = IDLE_SECONDS) -> threading.Timer | None:
        """Have another process make them when the start is over, if they are missing and can be."""
        if not on_cpu() or self._mark.exists() or not shutil.which(COMPILER):
            return None
        timer = threading.Timer(seconds, self._start)
        timer.daemon = True
        timer.start()
        return timer

    def _start(self) -> None:
        subprocess.Popen(  # noqa: S603  # our own module; it ends by itself
            [sys.executable, "-m", "gemma_tui.runtime.compiled_kernels", str(self._folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def main() -> None:
    """Make them, on what other processes leave of the processor."""
    install_guard()
    signal.alarm(_MAX_SECONDS)
    os.umask(0o077)
    os.nice(19)
    CompiledKernels(Path(sys.argv[1])).make()


if __name__ == "__main__":
    main()
