"""An engine process that says what a test wrote down: `python -m tests.scripted_worker SCRIPT`.

It speaks the real protocol over the real pipes; the script is a file of frames, whose request id is
the number of the reply they belong to. A reply without an end goes on until it is cancelled.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.engine.interface import EngineStatus
from gemma_tui.engine.media_requests import Preview, Probe
from gemma_tui.engine.protocol import (
    Cancel,
    Count,
    Estimate,
    Failed,
    FrameDecoder,
    Generate,
    Load,
    ModelLoaded,
    Shutdown,
    Status,
    Unload,
    Unloaded,
    encode_frame,
)
from gemma_tui.errors import GemmaError, ModelError, UnsupportedFormatError
from gemma_tui.generation import (
    Finished,
    GenerationEvent,
    MediaPreview,
    ModelInfo,
    PromptSize,
    TextDelta,
)
from tests.scripted_engine import ESTIMATE, MEDIA_BY_SUFFIX, USAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gemma_tui.engine.protocol import Event, Request

READ_BYTES: Final = 65536


def write_script(path: Path, replies: Iterable[Sequence[GenerationEvent | GemmaError]]) -> Path:
    """Write a script down; returns its path. An error is how a reply fails."""
    frames = bytearray()
    for number, events in enumerate(replies):
        for event in events:
            body = Failed.from_error(event) if isinstance(event, GemmaError) else event
            frames += encode_frame(number, body)
    path.write_bytes(frames)
    return path


class ScriptedWorker:
    """Answers requests.

    Args:
        script: The file.
        descriptor: Where the frames of the answers go.
    """

    def __init__(self, script: Path, descriptor: int = 1) -> None:
        self._replies: dict[int, list[Event]] = {}
        for number, event in FrameDecoder().feed(script.read_bytes()):
            self._replies.setdefault(number, []).append(event)
        self._descriptor = descriptor
        self._asked = 0

    def serve(self, requests: Iterator[tuple[int, Request]]) -> None:
        """Answer until there are no more."""
        for request_id, request in requests:
            if isinstance(request, Shutdown):
                return
            if isinstance(request, Cancel):
                self._put(request.target, Finished("cancelled", USAGE))
                continue
            for event in self._answers(request):
                self._put(request_id, event)

    def _put(self, request_id: int, event: Event) -> None:
        data = encode_frame(request_id, event)
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _answers(self, request: Request) -> Iterable[Event]:
        match request:
            case Generate(request=prompt) if prompt.is_aside:
                return self._title()
            case Generate():
                self._asked += 1
                return self._replies[min(self._asked, len(self._replies)) - 1]
            case Load(folder=folder):
                return [_loaded(Path(folder))]
            case Probe(name=name) | Preview(name=name):
                return [_look(name, is_preview=isinstance(request, Preview))]
            case _:
                return [_OTHERS[type(request)]]

    def _title(self) -> list[Event]:
        """The first words of the reply that was given last."""
        said = self._replies[min(self._asked, len(self._replies)) - 1]
        words = next((event.text for event in said if isinstance(event, TextDelta)), "")
        return [TextDelta(words), Finished("stop", USAGE)]


_OTHERS: Final[dict[type, Event]] = {
    Unload: Unloaded(),
    Status: EngineStatus(os.getpid(), None, False, 0, 0, 0),
    Count: PromptSize(100, 0, 256, 8192),
    Estimate: ESTIMATE,
}


def _look(name: str, *, is_preview: bool) -> Event:
    suffix = ".md" if name.startswith("pasted text") else Path(name).suffix.lower()
    info = MEDIA_BY_SUFFIX.get(suffix)
    if info is None:
        error = UnsupportedFormatError(f"“{name}” is not a picture or a sound.")
        return Failed.from_error(error)
    return MediaPreview(2, 2, rgb="ff0000ff0000" + "0000ff0000ff") if is_preview else info


def _loaded(folder: Path) -> Event:
    if "broken" in folder.name:
        return Failed.from_error(ModelError(f"{folder} cannot be read.", f"Mend {folder}."))
    return ModelLoaded(
        ModelInfo(
            name=folder.name,
            folder=str(folder),
            can_see=True,
            can_hear=True,
            context_length=8192,
            default_token_budget=280,
            weight_bytes=1,
            limitations=(f"{folder.name} is made up.",),
        )
    )


def _requests(descriptor: int) -> Iterator[tuple[int, Request]]:
    decoder = FrameDecoder()
    while data := os.read(descriptor, READ_BYTES):
        yield from decoder.feed(data)


if __name__ == "__main__":
    ScriptedWorker(Path(sys.argv[1])).serve(_requests(0))
