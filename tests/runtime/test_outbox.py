"""The way out of the engine: never blocking, merging, in order."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Usage
from gemma_tui.engine.protocol import Event, FrameDecoder
from gemma_tui.generation import Finished, TextDelta
from gemma_tui.runtime.outbox import Outbox
from gemma_tui.runtime.worker import write_all

if TYPE_CHECKING:
    from collections.abc import Iterator

END = Finished("stop", Usage())


class Pipe:
    """A real pipe with an outbox at its one end."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.writes: list[tuple[float, int]] = []
        self.outbox = Outbox(self._write)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.error: OSError | None = None
        self.thread.start()

    def _write(self, data: bytes) -> None:
        self.writes.append((time.monotonic(), len(data)))
        write_all(self.writer, data)

    def _run(self) -> None:
        try:
            self.outbox.run()
        except OSError as error:
            self.error = error
        os.close(self.writer)

    def read(self) -> list[tuple[int, Event]]:
        """Everything until the outbox is closed."""
        decoder = FrameDecoder()
        events: list[tuple[int, Event]] = []
        while data := os.read(self.reader, 1 << 16):
            events += decoder.feed(data)
        return events


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.outbox.close()
    os.close(pipe.reader)
    pipe.thread.join(10)
    assert not pipe.thread.is_alive()


def test_a_reader_that_reads_nothing_blocks_nobody_and_loses_nothing(pipe: Pipe) -> None:
    """More text than a pipe holds is handed over while nobody reads."""
    words = [f"word {number} " * 10 for number in range(20_000)]
    for number, word in enumerate(words):
        pipe.outbox.put(1, TextDelta(word, number))
    pipe.outbox.put(1, END)
    assert sum(map(len, words)) > 2_000_000  # a pipe holds at most a million bytes
    pipe.outbox.close()
    events = [event for _, event in pipe.read()]
    assert events[-1] == END
    texts = [event for event in events if isinstance(event, TextDelta)]
    assert "".join(event.text for event in texts) == "".join(words)
    assert texts[-1].token_count == len(words) - 1
    # What waited for the reader was one event, not thousands.
    assert len(texts) < 1000


def test_text_goes_out_in_batches_with_time_between_them() -> None:
    slow = Pipe()
    try:
        first, second = TextDelta("a", 1), TextDelta("b", 2)
        slow.outbox.put(1, first)
        decoder = FrameDecoder()
        events: list[tuple[int, Event]] = []
        events += decoder.feed(os.read(slow.reader, 1 << 16))
        slow.outbox.put(1, second)
        while len(events) < 2:
            events += decoder.feed(os.read(slow.reader, 1 << 16))
        assert events == [(1, first), (1, second)]
        assert slow.writes[1][0] - slow.writes[0][0] >= 1 / 30 - 0.001
    finally:
        slow.outbox.close()
        slow.thread.join(10)
        os.close(slow.reader)


def test_an_end_takes_what_waits_along_at_once() -> None:
    reader, writer = os.pipe()
    outbox = Outbox(lambda data: write_all(writer, data), batch_seconds=3600)
    thread = threading.Thread(target=outbox.run, daemon=True)
    thread.start()
    outbox.put(1, TextDelta("a", 1))
    decoder = FrameDecoder()
    assert list(decoder.feed(os.read(reader, 1 << 16))) == [(1, TextDelta("a", 1))]
    outbox.put(1, TextDelta("b", 2))
    outbox.put(1, END)
    assert list(decoder.feed(os.read(reader, 1 << 16))) == [(1, TextDelta("b", 2)), (1, END)]
    outbox.close()
    thread.join(10)
    assert not thread.is_alive()
    os.close(reader)
    os.close(writer)


def test_a_reader_that_has_gone_ends_the_writer(pipe: Pipe) -> None:
    gone, pipe.reader = pipe.reader, os.open(os.devnull, os.O_RDONLY)
    os.close(gone)
    pipe.outbox.put(1, END)
    pipe.thread.join(10)
    assert isinstance(pipe.error, BrokenPipeError)
