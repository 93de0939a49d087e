"""Fixtures every test may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gemma_tui.paths import Paths, builtin_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """An installation of its own, empty, for one test."""
    return Paths(data=tmp_path / "data", logs=tmp_path / "logs")


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """The folder of the built-in model."""
    return builtin_model()
