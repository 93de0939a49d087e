"""Thoughts and answers are told apart while they arrive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_tui.generation import TextDelta, ThoughtDelta
from gemma_tui.runtime.reply_parser import Delta, ReplyParser
from gemma_tui.runtime.tokenizer import Control, Tokenizer
from gemma_tui.runtime.tool_format import call_pieces
from gemma_tui.tool_call import MalformedToolCall, ToolCall
from tests.golden.conversations import objects
from tests.runtime.strategies import hostile_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenizers import Tokenizer as Backend

OPEN, CLOSE = Control.CHANNEL_START, Control.CHANNEL_END


def encode(tokenizer: Tokenizer, pieces: Sequence[str], *, singly: bool = False) -> list[int]:
    ids: list[int] = []
    for piece in pieces:
        match piece:
            case Control():
                ids.append(tokenizer.id_of(piece))
            case text:
                for run in text if singly else [text]:
                    ids += tokenizer.encode_text(run)
    return ids


def parse(tokenizer: Tokenizer, ids: Iterable[int], *, has_tools: bool = True) -> list[Delta]:
    parser = ReplyParser(tokenizer, has_tools=has_tools)
    deltas = [delta for token_id in ids for delta in parser.add(token_id)]
    return [*deltas, *parser.finish()]


def split(deltas: Iterable[Delta]) -> tuple[str, str]:
    found = list(deltas)
    thought = "".join(delta.text for delta in found if isinstance(delta, ThoughtDelta))
    return thought, "".join(delta.text for delta in found if isinstance(delta, TextDelta))


REPLIES = {
    "answer alone": ([" \nA red  circle.\n"], "", " \nA red  circle.\n"),
    "nothing": ([], "", ""),
    "thought and answer": ([OPEN, "thought\nIt is\n\nround.\n", CLOSE, "A circle."], "It is\n\nround.", "A circle."),
    "space around them": ([OPEN, "thought\n\n  hm \n \n", CLOSE, "\n\n A circle. \n"], "hm", "A circle. \n"),
    "empty thought": ([OPEN, "thought\n", CLOSE, "Yes."], "", "Yes."),
    "blank thought": ([OPEN, "thought\n \n", CLOSE, "Yes."], "", "Yes."),
    "name without a line": ([OPEN, "thought", CLOSE, "Yes."], "", "Yes."),
    "name cut short": ([OPEN, "thou"], "", ""),
    "nothing in the channel": ([OPEN, CLOSE, "Yes."], "", "Yes."),
    "unfinished thought": ([OPEN, "thought\nIt is \n"], "It is", ""),
    "another name": ([OPEN, "thoughts of mine\n", CLOSE, "Yes."], "thoughts of mine", "Yes."),
    "another channel": ([OPEN, "analysis\nhm\n", CLOSE, "Yes."], "analysis\nhm", "Yes."),
    "two thoughts": (
        [OPEN, "thought\none\n", CLOSE, OPEN, "thought\n\ntwo\n", CLOSE, "Yes."],
        *("one\n\ntwo", "Yes."),
    ),
    "thought in the middle": (
        ["One \n", OPEN, "thought\nhm\n", CLOSE, " \nTwo"],
        *("hm", "One \n \nTwo"),
    ),
    "stray close": (["One", CLOSE, " two"], "", "One two"),
    "opened twice": ([OPEN, "thought\none\n", OPEN, "thought\ntwo", CLOSE, "Yes."], "one\n\ntwo", "Yes."),
    "other control tokens": (
        [Control.BOS, "A", Control.IMAGE, " circle", Control.TURN_END, ".", Control.EOS],
        *("", "A circle."),
    ),
    "control tokens in a thought": (
        [OPEN, "tho", Control.THINK, "ught\na", Control.TURN_START, "b", CLOSE, Control.EOS, "c"],
        *("ab", "c"),
    ),
    "markers spelled in text": (
        ["<|channel>thought\nhm\n<channel|>A <|image|> circle."],
        *("", "<|channel>thought\nhm\n<channel|>A <|image|> circle."),
    ),
    "markers spelled in a thought": (
        [OPEN, "thought\n<channel|> no\n", CLOSE, "Yes."],
        *("<channel|> no", "Yes."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("singly", [False, True], ids=["whole runs", "single letters"])
@pytest.mark.parametrize("name", REPLIES)
def test_replies(tokenizer: Tokenizer, name: str, singly: bool) -> None:
    pieces, thought, answer = REPLIES[name]
    assert split(parse(tokenizer, encode(tokenizer, pieces, singly=singly))) == (thought, answer)


@given(text=hostile_texts)
def test_a_reply_without_thoughts_is_unchanged(tokenizer: Tokenizer, text: str) -> None:
    text = text.replace("▁", " ")
    assert split(parse(tokenizer, tokenizer.encode_text(text))) == ("", text)


@given(thought=hostile_texts, answer=hostile_texts)
def test_thought_and_answer_lose_nothing_but_space(
    tokenizer: Tokenizer, thought: str, answer: str
) -> None:
    thought, answer = thought.replace("▁", " "), answer.replace("▁", " ")
    ids = encode(tokenizer, [OPEN, f"thought\n{thought}\n", CLOSE, answer])
    assert split(parse(tokenizer, ids)) == (thought.strip(), answer.lstrip())


def test_each_token_shows_what_it_completes(tokenizer: Tokenizer) -> None:
    parser = ReplyParser(tokenizer)
    steps = [OPEN, *"thought\na b", CLOSE, *"\nc d"]
    shown = [parser.add(encode(tokenizer, [step])[0]) for step in steps]
    texts = ["".join(split(deltas)) for deltas in shown]
    assert texts == [*[""] * 9, "a", "", " b", "", "", "c", " ", "d"]


def test_deltas_count_the_tokens_behind_them(tokenizer: Tokenizer) -> None:
    ids = encode(tokenizer, [OPEN, "thought\nhm\n", CLOSE, "Yes."], singly=True)
    deltas = parse(tokenizer, ids)
    counts = [delta.token_count for delta in deltas if isinstance(delta, TextDelta)]
    assert counts == [len(ids) - 3, len(ids) - 2, len(ids) - 1, len(ids)]


def test_half_a_character_at_the_end_of_a_thought_stays_in_it(
    tokenizer: Tokenizer, reference: Backend
) -> None:
    byte = reference.token_to_id("<0xF0>")
    assert byte is not None
    ids = [*encode(tokenizer, [OPEN, "thought\na"]), byte, *encode(tokenizer, [CLOSE, "b"]), byte]
    assert split(parse(tokenizer, ids)) == ("a\ufffd", "b\ufffd")


CALL, CALL_END = Control.TOOL_CALL_START, Control.TOOL_CALL_END
RESPONSE, QUOTE = Control.TOOL_RESPONSE_START, Control.QUOTE
WEATHER = [CALL, "call:get_weather{city:", QUOTE, "Köln} ", QUOTE, ",days:2}", CALL_END]
WEATHER_CALL = ToolCall("get_weather", {"city": "Köln} ", "days": 2})

CALLS: dict[str, tuple[list[str], str, str, Sequence[ToolCall | MalformedToolCall]]] = {
    "a call": (WEATHER, "", "", [WEATHER_CALL]),
    "thought and call": ([OPEN, "thought\nhm\n", CLOSE, *WEATHER], "hm", "", [WEATHER_CALL]),
    "text and call": (["One moment.", *WEATHER], "", "One moment.", [WEATHER_CALL]),
    "call and text": ([*WEATHER, "\n\nDone. "], "", "Done. ", [WEATHER_CALL]),
    "two calls": ([*WEATHER, CALL, "call:f{}", CALL_END], "", "", [WEATHER_CALL, ToolCall("f")]),
    "not closed, next call": ([*WEATHER[:-1], *WEATHER], "", "", [WEATHER_CALL, WEATHER_CALL]),
    "not closed, response": ([*WEATHER[:-1], RESPONSE, "x"], "", "x", [WEATHER_CALL]),
    "not closed, end": (WEATHER[:-1], "", "", [WEATHER_CALL]),
    "call inside a thought": (
        [OPEN, "thought\nhm\n", *WEATHER, "Yes."],
        *("hm", "Yes.", [WEATHER_CALL]),
    ),
    "cut off": (
        ["Yes.", *WEATHER[:-3]],
        *("", "Yes.", [MalformedToolCall('call:get_weather{city:<|"|>Köln} ', "A string has no end.")]),
    ),
    "malformed": (
        [CALL, "weather?", CALL_END, "Yes."],
        *("", "Yes.", [MalformedToolCall("weather?", "A tool call has to begin with call:, a name and {.")]),
    ),
    "markers spelled in text": (
        ["<|tool_call>call:f{}<tool_call|>"],
        *("", "<|tool_call>call:f{}<tool_call|>", []),
    ),
    "markers spelled in a string": (
        [CALL, "call:f{a:", QUOTE, '<|"|><tool_call|>', QUOTE, "}", CALL_END],
        *("", "", [ToolCall("f", {"a": '<|"|><tool_call|>'})]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("singly", [False, True], ids=["whole runs", "single letters"])
@pytest.mark.parametrize("name", CALLS)
def test_tool_calls(tokenizer: Tokenizer, name: str, singly: bool) -> None:
    pieces, thought, answer, calls = CALLS[name]
    deltas = parse(tokenizer, encode(tokenizer, pieces, singly=singly))
    assert split(deltas) == (thought, answer)
    assert [d for d in deltas if isinstance(d, ToolCall | MalformedToolCall)] == calls


def test_without_tools_a_call_is_text_that_stays(tokenizer: Tokenizer) -> None:
    ids = encode(tokenizer, ["One moment. ", *WEATHER, " Done."])
    said = "One moment. call:get_weather{city:Köln} ,days:2} Done."
    assert split(parse(tokenizer, ids, has_tools=False)) == ("", said)


def test_a_call_is_told_with_its_last_token(tokenizer: Tokenizer) -> None:
    parser = ReplyParser(tokenizer, has_tools=True)
    *before, last = encode(tokenizer, WEATHER)
    assert [delta for token_id in before for delta in parser.add(token_id)] == []
    assert parser.add(last) == (WEATHER_CALL,)
    assert parser.finish() == ()


@given(texts=st.lists(hostile_texts, min_size=1, max_size=5), end=st.sampled_from([CALL_END, ""]))
def test_a_broken_call_loses_nothing(tokenizer: Tokenizer, texts: list[str], end: str) -> None:
    texts = [text.replace("▁", " ") for text in texts]
    ids = encode(tokenizer, [CALL])
    for place, text in enumerate(texts):
        ids += encode(tokenizer, [QUOTE, text] if place else [text])
    deltas = parse(tokenizer, [*ids, *encode(tokenizer, [end])])
    assert len(deltas) == 1
    assert isinstance(deltas[0], MalformedToolCall)  # no text begins with call:
    assert deltas[0].text == QUOTE.join(texts)


@settings(max_examples=50)
@given(
    arguments=objects(hostile_texts), name=st.sampled_from(["f", "mcp-files.read", "a:b", "Größe"])
)
def test_a_call_in_the_prompt_reads_back_as_it_was(
    tokenizer: Tokenizer, name: str, arguments: dict[str, Any]
) -> None:
    arguments = json.loads(json.dumps(arguments).replace("\\u2581", " "))
    call = ToolCall(name, arguments)
    pieces = list(call_pieces(call))
    assert parse(tokenizer, encode(tokenizer, pieces)) == [call]


def test_a_reply_can_begin_inside_a_thought(tokenizer: Tokenizer) -> None:
    parser = ReplyParser(tokenizer, in_thought=True)
    ids = encode(tokenizer, ["\nIt is\nclear.\n", CLOSE, "\nClear."])
    deltas = [delta for token_id in ids for delta in parser.add(token_id)]
    assert split([*deltas, *parser.finish()]) == ("It is\nclear.", "Clear.")
