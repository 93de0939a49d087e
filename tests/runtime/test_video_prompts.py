"""Prompts with videos are what the reference's processor makes of its templates' marker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Message,
    MessageState,
    Segment,
    TextPart,
)
from gemma_tui.generation import GenerationRequest, Media
from gemma_tui.runtime.prompt import PromptFlavour, PromptRenderer, prompt_pieces
from gemma_tui.turn import to_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenizers import Tokenizer as Backend

    from gemma_tui.conversation import Part
    from gemma_tui.runtime.tokenizer import Tokenizer

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "golden" / "video_prompts.json").read_text("utf-8")
)
cases = pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
flavours = pytest.mark.parametrize("flavour", PromptFlavour, ids=lambda flavour: flavour.value)


def video(number: int, known: dict[str, Any]) -> Attachment:
    times = [int(1000 * index / known["fps"]) for index in known["indices"]]
    frames = tuple(Segment("image", time) for time in times)
    sha256 = f"{number:064x}"
    return Attachment(sha256, "image", "v", "video/mp4", 1, 96, 96, 1, 70, segments=frames)


def request_of(case: dict[str, Any]) -> GenerationRequest:
    videos = iter(case["videos"])
    parts: tuple[Part, ...] = tuple(
        TextPart(item["text"])
        if item["type"] == "text"
        else AttachmentPart(video(place, next(videos)))
        for place, item in enumerate(case["content"])
    )
    asked = Message(1, 1, None, "user", parts, MessageState.COMPLETE, 0.0)
    return GenerationRequest(to_prompt([asked], Path))


def counts_of(case: dict[str, Any]) -> list[int]:
    return [known["tokens"] for known in case["videos"] for _ in known["indices"]]


@cases
@flavours
def test_text_is_byte_for_byte_that_of_the_reference(
    case: dict[str, Any], flavour: PromptFlavour
) -> None:
    counts = iter(counts_of(case))

    def spelled() -> Iterator[str]:
        for piece in prompt_pieces(request_of(case), flavour):
            if isinstance(piece, Media):
                yield f"<|image>{'<|video|>' * next(counts)}<image|>"
            else:
                yield str(piece)

    assert "".join(spelled()) == case[flavour.value]


@cases
@flavours
def test_ids_are_those_of_that_text(
    tokenizer: Tokenizer, reference: Backend, case: dict[str, Any], flavour: PromptFlavour
) -> None:
    prompt = PromptRenderer(tokenizer, flavour).render(request_of(case), counts_of(case))
    assert list(prompt.ids) == reference.encode(case[flavour.value]).ids
    assert [span.stop - span.start for span in prompt.spans] == counts_of(case)
