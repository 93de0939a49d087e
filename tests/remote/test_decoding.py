"""Streams may be cut anywhere, and media are spliced in: what comes out is the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.engine.remote_request import json_bytes
from gemma_tui.engine.sse import Comment, EventDecoder
from gemma_tui.engine.thought_markup import MARKS, ThoughtMarkup
from gemma_tui.generation import TextDelta, ThoughtDelta

LINES = st.sampled_from(
    [
        "data: one",
        "data:two",
        "data:  three",
        "data",
        "data:",
        ": a comment",
        "event: x",
        "id",
        "",
        "",
    ]
)
WORDS = st.sampled_from(
    ["<think>", "</think>", "<|channel>thought\n", "<channel|>", "a", " ", "\n", "<", "é🦜", "th"]
)


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(whole) + 1) for place in places})
    return [whole[a:b] for a, b in zip([0, *ends], [*ends, len(whole)], strict=True)]


def decoded(pieces: list[bytes]) -> list[str | Comment]:
    decoder = EventDecoder()
    found = [item for piece in pieces for item in decoder.feed(piece)]
    return [*found, *decoder.finish()]


def by_the_book(lines: list[str]) -> list[str | Comment]:
    """The standard's algorithm on whole lines; what the stream ends in is an event, too."""
    found: list[str | Comment] = []
    data: list[str] = []
    for line in [*lines, ""]:
        if line.startswith(":"):
            found.append(Comment(line[1:].strip()))
        elif line == "" and data:
            found.append("\n".join(data))
            data = []
        elif line.partition(":")[0] == "data":
            data.append(line.partition(":")[2].removeprefix(" "))
    return found


@given(
    lines=st.lists(LINES, max_size=12),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    places=st.lists(st.integers(0, 200), max_size=8),
    begins=st.sampled_from(["", "\ufeff"]),
)
def test_events_are_those_of_the_standard_however_they_are_cut(
    lines: list[str], end: str, places: list[int], begins: str
) -> None:
    whole = (begins + "".join(line + end for line in lines)).encode()
    assert decoded(cut(whole, places)) == by_the_book(lines)


def test_half_a_character_waits_for_its_other_half() -> None:
    whole = "data: 🦜 ü\n\n".encode()
    for place in range(len(whole)):
        assert decoded([whole[:place], whole[place:]]) == ["🦜 ü"]


def told(pieces: list[str]) -> tuple[str, str]:
    markup = ThoughtMarkup()
    events = [event for piece in pieces for event in markup.add(piece)]
    events += markup.finish()
    assert all(event.text for event in events)
    return (
        "".join(event.text for event in events if isinstance(event, ThoughtDelta)),
        "".join(event.text for event in events if isinstance(event, TextDelta)),
    )


@given(words=st.lists(WORDS, max_size=10))
def test_thoughts_are_the_same_however_the_text_is_cut(words: list[str]) -> None:
    whole = "".join(words)
    expected = told([whole])
    assert told(list(whole)) == expected
    assert told(words) == expected
    if not whole.lstrip().startswith(tuple(mark for mark, _ in MARKS)):
        assert expected[0] == ""
        assert expected[1] in {whole, ""}
        assert expected[1] or not whole.strip()


ITEMS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, st.text()),
    st.builds(
        lambda data: {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        st.text("abc+/=", max_size=20),
    ),
    st.builds(
        lambda data: {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}},
        st.text("abc+/=", max_size=20),
    ),
)
CONTENTS = st.one_of(st.none(), st.text(), st.lists(ITEMS, max_size=5))


@given(contents=st.lists(CONTENTS, max_size=5))
def test_media_are_spliced_into_the_json_they_belong_in(contents: list[Any]) -> None:
    messages = [{"role": "user", "content": content} for content in contents]
    body = {"model": "m", "messages": messages, "stream": True}
    assert json.loads(json_bytes(body)) == body
