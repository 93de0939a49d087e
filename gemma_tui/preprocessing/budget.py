"""Token arithmetic: what a picture or a sound costs, in soft tokens, from its size alone.

Whole numbers in, whole numbers out. Knows no pixels, no samples and no arrays, so the screen may
use it as well as the engine: both then show and insert the same counts.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

from gemma_tui.errors import BudgetError

TOKEN_BUDGETS = (70, 140, 280, 560, 1120)
"""The budgets Gemma 4 was trained on (`max_soft_tokens` of its image processor)."""

DEFAULT_TOKEN_BUDGET = 280
"""Soft tokens of a picture as long as no model says otherwise (Gemma 4's own default)."""

TokenBudget: TypeAlias = int | Literal["auto"]
"""One of `TOKEN_BUDGETS`, or the one that suits a picture."""

AUTO: Final = "auto"

PATCH_SIZE = 16
"""Pixels along a side of a patch (`patch_size` of the image processor)."""

POOLING = 3
"""Patches along a side of a soft token (`pooling_kernel_size` of the image processor)."""

SAMPLE_RATE = 16_000
"""Samples a second the feature extractor takes (`sampling_rate`)."""

MAX_CLIP_SAMPLES = 480_000
"""30 s: the reference extractor drops what is beyond (`max_length`), this program refuses it."""

MIN_CLIP_SAMPLES = 320
"""20 ms, one analysis frame; half of that already leaves no mel frame at all."""

FRAME_LENGTH = 320
"""Samples of one analysis frame: 20 ms."""

HOP_LENGTH = 160
"""Samples from one analysis frame to the next: 10 ms."""

WAVEFORM_FRAME = 640
"""Samples of a soft token of 12B, which has no audio tower (`audio_samples_per_token`): 40 ms."""

_TOKEN_SIDE = PATCH_SIZE * POOLING


def check_budget(budget: int) -> int:
    """Return `budget` if it is one of `TOKEN_BUDGETS`.

    Raises:
        BudgetError: It is not.
    """
    if budget not in TOKEN_BUDGETS:
        *most, last = TOKEN_BUDGETS
        choices = f"{', '.join(map(str, most))} or {last}"
        raise BudgetError(f"{budget} is not a token budget for a picture.", f"Choose {choices}.")
    return budget


def image_size(width: int, height: int, budget: int) -> tuple[int, int]:
    """Width and height in pixels to which a picture is resized.

    Both are multiples of 48 pixels, the aspect is kept as far as that allows, and the area is the
    largest whose soft tokens do not exceed the budget. A picture more than `budget` times as long
    as it is wide becomes one row or column of `budget` soft tokens.

    The reference (`get_aspect_ratio_preserving_size` of transformers' Gemma 4) computes in doubles,
    and its rounding decides where a side is close to a multiple of 48. So the same operations are
    done here in the same order: exact integer roots would be one step larger now and then.

    Args:
        width: Pixels, at least 1, after the EXIF rotation.
        height: Pixels, at least 1.
        budget: One of `TOKEN_BUDGETS`.

    Raises:
        BudgetError: `budget` is not one of them.
        ValueError: A side is less than 1.
    """
    check_budget(budget)
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width} x {height} pixels has no size")
    factor = math.sqrt(budget * _TOKEN_SIDE**2 / (height * width))
    rows = math.floor(factor * height / _TOKEN_SIDE)
    columns = math.floor(factor * width / _TOKEN_SIDE)
    if rows == 0:
        rows, columns = 1, min(math.floor(width / height), budget)
    elif columns == 0:
        rows, columns = min(math.floor(height / width), budget), 1
    return columns * _TOKEN_SIDE, rows * _TOKEN_SIDE


def image_tokens(width: int, height: int, budget: int) -> int:
    """Soft tokens of a picture of `width` x `height` pixels: at least 1, at most `budget`.

    Raises:
        BudgetError: `budget` is not one of `TOKEN_BUDGETS`.
        ValueError: A side is less than 1.
    """
    new_width, new_height = image_size(width, height, budget)
    return new_width * new_height // _TOKEN_SIDE**2


def affordable_budget(width: int, height: int, wanted: int, room: int) -> int:
    """The largest budget up to `wanted` at which a picture fits into `room` tokens, or the least.

    Args:
        width: Pixels, at least 1, like `height`.
        height: Pixels.
        wanted: One of `TOKEN_BUDGETS`.
        room: Soft tokens that the picture may take.
    """
    fitting = [
        budget
        for budget in TOKEN_BUDGETS
        if budget <= wanted and image_tokens(width, height, budget) <= room
    ]
    return max(fitting, default=TOKEN_BUDGETS[0])


def mel_frames(sample_count: int) -> int:
    """Log-mel frames of a clip of `sample_count` samples at 16 kHz; 0 for less than 161 samples.

    The extractor puts half a frame of silence in front, and a frame counts only if it and the one
    sample after it are inside the clip. Samples beyond 30 s do not count.
    """
    padded = min(sample_count, MAX_CLIP_SAMPLES) + FRAME_LENGTH // 2
    return max(0, (padded - (FRAME_LENGTH + 1)) // HOP_LENGTH + 1)


def audio_tokens(sample_count: int) -> int:
    """Soft tokens of a clip of `sample_count` samples at 16 kHz: 40 ms each, at most 750.

    The audio tower halves the mel frames twice, each time by a convolution of kernel 3, stride 2
    and padding 1, which keeps the odd one: n -> (n + 2 - 3) // 2 + 1.
    """
    length = mel_frames(sample_count)
    for _ in range(2):
        length = (length - 1) // 2 + 1
    return length


def waveform_tokens(sample_count: int) -> int:
    """Soft tokens of a clip of `sample_count` samples at 16 kHz for 12B: 40 ms each, at most 750.

    Its feature extractor fills the last frame up with silence, so the end of a clip counts whole:
    for a quarter of all lengths that is one token more than `audio_tokens`. It does not drop what
    is beyond 30 s, but this program never gives it more.
    """
    return -(-min(sample_count, MAX_CLIP_SAMPLES) // WAVEFORM_FRAME)
