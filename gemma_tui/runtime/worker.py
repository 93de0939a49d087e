"""The engine process: `python -m gemma_tui.runtime.worker --log FILE [--cache FOLDER]`.

Reads requests from stdin on the main thread, has them done on other threads, and writes events to
stdout. It opens no socket, ends when its stdin closes, and writes everything else to its log.
Knows how to route requests, nothing of models or media.
"""

from __future__ import annotations

import argparse
import atexit
import faulthandler
import logging
import os
import signal
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, assert_never

from gemma_tui.engine.bandwidth_request import MeasureBandwidth
from gemma_tui.engine.interface import EngineStatus
from gemma_tui.engine.media_requests import Crop, Encode, FindClip, Preview, Probe, Unlock
from gemma_tui.engine.protocol import (
    Cancel,
    Convert,
    Count,
    Estimate,
    Failed,
    FrameDecoder,
    Generate,
    Load,
    Request,
    Shutdown,
    Status,
    Unload,
)
from gemma_tui.errors import EngineError, GemmaError, ModelError
from gemma_tui.network import OFFLINE, NetworkGuard, install_guard
from gemma_tui.runtime.decoders import Decoders
from gemma_tui.runtime.features import AHEAD, FeatureRequest, FeatureStore
from gemma_tui.runtime.jobs import Job, MlxThread
from gemma_tui.runtime.logfile import describe, open_log
from gemma_tui.runtime.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gemma_tui.generation import (
        GenerationRequest,
        Media,
        MediaInfo,
        MediaPreview,
        PromptSize,
    )
    from gemma_tui.runtime.disk_cache import DiskCache
    from gemma_tui.runtime.inference import Inference
    from gemma_tui.sound_clip import SoundClip

    _Answer = MediaInfo | MediaPreview | SoundClip | PromptSize

MEDIA_THREADS: Final = 2
"""One long clip must not keep a picture from being looked at; more would slow decoding."""

GRACE_SECONDS: Final = 2.0
"""How long a chunk of prefill may take to notice the end; then the process ends anyway."""


class Worker:
    """Routes requests to the threads that answer them.

    Args:
        outbox: Takes the events.
        log: The engine's log.
        cache: The folder for what would be slow to compute again; None keeps nothing on disk.
        network: The guard of this process.
    """

    def __init__(
        self,
        outbox: Outbox,
        log: logging.Logger,
        cache: Path | None = None,
        network: NetworkGuard | None = None,
    ) -> None:
        self._outbox = outbox
        self._network = network or NetworkGuard()
        self._log = log
        self._cache = cache
        self._disk: DiskCache | None = None
        self._pool = ThreadPoolExecutor(MEDIA_THREADS, thread_name_prefix="media")
        self._decoders = Decoders(log)
        self._features = FeatureStore(self._pool, self._decoders.features)
        self._inference: Inference | None = None
        self._mlx = MlxThread(self._create_inference, log)

    def serve(self, requests: Iterator[tuple[int, Request]]) -> None:
        """Answer requests until they end, or until one is `Shutdown`."""
        self._mlx.start()
        for request_id, request in requests:
            match request:
                case Load() | Unload() | Estimate() | Convert() | MeasureBandwidth():
                    self._mlx.submit(Job(request_id, request, emit=self._outbox.put))
                case Generate(request=prompt):
                    features = self._request_features(prompt.media)
                    job = Job(request_id, request, emit=self._outbox.put, features=features)
                    self._mlx.submit(job)
                case Cancel(target=target):
                    self._mlx.cancel(target)
                case Probe() | Preview() | Crop() | Encode() | FindClip() | Unlock():
                    self._in_pool(request_id, partial(self._decoders.look, request))
                case Count(request=prompt):
                    self._in_pool(request_id, partial(self._count, prompt))
                case Status():
                    self._outbox.put(request_id, self._status())
                case Shutdown():
                    return
                case _:
                    assert_never(request)

    def stop(self) -> None:
        """Cancel everything, and give the model's thread a moment to notice."""
        self._mlx.stop(GRACE_SECONDS)
        if self._disk is not None:
            self._disk.close(GRACE_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._decoders.close()

    def _request_features(self, media: Sequence[Media]) -> tuple[FeatureRequest, ...]:
        """Begin with the first media of a prompt whose soft tokens are not remembered."""
        inference, ahead = self._inference, AHEAD
        requests: list[FeatureRequest] = []
        for item in media:
            at_once = ahead > 0 and not (inference is not None and inference.knows(item))
            ahead -= at_once
            requests.append(FeatureRequest(self._features, item, at_once=at_once))
        return tuple(requests)

    def _create_inference(self) -> Inference:
        from gemma_tui.runtime.compiled_kernels import CompiledKernels  # noqa: PLC0415  # mlx
        from gemma_tui.runtime.disk_cache import DiskCache  # noqa: PLC0415  # imports numpy
        from gemma_tui.runtime.inference import Inference  # noqa: PLC0415  # imports mlx

        compiles = False
        if self._cache:
            self._disk = DiskCache(self._cache, self._log)
            kernels = CompiledKernels(self._cache / "kernels")
            if compiles := kernels.use():
                self._log.info("uses compiled kernels")
            kernels.make_later()
        self._inference = Inference(
            self._log, self._disk, look_into=self._decoders.probe, compiles=compiles
        )
        return self._inference

    def _status(self) -> EngineStatus:
        inference, network = self._inference, self._network.activity
        memory = inference.memory() if inference is not None else (0, 0)
        return EngineStatus(
            process_id=os.getpid(),
            model=inference.model_info if inference is not None else None,
            is_generating=self._mlx.is_generating,
            active_memory_bytes=memory[0],
            peak_memory_bytes=memory[1],
            cached_tokens=inference.cached_tokens if inference is not None else 0,
            device=inference.device() if inference is not None else None,
            connections=network.connections,
            refused_connections=network.refused,
        )

    def _count(self, request: GenerationRequest) -> PromptSize:
        inference = self._inference
        if inference is None:
            raise ModelError("No model is loaded.", "Choose a model first.")
        return inference.count(request)

    def _in_pool(self, request_id: int, work: Callable[[], _Answer]) -> None:
        """Answer with what `work` returns, from a thread that does not wait for MLX."""

        def answer(done: Future[_Answer]) -> None:
            if done.cancelled():
                return
            match done.exception():
                case None:
                    self._outbox.put(request_id, done.result())
                case GemmaError() as error:
                    self._outbox.put(request_id, Failed.from_error(error))
                case error:
                    self._log.error("media work failed: %s", describe(error))
                    sentence = f"Something unexpected went wrong ({type(error).__name__})."
                    failed = Failed.from_error(
                        EngineError(sentence, "The engine's log says where.")
                    )
                    self._outbox.put(request_id, failed)

        self._pool.submit(work).add_done_callback(answer)


def read_requests(descriptor: int) -> Iterator[tuple[int, Request]]:
    """Requests from a file descriptor, until it is closed at the other end.

    Raises:
        EngineError: What arrives is not a sequence of frames.
    """
    decoder = FrameDecoder()
    while data := os.read(descriptor, 1 << 16):
        yield from decoder.feed(data)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, waiting for the reader as long as it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def run(
    log: logging.Logger,
    protocol_in: int,
    protocol_out: int,
    cache: Path | None = None,
    network: NetworkGuard | None = None,
) -> int:
    """Serve until stdin closes; returns the exit code."""
    outbox = Outbox(lambda data: write_all(protocol_out, data))
    writer = threading.Thread(target=_write, args=(outbox, log), name="writer", daemon=True)
    writer.start()
    worker = Worker(outbox, log, cache, network)
    code = 0
    try:
        worker.serve(read_requests(protocol_in))
    except EngineError as error:
        log.error("stopped: %s", error.message)  # noqa: TRY400  # the place tells nothing
        code = 1
    worker.stop()
    outbox.close()
    writer.join(GRACE_SECONDS)
    log.info("ended")
    return code


def _write(outbox: Outbox, log: logging.Logger) -> None:
    try:
        outbox.run()
    except OSError as error:
        log.info("ended: nobody reads any more (%s)", error.strerror)
        _exit(0)


def _exit(code: int) -> NoReturn:
    """End the process without waiting for any thread.

    Python's own way out would wait for a codec that hangs, and aborts when a thread of MLX ends
    while it is under way (seen with mlx 0.32.4).
    """
    atexit._run_exitfuncs()
    logging.shutdown()
    os._exit(code)


def main() -> NoReturn:
    """Set the process up so that only frames reach the pipe, then serve."""
    parser = argparse.ArgumentParser(prog="gemma_tui.runtime.worker")
    parser.add_argument("--log", type=Path, required=True, metavar="FILE")
    parser.add_argument("--cache", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    os.environ.update(OFFLINE | {"TOKENIZERS_PARALLELISM": "false"})
    network = install_guard()
    os.umask(0o077)
    # Ctrl-C belongs to the app: it decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    protocol_in, protocol_out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    log = open_log(arguments.log)
    faulthandler.enable()
    log.info("started, Python %s", sys.version.split()[0])
    network.watch(lambda: log.warning("network: %s", network.activity))
    _exit(run(log, protocol_in, protocol_out, arguments.cache, network))


if __name__ == "__main__":
    main()
