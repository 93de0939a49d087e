"""Frames: what is encoded comes back, in whatever pieces it arrives."""

from __future__ import annotations

import json
import struct
from dataclasses import fields, is_dataclass
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.conversation import TextPart, ThoughtPart, Usage
from gemma_tui.engine import protocol
from gemma_tui.engine.bandwidth_request import Bandwidth, MeasureBandwidth
from gemma_tui.engine.interface import EngineStatus
from gemma_tui.engine.media_requests import Crop, Encode, FindClip, Preview, Probe, Unlock
from gemma_tui.engine.protocol import (
    MAX_FRAME_BYTES,
    Cancel,
    Convert,
    Converted,
    ConvertProgress,
    Count,
    Estimate,
    Event,
    Failed,
    FrameDecoder,
    Generate,
    Load,
    ModelLoaded,
    Request,
    Shutdown,
    Status,
    Unload,
    Unloaded,
    encode_frame,
)
from gemma_tui.errors import ContextOverflowError, EngineError, GemmaError, error_classes
from gemma_tui.generation import (
    Finished,
    GenerationRequest,
    LoadProgress,
    Media,
    MediaInfo,
    MediaPreview,
    MediaProgress,
    MemoryEstimate,
    ModelInfo,
    PrefillProgress,
    PromptMessage,
    PromptSize,
    ReplySoFar,
    Resumed,
    TextDelta,
    ThoughtDelta,
    TurnsLeftOut,
)
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.sound_clip import SoundClip
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolDeclaration, ToolResult

ARGUMENTS: Any = {"type": "JSON", "value": [1, 2.5, None, {"type": "Load", "": [[], {}]}]}
MODEL = ModelInfo(
    "Gemma 4 E2B", "folder", True, False, 131_072, 280, 10**10, limitations=("It is.",)
)
REQUEST = GenerationRequest(
    (
        PromptMessage(
            "user", (Media("image", "ab" * 32, "path", "naïve.png", 140), TextPart("¿?\0"))
        ),
        PromptMessage("model", (TextPart("<turn|>"),)),
        PromptMessage("model", (ThoughtPart("hm"), ToolCall("f", ARGUMENTS))),
        PromptMessage("model", (ToolResult("f", "1"), ToolResult("f", [ARGUMENTS, "\ud800"]))),
        PromptMessage("user", (TextPart("\ud800 alone"), Media("audio", "cd", "p", "n"))),
    ),
    "system\n",
    GenerationOptions(SamplingOptions(0.0, 1, None, 2**63), 7, thinking=True, stop=("¿", "b")),
    (ToolDeclaration("f", "d", ARGUMENTS), ToolDeclaration("g", "")),
    ReplySoFar((TextPart("é"),), (5, 6)),
)
BODIES: list[Request | Event] = [
    *(
        Load("folder"),
        Generate(REQUEST),
        Cancel(3),
        Unload(),
        Status(),
        Probe("p", "n"),
        Preview("p", "n"),
        Crop("p", "n", (0.0, 0.25, 0.5, 1.0), "t"),
        Unlock("p", "n", "pass\0wörd", "t"),
        Encode(Media("image", "ab", "p", "n", 280, start=3), "t"),
        FindClip("p", "n", 320, 640),
        Count(REQUEST),
        Shutdown(),
    ),
    *(LoadProgress("weights", 0.5), ModelLoaded(MODEL), MediaProgress(1, 2)),
    *(PrefillProgress(1, 2, 1, 0.5), ThoughtDelta("t", (1,)), TextDelta("é\ud83d", 9, (2, 3))),
    *(TurnsLeftOut(1, 20), Resumed((ThoughtPart("t"), TextPart("é")), (1, 2)), Unloaded()),
    *(ToolCall("f", ARGUMENTS), ToolCall("g"), MalformedToolCall("{", "It is broken.")),
    *(Finished("length", Usage(1, 2, 3, 0.1, 0.2, 4), (7,)), PromptSize(1, 2, 3, 4)),
    EngineStatus(1, MODEL, True, 2, 3, 4),
    EngineStatus(1, None, False, 2, 3, 4),
    MediaInfo("audio", "audio/wav", sample_count=16_000),
    SoundClip(320, 640, 900, 400, 800),
    *(MediaPreview(1, 1, rgb="0aff00"), MediaPreview(2, levels=(0, 100))),
    *(Estimate("folder", 4096, 70), MemoryEstimate(1, 2, 3, 4, 5, 6, 7, 8, 9)),
    *(MeasureBandwidth(), Bandwidth(4.5e11, 3)),
    *(Convert("folder", "new", 4, 32, 8), Convert("folder", "new", 4), ConvertProgress(1, 2)),
    Converted("new", 3),
    Failed("ModelError", "It is broken.", "Choose another."),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_what_is_encoded_comes_back(body: Request | Event) -> None:
    assert list(FrameDecoder().feed(encode_frame(7, body))) == [(7, body)]


def test_every_request_and_event_has_been_tried() -> None:
    known = {*get_args(protocol.Request), *get_args(protocol.Event)}
    assert {type(body) for body in BODIES} == known
    assert all(is_dataclass(cls) for cls in known)


@given(st.lists(st.sampled_from(BODIES), max_size=6), st.data())
def test_pieces_may_be_of_any_size(bodies: list[Request | Event], data: Any) -> None:
    stream = b"".join(encode_frame(number, body) for number, body in enumerate(bodies))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = FrameDecoder()
    decoded: list[tuple[int, Any]] = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoded += decoder.feed(stream[start:stop])
    assert decoded == list(enumerate(bodies))


@given(st.binary(min_size=8, max_size=200))
def test_garbage_is_refused_or_waited_for(data: bytes) -> None:
    try:
        decoded = list(FrameDecoder().feed(data))
    except EngineError:
        return
    assert decoded == []


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b'{"id": 1}',
        b'{"id": "x", "body": null}',
        b'{"id": 1, "body": {"type": "Nobody"}}',
        b'{"id": 1, "body": {"type": "Load"}}',
        b'{"id": 1, "body": {"type": "Load", "folder": "f", "extra": 1}}',
        b"\xff\xfe",
    ],
)
def test_frames_nobody_understands_are_refused(payload: bytes) -> None:
    with pytest.raises(EngineError, match="nobody understands"):
        list(FrameDecoder().feed(struct.pack(">I", len(payload)) + payload))


def test_a_length_beyond_reason_is_refused_before_it_is_waited_for() -> None:
    with pytest.raises(EngineError, match="not a frame"):
        list(FrameDecoder().feed(struct.pack(">I", MAX_FRAME_BYTES + 1)))


def test_what_the_other_end_would_refuse_is_not_sent() -> None:
    long = GenerationRequest((PromptMessage("user", (TextPart("x" * MAX_FRAME_BYTES),)),))
    with pytest.raises(ContextOverflowError, match="64 MB"):
        encode_frame(1, Generate(long))


@pytest.mark.parametrize("cls", error_classes().values(), ids=lambda cls: cls.__name__)
def test_every_error_crosses_the_pipe_as_itself(cls: type[GemmaError]) -> None:
    error = Failed.from_error(cls("It broke.", "Mend it.")).to_error()
    assert type(error) is cls
    assert str(error) == "It broke. Mend it."


def test_an_unknown_error_is_an_engine_error() -> None:
    assert type(Failed("Strange", "m", "h").to_error()) is EngineError


def test_frames_carry_only_fields_of_their_class() -> None:
    frame = json.loads(encode_frame(1, Load("folder"))[4:])
    assert set(frame["body"]) == {"type", *(field.name for field in fields(Load))}
