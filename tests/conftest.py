"""Fixtures every test may use."""

from __future__ import annotations

import os
import signal
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from gemma_tui.paths import Paths, builtin_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The models of whoever runs the tests are nothing to them: a cache that is not there.
os.environ["HF_HOME"] = os.path.join(tempfile.gettempdir(), "gemma-tui-tests", "no-cache")  # noqa: PTH118
for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
    os.environ.pop(name, None)

# A deadline would make a slow machine fail a test; few examples keep the suite quick.
settings.register_profile("untimed", deadline=None, max_examples=40)
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def obeyed_signals() -> Iterator[None]:
    """In the background a shell ignores Ctrl-C, and nohup a closed terminal: children inherit that."""
    before = {
        number: signal.signal(number, obeyed)
        for number, obeyed in (
            (signal.SIGINT, signal.default_int_handler),
            (signal.SIGHUP, signal.SIG_DFL),
        )
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """An installation of its own, empty, for one test."""
    return Paths(
        data=tmp_path / "data",
        logs=tmp_path / "logs",
        cache=tmp_path / "cache",
        config=tmp_path / "config",
    )


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """The folder of the built-in model."""
    return builtin_model()
