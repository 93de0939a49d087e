"""What the tests of the engine ask for, and how they wait."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import struct
import wave
import zlib
from typing import TYPE_CHECKING

from gemma_tui.conversation import TextPart
from gemma_tui.generation import (
    Finished,
    GenerationRequest,
    Media,
    PromptMessage,
    PromptPart,
    TextDelta,
    ThoughtDelta,
)
from gemma_tui.options import GenerationOptions, SamplingOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from gemma_tui.generation import GenerationEvent

GREEDY = SamplingOptions(temperature=0)


def ask(
    *texts: str,
    system: str = "",
    media: tuple[Media, ...] = (),
    sampling: SamplingOptions = GREEDY,
    max_tokens: int = 48,
    thinking: bool = False,
) -> GenerationRequest:
    """A conversation that alternates between user and model; media go with the first message."""
    messages = []
    for place, text in enumerate(texts):
        parts: tuple[PromptPart, ...] = (*(media if place == 0 else ()), TextPart(text))
        messages.append(PromptMessage("model" if place % 2 else "user", parts))
    options = GenerationOptions(sampling=sampling, max_tokens=max_tokens, thinking=thinking)
    return GenerationRequest(tuple(messages), system, options)


def text_of(events: list[GenerationEvent]) -> str:
    """The answer in a list of events."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thought_of(events: list[GenerationEvent]) -> str:
    """The thought in a list of events."""
    return "".join(event.text for event in events if isinstance(event, ThoughtDelta))


def finish_of(events: list[GenerationEvent]) -> Finished:
    """The last event, which must be the end and the only one."""
    assert isinstance(events[-1], Finished)
    assert not any(isinstance(event, Finished) for event in events[:-1])
    return events[-1]


async def collect(events: AsyncIterator[GenerationEvent]) -> list[GenerationEvent]:
    """All events of a reply."""
    return [event async for event in events]


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; only a hanging test ends this otherwise."""
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110  # the condition lies in another process
            await asyncio.sleep(0.005)  # the condition is another process


def endless(tiny_model: Path, folder: Path) -> Path:
    """A copy of the built-in model that never stops by itself.

    Its only stop token is one that it must never draw, nor any other control token: all is text.
    """
    target = folder / "endless"
    shutil.copytree(tiny_model, target)
    path = target / "generation_config.json"
    config = json.loads(path.read_text("utf-8"))
    vocabulary = json.loads((target / "tokenizer.json").read_text("utf-8"))
    control_ids = [token["id"] for token in vocabulary["added_tokens"]]
    config["eos_token_id"], config["suppress_tokens"] = control_ids[:1], control_ids
    path.write_text(json.dumps(config), "utf-8")
    return target


def png(path: Path, color: tuple[int, int, int], *, side: int = 96) -> Media:
    """A picture of one color, as a medium of the default budget."""
    rows = (b"\0" + bytes(color) * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return picture(path)


def picture(path: Path) -> Media:
    """A picture that is there, as a medium of the demo's default budget."""
    return Media("image", _sha256(path), str(path), path.name, 70)


def wav(path: Path, *, seconds: float = 1.0) -> Media:
    """A clip of silence with a click in its middle."""
    count = int(seconds * 16_000)
    samples = bytearray(2 * count)
    samples[count : count + 2] = struct.pack("<h", 20_000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(samples))
    return Media("audio", _sha256(path), str(path), path.name)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
