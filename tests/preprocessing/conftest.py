"""What the reference answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@pytest.fixture(scope="session")
def golden() -> Mapping[str, NDArray[Any]]:
    """The arrays of `tests/golden/preprocessing.npz`."""
    with np.load(Path(__file__).parents[1] / "golden" / "preprocessing.npz") as stored:
        return dict(stored)
