"""What a setting can be, and how it is written by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.errors import SettingsError
from gemma_tui.options import GenerationOptions
from gemma_tui.settings.schema import SCHEMA, Settings
from gemma_tui.settings.sections import SECTIONS

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


def test_untouched_settings_are_the_options_of_the_program() -> None:
    assert Settings().options == GenerationOptions()


@pytest.mark.parametrize("key", SCHEMA)
def test_every_setting_says_what_a_person_needs(key: str) -> None:
    setting = SCHEMA[key]
    assert setting.about.section in SECTIONS
    assert setting.about.label
    assert setting.about.help.endswith((".", ")"))
    assert setting.check(setting.default) == setting.default
    assert setting.words(setting.default)
    if setting.is_optional:
        assert setting.words(None) == setting.about.unset != ""
    if setting.kind in {"integer", "number"}:
        assert setting.about.minimum is not None
        assert setting.about.maximum is not None


@pytest.mark.parametrize("key", SCHEMA)
@given(raw=JSON_VALUES)
def test_a_value_is_right_or_refused_with_its_key(key: str, raw: object) -> None:
    setting = SCHEMA[key]
    try:
        value = setting.check(raw)
    except SettingsError as error:
        assert key in error.message  # noqa: PT017  # either is right
        assert len(error.message) < 250  # noqa: PT017
    else:
        assert setting.check(value) == value
        if isinstance(value, float):
            assert math.isfinite(value)


@pytest.mark.parametrize(
    ("key", "word", "value"),
    [
        ("thinking", "Yes", True),
        ("thinking", "0", False),
        ("temperature", "0.5", 0.5),
        ("temperature", "", None),
        ("top_k", " 20 ", 20),
        ("token_budget", "560", 560),
        ("overflow", "drop_oldest", "drop_oldest"),
        ("known_models", "/a:/b", ("/a", "/b")),
        ("system_prompt", " as it is ", " as it is "),
        ("model_library", " /models ", "/models"),
    ],
)
def test_a_value_written_by_hand(key: str, word: str, value: object) -> None:
    assert SCHEMA[key].parse(word) == value


@pytest.mark.parametrize(
    ("key", "word", "reason"),
    [
        ("temperature", "hot", "a number from 0 to 10"),
        ("temperature", "-1", "a number from 0 to 10"),
        ("temperature", "nan", "a number from 0 to 10"),
        ("top_p", "0", "above 0 and at most 1"),
        ("top_k", "2.5", "a whole number"),
        ("max_tokens", "", "a whole number of 1 or more"),
        ("token_budget", "300", "70, 140, 280, 560 or 1120"),
        ("thinking", "perhaps", "true or false"),
    ],
)
def test_what_it_cannot_be_is_said(key: str, word: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        SCHEMA[key].parse(word)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("max_tokens", 512, "512 tokens"),
        ("temperature", 0.5, "0.5"),
        ("thinking", True, "on"),
        ("overflow", "drop_oldest", "leave out the oldest turns"),
        ("model", "", "built-in demo"),
    ],
)
def test_a_value_in_words(key: str, value: object, words: str) -> None:
    setting = SCHEMA[key]
    assert setting.words(setting.check(value)) == words
