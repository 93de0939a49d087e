"""The program itself: its version, its libraries, its machine, its settings."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from gemma_tui import __version__
from gemma_tui.doctor.finding import Finding, State
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable

LIBRARIES: Final = ("textual", "mlx", "mlx-lm", "pillow", "av", "sounddevice")


def program() -> Finding:
    """Versions."""
    found = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    python = platform.python_version()
    return Finding("program", State.OK, f"gemma-tui {__version__}, Python {python}; {found}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def machine(system: str = sys.platform, processor: str = "") -> Finding:
    """The system, and whether it is what the program is made for."""
    processor = processor or platform.machine()
    if system == "darwin":
        name = f"macOS {platform.mac_ver()[0]}, {processor}".strip()
        if processor == "arm64":
            return Finding("machine", State.OK, name)
        sentence = f"{name}: MLX needs Apple Silicon."
        return Finding("machine", State.PROBLEM, sentence, "Use a Mac with an M processor.")
    sentence = f"{platform.system()} {platform.release()}, {processor}: computes on the CPU"
    return Finding(
        "machine",
        State.NOTE,
        sentence,
        "Fine for the built-in model; larger ones want a Mac with Apple Silicon.",
    )


def settings(problems: Iterable[str]) -> Finding:
    """What is wrong in the settings file and the environment."""
    found = [sanitize_line(problem) for problem in problems]
    if not found:
        return Finding("settings", State.OK, "can be read")
    return Finding(
        "settings",
        State.PROBLEM,
        " ".join(found),
        "gemma-tui config path says where the file is; until then the default holds.",
    )
