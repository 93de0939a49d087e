"""Words that two clips share are said once; a speaker's own repetition stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.transcription.seam import MOST_WORDS, join_at_seam


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("four seven two", "two nine", ("four seven two", "nine")),
        ("four seven two", "seven two nine", ("four seven two", "nine")),
        ("Then we went home.", "We went home, and slept.", ("Then we went home.", "and slept.")),
        ("we saw", "it rain", ("we saw", "it rain")),
        ("no no", "no no no", ("no no", "no")),
        ("", "one", ("", "one")),
        ("one", "", ("one", "")),
        # A border cuts a word: what is left of it is dropped where the whole word is at hand.
        ("seven eight thr", "eight three four", ("seven eight", "three four")),
        ("seven eight three", "ven eight three four", ("seven eight three", "four")),
        ("six seven eight thr", "ven eight three four", ("six seven eight", "three four")),
        ("seven eight nine", "eight three four", ("seven eight nine", "eight three four")),
        # One word of several was heard differently: the first hearing stays.
        ("and over there it rains", "over their it rains now", ("and over there it rains", "now")),
        ("over there", "over their house", ("over there", "over their house")),
        ("page thirteen is", "page thirty is", ("page thirteen is", "page thirty is")),
        ("3 13 4", "3 18 4", ("3 13 4", "3 18 4")),
        ("昨日は雨", "は雨でした", ("昨日は雨", "でした")),
        ("...", "... and", ("...", "... and")),
    ],
)
def test_joins(before: str, after: str, joined: tuple[str, str]) -> None:
    assert join_at_seam(before, after) == joined


words = st.lists(st.sampled_from(["one", "two", "three", "on"]), max_size=20).map(" ".join)


@given(words, words)
def test_nothing_but_the_border_changes(before: str, after: str) -> None:
    first, second = join_at_seam(before, after)
    assert before.startswith(first)
    assert after.endswith(second)
    lost = len(before.split()) + len(after.split()) - len(first.split()) - len(second.split())
    assert 0 <= lost <= MOST_WORDS + 2


@given(words)
def test_what_was_heard_twice_is_there_once(text: str) -> None:
    heard = text.split()
    if len(set(heard)) == len(heard):  # else more than one place may be the border
        tail = " ".join(heard[-MOST_WORDS:])
        assert join_at_seam(text, f"{tail} zero".strip()) == (text, "zero")


SPEECH = [
    "when",
    "the",
    "harbour",
    "froze",
    "that",
    "winter",
    "nobody",
    "could",
    "remember",
    "such",
    "silence",
    "because",
    "even",
    "gulls",
    "had",
    "left",
    "us",
    "and",
    "children",
    "walked",
    "out",
    "across",
    "green",
    "ice",
    "towards",
    "lighthouse",
    "rocks",
    "carrying",
    "lanterns",
    "bread",
    "some",
    "coffee",
    "old",
    "blankets",
    "while",
    "their",
    "mothers",
    "stood",
    "watching",
    "along",
    "every",
    "window",
    "until",
    "evening",
    "came",
    "down",
    "slowly",
    "like",
    "dust",
    "falling",
    "through",
    "narrow",
    "church",
    "light",
    "then",
    "somebody",
    "began",
    "singing",
    "very",
    "quietly",
    "first",
    "one",
    "voice",
    "after",
    "another",
    "joined",
    "without",
    "anyone",
    "having",
    "asked",
    "for",
    "it",
]
"""What people say; a word that comes again is left out, so that a border has one place."""


def misheard(word: str) -> str:
    """As it may be heard at a border."""
    return f"{word[:-1]}{'s' if word[-1] != 's' else 't'}"


@st.composite
def heard_clips(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """A speech, and what was heard of it in clips that share some words at each border."""
    speech = list(dict.fromkeys(SPEECH))
    clips, start = [], 0
    while start < len(speech):
        stop = start + draw(st.integers(12, 30))
        shared = draw(st.integers(3, 6))
        clip = speech[start:stop]
        if start and draw(st.booleans()):
            place = draw(st.integers(0, 2))
            long_enough = len(clip) > place and len(clip[place]) > 4
            if long_enough:
                clip[place] = misheard(clip[place])
        clips.append(" ".join(clip))
        start = stop - shared if stop < len(speech) else len(speech)
    return speech, clips


@given(heard_clips())
def test_a_speech_in_clips_loses_and_doubles_nothing(heard: tuple[list[str], list[str]]) -> None:
    speech, clips = heard
    said, last = [], clips[0]
    for clip in clips[1:]:
        last, rest = join_at_seam(last, clip)
        said.append(last)
        last = rest
    said.append(last)
    assert " ".join(filter(None, said)).split() == speech
