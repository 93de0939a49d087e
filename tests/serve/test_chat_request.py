"""Requests as values: what is read of them, and every field that is wrong named."""

from __future__ import annotations

from typing import Any

import pytest

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.errors import ApiRequestError
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.serve.chat_request import ChatRequest, read_chat_request
from gemma_tui.serve.messages import InlineMedia, ServedMessage
from gemma_tui.tool_call import ToolCall, ToolDeclaration, ToolResult

DEFAULTS = GenerationOptions(SamplingOptions(top_k=7), max_tokens=99, thinking=True)
HELLO = {"role": "user", "content": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": '{"a": 1}'}}


def read(*messages: Any, **fields: Any) -> ChatRequest:
    body: Any = {"messages": list(messages or [HELLO]), **fields}
    return read_chat_request(body, DEFAULTS)


def test_what_is_left_out_or_null_is_as_the_settings_say() -> None:
    asked = read(temperature=None, stop=None, tools=None, stream_options=None, user=None)
    assert asked.options == DEFAULTS
    assert (asked.model, asked.tools, asked.streams, asked.includes_usage) == ("", (), False, False)


def test_every_option_arrives() -> None:
    asked = read(
        temperature=0.5, top_p=0.9, top_k=3, min_p=0.1, seed=-4, presence_penalty=1,
        repetition_penalty=1.1, max_tokens=5, stop=["a", "b"], reasoning_effort="none",
        user="someone", stream=True, stream_options={"include_usage": True},
    )  # fmt: skip
    sampling = SamplingOptions(0.5, 3, 0.9, -4, 0.1, 1.1, 1.0)
    assert asked.options == GenerationOptions(sampling, max_tokens=5, stop=("a", "b"))
    assert (asked.client, asked.streams, asked.includes_usage) == ("someone", True, True)
    assert (
        read(reasoning_effort="high", max_tokens=5, max_completion_tokens=6).options.max_tokens == 6
    )


def test_thinking_has_two_names() -> None:
    assert not read(chat_template_kwargs={"enable_thinking": False}).options.thinking
    assert read(chat_template_kwargs={"enable_thinking": True}).options.thinking
    both = read(chat_template_kwargs={"enable_thinking": True}, reasoning_effort="minimal")
    assert not both.options.thinking


def test_messages_become_turns() -> None:
    conversation = read(
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        HELLO,
        {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
    ).conversation
    assert conversation.system_prompt == "Be brief.\n\nBe kind."
    said = ThoughtPart("hm"), ToolCall("clock", {"a": 1}), ToolResult("clock", "12:00")
    assert conversation.messages == (
        ServedMessage("user", (TextPart("hello"),)),
        ServedMessage("model", said),
    )


def test_media_keep_their_place_among_the_words() -> None:
    image = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"},
    }
    sound = {"type": "input_audio", "input_audio": {"data": "aG8=", "format": "mp3"}}
    text = {"type": "text", "text": "this"}
    (message,) = read({"role": "user", "content": [image, text, sound]}).conversation.messages
    assert message.parts == (
        InlineMedia("image", b"hi", "messages[0].content[0].image_url.url", 70),
        TextPart("this"),
        InlineMedia("audio", b"ho", "messages[0].content[2].input_audio.data"),
    )


def test_tools_are_declared() -> None:
    function = {"name": "clock", "description": "Time.", "parameters": {"type": "object"}}
    tools = [{"type": "function", "function": function}]
    declared = (ToolDeclaration("clock", "Time.", {"type": "object"}),)
    assert read(tools=tools, tool_choice="auto", parallel_tool_calls=True).tools == declared
    assert read(tools=tools, tool_choice="none").tools == ()


def test_what_changes_nothing_is_taken() -> None:
    read(
        n=1, logprobs=False, frequency_penalty=0, logit_bias={}, response_format={"type": "text"},
        store=False, metadata={}, modalities=["text"], service_tier="auto",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"seed": "x"}, "seed"),
        ({"stop": [""]}, "stop"),
        ({"stop": 7}, "stop"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"x": 1}}, "stream_options.x"),
        ({"reasoning_effort": "some"}, "reasoning_effort"),
        ({"chat_template_kwargs": {"x": 1}}, "chat_template_kwargs.x"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "custom"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "strict": True}}]},
            "tools[0].function.strict",
        ),
        ({"tool_choice": {"type": "function", "function": {"name": "a"}}}, "tool_choice"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"frequency_penalty": 1}, "frequency_penalty"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"store": True}, "store"),
        ({"audio": {}}, "audio"),
        ({"un\x1b[2Jknown": 1}, "un\x1b[2Jknown"),
    ],
)
def test_wrong_fields_are_named(fields: dict[str, Any], parameter: str) -> None:
    with pytest.raises(ApiRequestError) as caught:
        read(**fields)
    assert caught.value.parameter == parameter
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize(
    ("messages", "parameter"),
    [
        ((), "messages"),
        (({"role": "system", "content": "x"},), "messages"),
        ((HELLO, {"role": "assistant", "content": "x"}), "messages"),
        ((HELLO, {"role": "system", "content": "x"}), "messages[1].role"),
        (({"role": "robot", "content": "x"},), "messages[0].role"),
        (("hello",), "messages[0]"),
        (({"role": "user", "content": 7},), "messages[0].content"),
        (({"role": "user", "content": ["x"]},), "messages[0].content[0]"),
        (({"role": "user", "content": "x", "name": "me"},), "messages[0].name"),
        (
            (HELLO, {"role": "tool", "tool_call_id": "c9", "content": "x"}),
            "messages[1].tool_call_id",
        ),
        (
            (
                HELLO,
                {
                    "role": "assistant",
                    "tool_calls": [CALL | {"function": {"name": "a", "arguments": "["}}],
                },
            ),
            "messages[1].tool_calls[0].function.arguments",
        ),
        ((HELLO, {"role": "assistant", "tool_calls": [CALL]}), "messages"),
        (
            (
                HELLO,
                {"role": "assistant", "tool_calls": [CALL]},
                HELLO,
                {"role": "tool", "tool_call_id": "c1", "content": "x"},
            ),
            "messages[3].role",
        ),
    ],
)
def test_wrong_messages_are_named(messages: tuple[Any, ...], parameter: str) -> None:
    with pytest.raises(ApiRequestError) as caught:
        read_chat_request({"messages": list(messages)}, DEFAULTS)
    assert caught.value.parameter == parameter
