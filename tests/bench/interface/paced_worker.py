"""An engine process that writes exactly 100 tokens a second and needs next to no processor for it.

What the interface costs is then not mixed with what a model computes, as on a machine whose model
runs on a GPU. It speaks the real protocol through the real outbox, so its text comes in the same
batches as a model's.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Usage
from gemma_tui.engine.protocol import (
    Cancel,
    Count,
    Event,
    FrameDecoder,
    Generate,
    Load,
    ModelLoaded,
    Request,
    Shutdown,
)
from gemma_tui.generation import Finished, ModelInfo, PromptSize, TextDelta
from gemma_tui.runtime.outbox import Outbox
from tests.bench.interface.texts import (
    CHARACTERS,
    MOST_SECONDS,
    TOKENS_PER_SECOND,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND: Final = "KIND_OF_THE_BENCH"
"""Environment variable: which kind of text it writes, prose unless told."""


class PacedWorker:
    """Answers requests; a reply goes on until it is cancelled.

    Args:
        outbox: Takes the events.
        text: What it says; longer than any reply that is measured.
    """

    def __init__(self, outbox: Outbox, text: str) -> None:
        self._outbox = outbox
        self._text = text
        self._stopped: dict[int, threading.Event] = {}

    def serve(self, requests: Iterator[tuple[int, Request]]) -> None:
        """Answer until there are no more."""
        for request_id, request in requests:
            match request:
                case Shutdown():
                    return
                case Load(folder=folder):
                    self._outbox.put(request_id, _loaded(folder))
                case Count():
                    self._outbox.put(request_id, PromptSize(100, 0, 256, 131_072))
                case Generate(request=prompt) if prompt.is_aside:
                    self._outbox.put(request_id, TextDelta("A title", 2))
                    self._outbox.put(request_id, Finished("stop", Usage(12, 0, 2)))
                case Generate():
                    self._stopped[request_id] = threading.Event()
                    threading.Thread(target=self._write, args=(request_id,), daemon=True).start()
                case Cancel(target=target) if target in self._stopped:
                    self._stopped.pop(target).set()
                case _:
                    pass

    def _write(self, request_id: int) -> None:
        """A token each hundredth of a second, each at its own time."""
        stopped, begun = self._stopped[request_id], time.monotonic()
        for count in itertools.count(1):
            if stopped.wait(max(0.0, begun + count / TOKENS_PER_SECOND - time.monotonic())):
                usage = Usage(5000, 0, count, 0.1, time.monotonic() - begun)
                self._outbox.put(request_id, Finished("cancelled", usage))
                return
            self._outbox.put(request_id, TextDelta(self._token(count), count, (count,)))

    def _token(self, count: int) -> str:
        return self._text[(count - 1) * CHARACTERS : count * CHARACTERS]


def _loaded(folder: str) -> Event:
    return ModelLoaded(
        ModelInfo(
            name=Path(folder).name,
            folder=folder,
            can_see=True,
            can_hear=True,
            context_length=131_072,
            default_token_budget=280,
            weight_bytes=1,
        )
    )


def _requests(descriptor: int) -> Iterator[tuple[int, Request]]:
    decoder = FrameDecoder()
    while data := os.read(descriptor, 1 << 16):
        yield from decoder.feed(data)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def main() -> None:
    """Serve on the pipes that the program gave."""
    outbox = Outbox(lambda data: _write_all(1, data))
    threading.Thread(target=outbox.run, daemon=True).start()
    text = text_of(os.environ.get(KIND, "prose"), CHARACTERS * TOKENS_PER_SECOND * MOST_SECONDS)
    PacedWorker(outbox, text).serve(_requests(0))


if __name__ == "__main__":
    main()
