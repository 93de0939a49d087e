"""Which token budget a picture deserves, by what is in it.

Small text costs tokens: a patch of 16 pixels has to show it. A scene does not. So what looks like
written lines is counted: small blocks that are mostly one shade and cross to another one sharply,
again and again. Nothing is recognised; the user sees the reason and can choose otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from gemma_tui.preprocessing.budget import TOKEN_BUDGETS, check_budget

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST: Final = 1536
"""Pixels of the longer side that are looked at: what is finer, the largest budget loses too."""

_BLOCK: Final = 16
_SHARP: Final = 64
"""Levels between two neighbours from which on they are an edge."""
_CROSSINGS: Final = 10
"""Edges in a block of 16 x 16 that has letters in it."""
_PLAIN: Final = 0.4
"""Part of such a block that is close to its paper, the commonest shade."""
_NEAR: Final = 24

_PAGE: Final = 0.25
_SOME: Final = 0.06
"""Parts of all blocks that look written: a page or a table; a sign, a caption, a screenshot."""

_SQUARE: Final = 48 * 48
"""Pixels that a soft token shows at their own size."""


def suggest_budget(flat: Image.Image) -> tuple[int, str]:
    """A token budget for a picture, and why, in two or three words.

    Args:
        flat: Mode RGB or L, upright.
    """
    own = flat.width * flat.height / _SQUARE
    if own <= TOKEN_BUDGETS[0] / 2:
        return check_budget(70), "few pixels"
    written = _written_share(flat)
    if written >= _PAGE:
        return _at_most(1120, own), "dense text"
    if written >= _SOME:
        return _at_most(560, own), "some text"
    return _at_most(280, own), "no small text"


def _at_most(wanted: int, own: float) -> int:
    """The budget wanted, or a smaller one that shows every pixel twice as large."""
    return next((b for b in TOKEN_BUDGETS if b >= min(wanted, 4 * own)), wanted)


def _written_share(flat: Image.Image) -> float:
    """Part of all blocks that look written, 0 to 1."""
    scale = min(1.0, _LONGEST / max(flat.size))
    size = max(1, round(flat.width * scale)), max(1, round(flat.height * scale))
    grey = np.asarray(flat.resize(size, Image.Resampling.BOX).convert("L"), np.int16)
    rows, columns = grey.shape[0] // _BLOCK, grey.shape[1] // _BLOCK
    if not rows * columns:
        return 0.0
    blocks = grey[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    each = blocks.transpose(0, 2, 1, 3).reshape(rows * columns, _BLOCK, _BLOCK)
    crossings = (np.abs(np.diff(each, axis=2)) >= _SHARP).sum(axis=(1, 2))
    is_written = (crossings >= _CROSSINGS) & (_plain_share(each) >= _PLAIN)
    return float(is_written.mean())


def _plain_share(blocks: NDArray[np.int16]) -> NDArray[np.float64]:
    """[blocks] part of each block's pixels that is close to its lightest or its darkest shade."""
    flat = blocks.reshape(len(blocks), -1)
    low, high = flat.min(axis=1, keepdims=True), flat.max(axis=1, keepdims=True)
    dark, light = (flat - low <= _NEAR).mean(axis=1), (high - flat <= _NEAR).mean(axis=1)
    found: NDArray[np.float64] = np.maximum(dark, light)
    return found
