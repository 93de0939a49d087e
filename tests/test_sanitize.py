"""What `sanitize` lets through, and what it must not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.sanitize import sanitize, sanitize_line

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))

BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ALLOWED_FORMAT = set("\u200c\u200d")


@given(ANY_TEXT)
def test_nothing_that_acts_or_hides_survives(text: str) -> None:
    for character in sanitize(text):
        category = unicodedata.category(character)
        assert category not in {"Cs", "Zl", "Zp"}, hex(ord(character))
        assert category != "Cc" or character in "\n\t", hex(ord(character))
        assert character not in BIDI
        assert not 0xE0000 <= ord(character) <= 0xE0FFF


def test_every_code_point_at_once() -> None:
    every = sanitize("".join(map(chr, range(0x110000))))
    kept_controls = {c for c in every if unicodedata.category(c) == "Cc"}
    assert kept_controls == {"\n", "\t"}
    hidden = {c for c in every if unicodedata.category(c) == "Cf"}
    # Arabic and Kaithi number signs and Egyptian format controls draw or join glyphs.
    visible = {
        chr(code)
        for code in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)
    }
    joiners = {chr(code) for code in range(0x13430, 0x13440)}
    assert hidden - visible - joiners == ALLOWED_FORMAT


@given(ANY_TEXT, ANY_TEXT)
def test_stateless(first: str, second: str) -> None:
    assert sanitize(first) + sanitize(second) == sanitize(first + second)


@given(ANY_TEXT)
def test_length_and_idempotence(text: str) -> None:
    once = sanitize(text)
    assert len(once) == len(text)
    assert sanitize(once) == once
    once.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;AAAA\x07", "␛]52;c;AAAA␇"),
        ("\x9b31m", "\ufffd31m"),
        ("gnp.\u202eexe", "gnp.\ufffdexe"),
        ("a\rb\x7f\x00", "a␍b␡␀"),
        ("pay\u200bpal", "pay\ufffdpal"),
        ("\ud83d", "\ufffd"),
        ("\U000e0041", "\ufffd"),
    ],
)
def test_attacks_become_visible(text: str, shown: str) -> None:
    assert sanitize(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain\n\ttext",
        "👩‍👩‍👧‍👦 ❤️ 🇩🇪 👍🏽",
        "می‌خواهم",
        "नमस्ते क्‍ष",
        "e\u0301 ก็ שָׁלוֹם",
        "日本語 한국어",
        "\u00a0\u202f",
    ],
)
def test_real_text_stays(text: str) -> None:
    assert sanitize(text) == text


def test_line_has_no_breaks() -> None:
    assert sanitize_line("a\nb\tc\x1b[2J") == "a b c␛[2J"
