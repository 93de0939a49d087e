"""A little more, a little less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.settings.schema import SCHEMA
from gemma_tui.tui.stepping import stepped

NUMBERS = [key for key, setting in SCHEMA.items() if setting.kind in {"integer", "number"}]


@pytest.mark.parametrize("key", NUMBERS)
@given(steps=st.lists(st.sampled_from([1, -1]), min_size=1, max_size=30))
def test_every_step_is_a_value_of_the_setting(key: str, steps: list[int]) -> None:
    setting = SCHEMA[key]
    value = setting.default
    for step in steps:
        value = stepped(setting, value, step)
        assert setting.check(value) == value


@pytest.mark.parametrize(
    ("key", "value", "step", "after"),
    [
        ("temperature", None, 1, 1.1),
        ("temperature", 0.0, -1, 0.0),
        ("top_k", None, -1, 56),
        ("top_p", 0.05, -1, 0.05),
        ("max_tokens", 4096, 1, 4352),
        ("seed", None, 1, 1),
    ],
)
def test_a_step(key: str, value: float | None, step: int, after: float) -> None:
    assert stepped(SCHEMA[key], value, step) == after
