"""Budgets and parts of pictures, with the built-in model in a real engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from gemma_tui.conversation import TextPart
from gemma_tui.engine.media_requests import Crop
from gemma_tui.errors import DamagedFileError, NotAFileError
from gemma_tui.generation import GenerationRequest, PromptMessage
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.region import grid_field
from tests.engine.scenes import collect, finish_of, picture, png, text_of

if TYPE_CHECKING:
    from gemma_tui.engine.client import EngineClient
    from gemma_tui.generation import Finished, Media, PromptPart

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
OPTIONS = GenerationOptions(SamplingOptions(temperature=0.0), max_tokens=16)


def user(*parts: PromptPart | str) -> PromptMessage:
    return PromptMessage(
        "user", tuple(TextPart(part) if isinstance(part, str) else part for part in parts)
    )


async def answer(engine: EngineClient, *messages: PromptMessage) -> tuple[str, Finished]:
    events = await collect(engine.generate(GenerationRequest(messages, options=OPTIONS)))
    return text_of(events), finish_of(events)


def at(media: Media, budget: int) -> Media:
    return replace(media, token_budget=budget)


async def test_another_budget_costs_only_what_follows_the_picture(
    engine: EngineClient, tmp_path: Path
) -> None:
    red, blue = png(tmp_path / "red.png", (255, 0, 0)), png(tmp_path / "blue.png", (0, 0, 255))
    first = user(at(red, 70), "Which colour is this, before the other one?")
    said, end = await answer(engine, first)
    so_far = (first, PromptMessage("model", (TextPart(said),)))
    for budget in (70, 140, 280):
        _, later = await answer(engine, *so_far, user(at(blue, budget), "And this?"))
        # the first turn and its picture are not read again, whatever the second one costs
        assert later.usage.cached_tokens >= end.usage.prompt_tokens
        read = later.usage.prompt_tokens - later.usage.cached_tokens
        assert budget * 0.8 < read < budget + 30
    _, again = await answer(engine, *so_far, user(at(blue, 140), "And this?"))
    assert again.usage.prompt_tokens - again.usage.cached_tokens < 30
    _, other = await answer(engine, user(at(red, 140), "Which colour is this?"))
    assert other.usage.cached_tokens < 10  # another budget of the first picture is another prompt


async def test_a_part_is_a_picture_of_its_own(engine: EngineClient, tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "blue-star.png") as star:
        whole = Image.new("RGB", (3 * star.width, 3 * star.height), "white")
        whole.paste(star.convert("RGB"), (2 * star.width, 2 * star.height))
    whole.save(tmp_path / "a.png")
    part = tmp_path / "part.png"
    asked = Crop(str(tmp_path / "a.png"), "a.png", grid_field(9).parts, str(part))
    info = await engine.crop(asked)
    assert (info.kind, info.width, info.height) == ("image", 320, 200)
    said, _ = await answer(engine, user(picture(part), "What is in this image?"))
    assert "star" in said.lower()


async def test_what_cannot_be_cut_is_a_sentence(engine: EngineClient, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 rubbish")  # as above
    target = str(tmp_path / "part.png")
    with pytest.raises(DamagedFileError, match=r"“a\.jpg”"):
        await engine.crop(Crop(str(tmp_path / "a.jpg"), "a.jpg", (0, 0, 1, 1), target))
    with pytest.raises(NotAFileError):
        await engine.crop(Crop(str(tmp_path / "b.jpg"), "b.jpg", (0, 0, 1, 1), target))
