"""What models write as calls, right and wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.runtime.tool_call_parser import parse_tool_call
from gemma_tui.tool_call import MalformedToolCall, ToolCall

QUOTE = '<|"|>'


def parse(text: str) -> ToolCall | MalformedToolCall:
    return parse_tool_call(text.split(QUOTE))


GOOD: dict[str, dict[str, Any]] = {
    "call:f{}": {},
    " call: f { } \n": {},
    "call:f{a:1}": {"a": 1},
    "call:f{a:-12,b:0.5,c:-1.5e-07,d:007}": {"a": -12, "b": 0.5, "c": -1.5e-07, "d": 7},
    "call:f{a:null,b:true,c:false}": {"a": None, "b": True, "c": False},
    'call:f{a:<|"|><|"|>}': {"a": ""},
    'call:f{ a : <|"|> x <|"|> , b : [ 1 , [ ] , { } ] }': {"a": " x ", "b": [1, [], {}]},
    'call:f{a:<|"|>}],{:"<|"|>}': {"a": '}],{:"'},
    'call:f{a b:{<|"|>k: }<|"|>:[null]},x-y.z:2}': {"a b": {"k: }": [None]}, "x-y.z": 2},
}


@pytest.mark.parametrize("text", GOOD)
def test_calls(text: str) -> None:
    assert parse(text) == ToolCall("f", GOOD[text])


@pytest.mark.parametrize("name", ["get_weather", "mcp-files.read", "a:b", "Größe", "<x>"])
def test_names(name: str) -> None:
    assert parse(f"call:{name}{{}}") == ToolCall(name)


def test_types_survive() -> None:
    call = parse("call:f{a:1,b:1.0,c:true}")
    assert isinstance(call, ToolCall)
    assert [type(value) for value in call.arguments.values()] == [int, float, bool]


BAD = {
    "": "begin with call:",
    "f{}": "begin with call:",
    "call:{}": "begin with call:",
    "call:f": "begin with call:",
    "call:f(a=1)": "begin with call:",
    'call:f<|"|>{}': "begin with call:",
    "call:f{": "lacks a key or a value where it ends",
    "call:f{a": "lacks : where it ends",
    "call:f{a:1": "lacks , where it ends",
    "call:f{a:1,": "lacks a key or a value where it ends",
    "call:f{a:1,}": "lacks a key or a value where } stands",
    "call:f{a:}": "lacks a key or a value where } stands",
    "call:f{a:[1 2]}": "1 2 is no value",
    "call:f{a:[1}": "lacks , where } stands",
    "call:f{,}": "lacks a key or a value where , stands",
    "call:f{a:1 b:2}": "1 b is no value",
    "call:f{a:Paris}": "Paris is no value",
    'call:f{a:"Paris"}': '"Paris" is no value',
    "call:f{a:1.}": "1. is no value",
    "call:f{a:nan}": "nan is no value",
    "call:f{a:1e999}": "too large",
    f"call:f{{a:{'9' * 5000}}}": "is no value",
    "call:f{a:1,a:2}": "a is there twice",
    "call:f{} {}": "behind the arguments",
    'call:f{}<|"|>': "behind the arguments",
    'call:f{a:<|"|>b': "A string has no end",
    'call:f{a:<|"|>b<|"|>c}': "lacks , where c stands",
    f"call:f{{a:{'[' * 65}{']' * 65}}}": "nested more than 64 deep",
    "call:f{a:" + "[" * 100_000: "nested more than 64 deep",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:24])
def test_malformed_calls_are_kept_and_explained(text: str) -> None:
    found = parse(text)
    assert isinstance(found, MalformedToolCall)
    assert found.text == text
    assert BAD[text] in found.problem


@given(st.lists(st.sampled_from([*"{}[],: a1-.e", "call:f{", "null", QUOTE]), max_size=12))
def test_whatever_is_written_is_a_call_or_kept(words: list[str]) -> None:
    text = "call:f{a:" + "".join(words)
    found = parse(text)
    assert isinstance(found, ToolCall) or found.text == text
