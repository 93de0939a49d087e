"""Auto budgets: by what is in a picture, and by what is left of the context."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from gemma_tui.preprocessing.budget import TOKEN_BUDGETS, affordable_budget, image_tokens
from gemma_tui.preprocessing.suggestion import suggest_budget


def page(
    width: int,
    height: int,
    size: int,
    filled: float = 1.0,
    colours: tuple[str, str] = ("white", "black"),
) -> Image.Image:
    """Lines of letters from the top down to some part of the page."""
    picture = Image.new("RGB", (width, height), colours[0])
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    rng = np.random.default_rng(1)
    for y in range(height // 20, int(height * 0.95 * filled), int(size * 1.4)):
        line = "".join(rng.choice(list("etaoin shrdlu cmfwyp ,."), size=int(width * 1.8 / size)))
        draw.text((width // 20, y), line, fill=colours[1], font=font)
    return picture


def scene(width: int, height: int, noise: float = 6.0) -> Image.Image:
    """Shades, leaves and grain, as in a photograph out of doors."""
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 255, (height // 40 + 2, width // 40 + 2, 3), dtype=np.uint8)
    fine = rng.integers(60, 190, (height // 3, width // 3, 3), dtype=np.uint8)
    values = np.asarray(Image.fromarray(coarse).resize((width, height), 3), np.float64)
    values = values + 0.5 * (np.asarray(Image.fromarray(fine).resize((width, height), 3)) - 125.0)
    grain = rng.normal(0, noise, values.shape)
    return Image.fromarray(np.clip(values + grain, 0, 255).astype(np.uint8))


def sign(picture: Image.Image) -> Image.Image:
    ImageDraw.Draw(picture).text((200, 300), "STOP", "white", font=ImageFont.load_default(160))
    return picture


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (page(1240, 1754, 23), (1120, "dense text")),
        (page(1240, 1754, 14), (1120, "dense text")),
        (page(2480, 3508, 46), (1120, "dense text")),
        (page(1600, 1000, 15, colours=("#111", "#ddd")), (1120, "dense text")),
        (page(2000, 2600, 30).filter(ImageFilter.GaussianBlur(1.2)), (1120, "dense text")),
        (page(800, 600, 13, filled=0.3), (560, "some text")),
        (scene(1024, 768), (280, "no small text")),
        (scene(1024, 768, noise=25), (280, "no small text")),
        (scene(4032, 3024), (280, "no small text")),
        (sign(scene(1200, 900)), (280, "no small text")),
        (Image.new("RGB", (1000, 800), "red"), (280, "no small text")),
        (Image.new("RGB", (64, 64)), (70, "few pixels")),
        (page(1240, 1754, 23).resize((180, 250)), (70, "few pixels")),
        (page(400, 300, 12), (280, "dense text")),  # more would only make its pixels larger
        (Image.new("RGB", (1, 5000)), (70, "few pixels")),
        (Image.new("RGB", (20_000, 10)), (280, "no small text")),
    ],
)
def test_a_budget_by_what_is_in_the_picture(
    picture: Image.Image, expected: tuple[int, str]
) -> None:
    assert suggest_budget(picture) == expected


def test_a_budget_by_what_is_left() -> None:
    for room in range(0, 1200, 7):
        budget = affordable_budget(1024, 768, 1120, room)
        assert budget in TOKEN_BUDGETS
        assert budget == 70 or image_tokens(1024, 768, budget) <= room
    assert affordable_budget(1024, 768, 1120, 1064) == 1120
    assert affordable_budget(1024, 768, 1120, 1063) == 560
    assert affordable_budget(1024, 768, 140, 10_000) == 140
