"""The frames on the pipe between the app and the engine process.

A frame is a 4-byte big-endian length and that many bytes of UTF-8 JSON:
`{"id": request number, "type": class name, fields…}`. Requests go one way, events come back with
the id of the request they answer. Both ends are always the same version of this program, so the
codec trusts names and types, but never lengths.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gemma_tui.conversation import Segment, TextPart, ThoughtPart, Usage
from gemma_tui.engine.bandwidth_request import Bandwidth, MeasureBandwidth
from gemma_tui.engine.interface import ComputeDevice, EngineStatus
from gemma_tui.engine.media_requests import Crop, Encode, FindClip, Preview, Probe, Unlock
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
    ReplyProgress,
    ReplySoFar,
    Resumed,
    TextDelta,
    ThoughtDelta,
    TurnsLeftOut,
)
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.sound_clip import SoundClip
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolDeclaration, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
"""A longer frame means a broken stream: whole conversations stay far below it."""

_HEADER: Final = struct.Struct(">I")

_PLAIN: Final = "JSON"
"""Type of a value that is JSON already: a schema, arguments, a result."""


@dataclass(frozen=True, slots=True)
class Load:
    """Load the model in `folder`. Answers: `LoadProgress`…, then `ModelLoaded` or `Failed`."""

    folder: str


@dataclass(frozen=True, slots=True)
class Generate:
    """Write a reply. Answers: `GenerationEvent`s, the last one `Finished`, or `Failed`."""

    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """End request `target` with the token that is under way. Answered by its own last event."""

    target: int


@dataclass(frozen=True, slots=True)
class Unload:
    """Free the model. Answer: `Unloaded`."""


@dataclass(frozen=True, slots=True)
class Status:
    """Answer: `EngineStatus`."""


@dataclass(frozen=True, slots=True)
class Count:
    """Tell what the prompt of `request` takes. Answer: `PromptSize` or `Failed`."""

    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class Estimate:
    """What would this folder need in memory? Answer: `MemoryEstimate` or `Failed`."""

    folder: str
    context_length: int = 0
    """Tokens of prompt and reply together; 0: all that the model takes."""
    token_budget: int = 0
    """Of the largest picture; 0: the largest there is."""


@dataclass(frozen=True, slots=True)
class Convert:
    """Write a quantised copy of a folder. Answers: `ConvertProgress`…, `Converted` or `Failed`."""

    folder: str
    target: str
    """Must not be there yet."""
    bits: int
    group_size: int = 64
    per_layer_bits: int | None = None
    """Of the table of per-layer embeddings; None: as all the others."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End the process. Closing its stdin does the same."""


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """The model is ready."""

    info: ModelInfo


@dataclass(frozen=True, slots=True)
class Unloaded:
    """The model's memory is free again."""


@dataclass(frozen=True, slots=True)
class ConvertProgress:
    """Bytes of weights read and written so far."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Converted:
    """The copy is whole."""

    folder: str
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The request failed; `error` is the name of a class in `gemma_tui.errors`."""

    error: str
    message: str
    hint: str

    @classmethod
    def from_error(cls, error: GemmaError) -> Failed:
        """Carry an error across the pipe."""
        return cls(type(error).__name__, error.message, error.hint)

    def to_error(self) -> GemmaError:
        """The same error on this side of the pipe."""
        return error_classes().get(self.error, EngineError)(self.message, self.hint)


Request: TypeAlias = (
    Load
    | Generate
    | Cancel
    | Unload
    | Status
    | Probe
    | Preview
    | Crop
    | Unlock
    | Encode
    | FindClip
    | Count
    | Estimate
    | Convert
    | MeasureBandwidth
    | Shutdown
)
Progress: TypeAlias = LoadProgress | ReplyProgress | ConvertProgress
"""Events that more answers to the same request follow; the others end it."""

Event: TypeAlias = (
    Progress
    | ModelLoaded
    | Finished
    | Unloaded
    | EngineStatus
    | MediaInfo
    | MediaPreview
    | SoundClip
    | PromptSize
    | MemoryEstimate
    | Bandwidth
    | Converted
    | Failed
)

_WIRE_TYPES: Final = {
    cls.__name__: cls
    for cls in (
        *(Load, Generate, Cancel, Unload, Status, Probe, Preview, Crop, Count, Shutdown),
        *(FindClip, SoundClip, Unlock, Encode),
        *(Estimate, MemoryEstimate, Convert, ConvertProgress, Converted),
        *(MeasureBandwidth, Bandwidth),
        *(LoadProgress, ModelLoaded, MediaProgress, TurnsLeftOut, PrefillProgress),
        *(Resumed, ThoughtDelta, TextDelta, Finished),
        *(ToolDeclaration, ToolCall, MalformedToolCall, ToolResult),
        *(Unloaded, EngineStatus, ComputeDevice, MediaInfo, MediaPreview, PromptSize, Failed),
        *(GenerationRequest, PromptMessage, TextPart, ThoughtPart, Media, ReplySoFar, Segment),
        *(GenerationOptions, SamplingOptions, ModelInfo, Usage),
    )
}


def encode_frame(request_id: int, body: Request | Event) -> bytes:
    """One frame, ready to be written.

    Raises:
        ContextOverflowError: It would be longer than the other end takes; no model's context
            comes near that.
    """
    payload = json.dumps({"id": request_id, "body": _to_json(body)}, ensure_ascii=False)
    data = payload.encode("utf-8", "surrogatepass")
    if len(data) > MAX_FRAME_BYTES:
        raise ContextOverflowError(
            f"The conversation is too long for any model: {len(data) >> 20} MB.",
            "Start a new conversation, or remove something from this one.",
        )
    return _HEADER.pack(len(data)) + data


class FrameDecoder:
    """Cuts a byte stream, in whatever pieces it arrives, into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, Any]]:
        """Every frame that `data` completes, as (request id, request or event).

        Raises:
            EngineError: The stream is not a sequence of frames.
        """
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(self._buffer)
            if length > MAX_FRAME_BYTES:
                raise EngineError("The pipe to the engine carries something that is not a frame.")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            yield _decode(payload)


def _decode(payload: bytes) -> tuple[int, Any]:
    try:
        frame = json.loads(payload.decode("utf-8", "surrogatepass"))
        return int(frame["id"]), _from_json(frame["body"])
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(f"The engine sent a frame nobody understands ({error!r}).") from error


def _to_json(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: _to_json(getattr(value, f.name)) for f in fields(value)}
        return {"type": type(value).__name__, **content}
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, dict | list):
        return {"type": _PLAIN, "value": value}
    return value


def _from_json(value: object) -> Any:  # noqa: ANN401  # JSON is any of these
    if isinstance(value, dict):
        if value["type"] == _PLAIN:
            return value["value"]
        content = {name: _from_json(item) for name, item in value.items() if name != "type"}
        return _WIRE_TYPES[value["type"]](**content)
    if isinstance(value, list):
        return tuple(_from_json(item) for item in value)
    return value
