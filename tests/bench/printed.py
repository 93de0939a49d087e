"""Pictures of what commands print, by hand: `python -m tests.bench.printed`.

The real commands in a home of their own, written below `assets/snapshots/`. Needs `rsvg-convert`.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from rich.console import Console
from rich.text import Text

FOLDER: Final = Path(__file__).parents[2] / "assets" / "snapshots"
COMMANDS: Final = {
    "bench": ("bench", "built-in"),
    "doctor": ("doctor",),
    "models-info": ("models", "info", "12b-4bit"),
    "models-list": ("models", "list"),
}
WIDTH: Final = 100
COLOURS: Final = 48


def picture(printed: str, command: str) -> bytes:
    """A PNG of a terminal in which a command has printed something."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"))
    for line in printed.rstrip("\n").splitlines():
        # Spaces in front are a run of their own: the converter leaves out those that begin one.
        indent = len(line) - len(line.lstrip())
        console.print(Text.assemble((line[:indent], "dim"), line[indent:]))
    svg = console.export_svg(title="gemma-tui")
    done = subprocess.run(
        ["rsvg-convert", "--width", "1220"], input=svg.encode(), capture_output=True, check=True
    )
    small = io.BytesIO()
    with Image.open(io.BytesIO(done.stdout)) as image:
        image.convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def main(names: list[str]) -> None:
    """Write the pictures of all commands, or of those that are named."""
    with tempfile.TemporaryDirectory() as home:
        environ = os.environ | {"GEMMA_TUI_HOME": home, "HF_HUB_CACHE": f"{home}/hub"}
        for name, arguments in COMMANDS.items():
            if names and name not in names:
                continue
            command = [sys.executable, "-m", "gemma_tui", *arguments]
            run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
            printed = (run.stdout + run.stderr).replace(home, "~")
            path = FOLDER / f"printed-{name}.png"
            path.write_bytes(picture(printed, f"gemma-tui {' '.join(arguments)}"))
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
