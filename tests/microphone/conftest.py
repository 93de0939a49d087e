"""The microphone's real process with another sounddevice in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from gemma_tui.microphone.client import SystemMicrophone

if TYPE_CHECKING:
    from gemma_tui.paths import Paths

DOUBLE = Path(__file__).with_name("double")
DIGITS = Path(__file__).parents[2] / "assets" / "examples" / "three-one-four.wav"


class Plugger(Protocol):
    def __call__(self, **plan: Any) -> SystemMicrophone:
        """A microphone whose devices do what the plan of the double says."""


def command(plan: dict[str, Any]) -> tuple[str, ...]:
    """Runs the worker with the double."""
    code = (
        f"import sys, runpy; sys.path.insert(0, {str(DOUBLE)!r}); import sounddevice;"
        f" sounddevice.plan.update({plan!r});"
        " runpy.run_module('gemma_tui.microphone.worker', run_name='__main__')"
    )
    return (sys.executable, "-P", "-c", code)


@pytest.fixture
def plug(paths: Paths) -> Plugger:
    def make(**plan: Any) -> SystemMicrophone:
        return SystemMicrophone(paths.microphone_log, command(plan))

    return make
