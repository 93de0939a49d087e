"""Sampling defaults as a checkpoint gives them."""

from __future__ import annotations

from typing import Any

import pytest

from gemma_tui.errors import ModelError
from gemma_tui.options import GEMMA_SAMPLING, SamplingOptions
from gemma_tui.paths import builtin_model
from gemma_tui.runtime.gemma4.json_fields import Fields
from gemma_tui.runtime.generation_config import sampling_defaults
from gemma_tui.runtime.loader import load_model


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, GEMMA_SAMPLING),
        ({"temperature": 0.3}, SamplingOptions(0.3, 64, 0.95)),
        ({"top_k": 0, "top_p": 1}, SamplingOptions(1.0, 0, 1.0)),
        ({"do_sample": True, "temperature": 2, "top_k": None}, SamplingOptions(2.0, 64, 0.95)),
        ({"do_sample": False, "temperature": 0.7}, SamplingOptions(0.0, 64, 0.95)),
    ],
)
def test_what_the_file_says(content: dict[str, Any], expected: SamplingOptions) -> None:
    assert sampling_defaults(Fields(content, "generation_config.json")) == expected


@pytest.mark.parametrize(
    "content",
    [{"temperature": -1}, {"temperature": "hot"}, {"top_k": -2}, {"top_p": 0}, {"do_sample": 1}],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"generation_config\.json") as caught:
        sampling_defaults(Fields(content, "generation_config.json"))
    assert caught.value.hint


def test_a_loaded_model_tells_its_own() -> None:
    info = load_model(builtin_model(), lambda *_: None).info
    assert info.sampling == info.sampling.filled()
