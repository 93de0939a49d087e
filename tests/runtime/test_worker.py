"""The engine process itself, spoken to without a client."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.engine.interface import EngineStatus
from gemma_tui.engine.media_requests import Probe
from gemma_tui.engine.protocol import (
    Event,
    FrameDecoder,
    Generate,
    Load,
    ModelLoaded,
    Request,
    Shutdown,
    Status,
    encode_frame,
)
from gemma_tui.generation import Finished, MediaInfo, TextDelta
from tests.engine.scenes import ask, endless, finish_of, png, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gemma_tui.generation import GenerationEvent

LONG_REPLY = 400
"""Tokens whose events, in small batches, are more than the smallest pipe holds."""


class Engine:
    """A worker process, and the two ends of its pipes."""

    def __init__(self, log: Path, code: str | None = None) -> None:
        start = ("-c", code) if code else ("-m", "gemma_tui.runtime.worker")
        self.log = log
        self.process = subprocess.Popen(
            (sys.executable, *start, "--log", str(log)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.requests, self.events = self.process.stdin, self.process.stdout
        self._decoder = FrameDecoder()
        self._waiting: list[tuple[int, Event]] = []

    def send(self, request_id: int, request: Request) -> None:
        self.requests.write(encode_frame(request_id, request))
        self.requests.flush()

    def read(self) -> tuple[int, Any]:
        """The next event."""
        while not self._waiting:
            data = os.read(self.events.fileno(), 1 << 16)
            assert data, "the engine has ended"
            self._waiting += self._decoder.feed(data)
        return self._waiting.pop(0)

    def read_reply(self) -> list[GenerationEvent]:
        """All events of the next reply."""
        events: list[GenerationEvent] = []
        while not (events and isinstance(events[-1], Finished)):
            events.append(self.read()[1])
        return events

    def read_until(self, kind: type) -> tuple[int, Any]:
        """The next event of a kind."""
        while True:
            request_id, event = self.read()
            if isinstance(event, kind):
                return request_id, event


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    engines: list[Engine] = []

    def start(code: str | None = None) -> Engine:
        engines.append(Engine(tmp_path / "engine.log", code))
        return engines[-1]

    yield start
    for engine in engines:
        engine.process.kill()
        engine.process.wait()
        engine.requests.close()
        engine.events.close()


@pytest.fixture(scope="module")
def endless_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return endless(tiny_model, tmp_path_factory.mktemp("model"))


def test_it_ends_when_its_stdin_closes(run: Callable[..., Engine]) -> None:
    engine = run()
    engine.requests.close()
    assert engine.process.wait() == 0
    assert "INFO ended" in engine.log.read_text()


def test_it_ends_on_request(run: Callable[..., Engine]) -> None:
    engine = run()
    engine.send(1, Shutdown())
    assert engine.process.wait() == 0


def test_garbage_ends_it_with_a_reason(run: Callable[..., Engine]) -> None:
    engine = run()
    engine.requests.write(b"GET / HTTP/1.1\r\n\r\n")
    engine.requests.flush()
    assert engine.process.wait() == 1
    assert "not a frame" in engine.log.read_text()


def test_a_frame_it_cannot_read_ends_it_with_a_reason(run: Callable[..., Engine]) -> None:
    engine = run()
    engine.requests.write(struct.pack(">I", 2) + b"{}")
    engine.requests.flush()
    assert engine.process.wait() == 1
    assert "nobody understands" in engine.log.read_text()


def test_ctrl_c_belongs_to_the_app(run: Callable[..., Engine]) -> None:
    engine = run()
    engine.send(1, Status())
    engine.read()
    engine.process.send_signal(signal.SIGINT)
    engine.send(2, Status())
    assert engine.read()[0] == 2


def test_it_knows_files_before_it_knows_a_model(run: Callable[..., Engine], tmp_path: Path) -> None:
    engine = run()
    png(tmp_path / "red.png", (255, 0, 0), side=50)
    engine.send(1, Status())
    engine.send(2, Probe(str(tmp_path / "red.png"), "red.png"))
    _, status = engine.read()
    assert status == EngineStatus(engine.process.pid, None, False, 0, 0, 0)
    assert engine.read() == (2, MediaInfo("image", "image/png", 50, 50, 0, 70, "few pixels"))


NOISY_DECODER = """
import os, sys
import gemma_tui.preprocessing.probe as media
from gemma_tui.preprocessing import decoder
quiet = media.probe
def noisy(path, name):
    print("stray print", flush=True)
    os.write(1, b"stray write")
    sys.stderr.write("stray error")
    if name == "defect":
        raise AttributeError("what the user wrote")
    return quiet(path, name)
media.probe = noisy
decoder.main()
"""
NOISY = f"""
import os, sys
from gemma_tui.runtime import decoders, worker
quiet = decoders.Decoders.probe
def noisy(self, path, name):
    print("engine print", flush=True)
    os.write(1, b"engine write")
    return quiet(self, path, name)
decoders.Decoders.probe = noisy
decoders.Decoders.__init__.__defaults__ = (None, (sys.executable, "-c", {NOISY_DECODER!r}))
worker.main()
"""


def test_what_libraries_print_never_reaches_the_pipe(
    run: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = run(NOISY)
    png(tmp_path / "red.png", (255, 0, 0), side=50)
    for number in (1, 2):
        engine.send(number, Probe(str(tmp_path / "red.png"), "red.png"))
    assert {engine.read()[0], engine.read()[0]} == {1, 2}
    log = engine.log.read_text()
    for words in ("engine print", "engine write", "stray print", "stray write", "stray error"):
        assert words in log


def test_a_defect_in_media_work_is_an_answer(run: Callable[..., Engine], tmp_path: Path) -> None:
    engine = run(NOISY)
    engine.send(1, Probe(str(tmp_path / "red.png"), "defect"))
    _, failed = engine.read()
    assert failed.error == "EngineError"
    assert "AttributeError" in failed.message
    assert "what the user wrote" not in engine.log.read_text()
    engine.send(2, Status())
    assert engine.read()[0] == 2


def test_a_reader_that_stops_reading_does_not_stop_the_engine(
    run: Callable[..., Engine], endless_model: Path
) -> None:
    """The engine ends a reply that the pipe cannot hold before anyone reads a byte of it."""
    engine = run()
    engine.send(1, Load(str(endless_model)))
    engine.read_until(ModelLoaded)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(engine.events, fcntl.F_SETPIPE_SZ, 4096)
    request = ask("Count", max_tokens=LONG_REPLY)
    engine.send(2, Generate(request))
    read = engine.read_reply()
    engine.send(3, Generate(request))
    wait_for_log(engine.log, "reply: length", times=2)
    unread = engine.read_reply()
    assert text_of(unread) == text_of(read)
    assert finish_of(unread).usage.generated_tokens == LONG_REPLY


def wait_for_log(log: Path, words: str, *, times: int) -> None:
    """Wait until the engine has logged some words so often."""
    while log.read_text().count(words) < times:
        time.sleep(0.01)


RECORDING = """
import atexit, json, os, sys
events = []
sys.addaudithook(lambda name, args: events.append(name) if name.startswith("socket.") else None)
from gemma_tui.runtime import worker
def tell():
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    offline = {name: os.environ.get(name) for name in worker.OFFLINE}
    record = {"modules": modules, "sockets": events, "offline": offline}
    open(RECORD, "w").write(json.dumps(record))
atexit.register(tell)
worker.main()
"""


def test_it_loads_no_screen_and_opens_no_socket(
    run: Callable[..., Engine], tiny_model: Path, tmp_path: Path
) -> None:
    record = tmp_path / "record.json"
    engine = run(RECORDING.replace("RECORD,", f"{str(record)!r},"))
    picture = png(tmp_path / "red.png", (255, 0, 0))
    engine.send(1, Load(str(tiny_model)))
    engine.send(2, Generate(ask("What is this?", media=(picture,), max_tokens=4)))
    _, end = engine.read_until(Finished)
    assert end.usage.generated_tokens > 0
    engine.send(3, Shutdown())
    assert engine.process.wait() == 0
    told = json.loads(record.read_text())
    assert {"mlx", "numpy"} <= set(told["modules"])
    assert not {"PIL", "av"} & set(told["modules"])  # decoders are processes of their own
    assert not {"textual", "rich", "typer", "torch"} & set(told["modules"])
    assert told["sockets"] == []
    assert told["offline"]["HF_HUB_OFFLINE"] == "1"


def test_its_log_has_no_word_of_the_conversation(
    run: Callable[..., Engine], tiny_model: Path
) -> None:
    engine = run()
    engine.send(1, Load(str(tiny_model)))
    engine.send(2, Generate(ask("a very particular question", max_tokens=3)))
    engine.send(3, Generate(ask("a very particular question", max_tokens=0)))
    texts = ""
    while True:
        request_id, event = engine.read()
        if isinstance(event, TextDelta):
            texts += event.text
        if request_id == 3:
            break
    engine.send(4, Shutdown())
    engine.process.wait()
    log = engine.log.read_text()
    assert "Generate failed: UsageError" in log
    assert "particular" not in log
    assert not texts.strip() or texts not in log
    assert engine.log.stat().st_mode & 0o777 == 0o600
