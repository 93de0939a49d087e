"""One decoder process as its caller sees it: a call goes in, a value comes out, or it ends."""

from __future__ import annotations

import fcntl
import os
import selectors
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
"""Threads of a library reserve memory for each core, and the features of a clip need one. glibc is
to keep the memory of one picture for the next: asking the system anew for it costs 4 ms."""

MAX_ANSWER_BYTES: Final = 16 << 20
"""Without its arrays; a large preview has 740 kB."""

_PIPE_BYTES: Final = 1 << 20
"""Where the system lets a pipe be larger than 64 kB, two processes take turns less often."""


@dataclass(frozen=True, slots=True)
class DecoderLimits:
    """What decoding one file may take."""

    seconds: float = 60.0
    """By the clock, and by the processor. 100 megapixels of JPEG 2000 take 20 s."""
    memory_bytes: int = 4 << 30
    """Address space, libraries included; not on macOS, which has no such limit. A picture of 100
    megapixels takes up to 1.7 GB."""


class DecoderEndedError(Exception):
    """The process is not there any more."""


class DecoderProcess:
    """One process, and the two ends of its pipes.

    Args:
        command: How it is started.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT},
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # a user may have used up what pipes may take
                fcntl.fcntl(self._answers, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._answers, selectors.EVENT_READ)
        self._deadline = 0.0

    @property
    def process_id(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs still."""
        return self._process.poll() is None

    def call(self, request: object, limits: DecoderLimits) -> Any:  # noqa: ANN401  # any value
        """Send a request and wait for its answer.

        Raises:
            TimeoutError: It did not come in time.
            ValueError: The answer is none of ours.
            DecoderEndedError: The process ended.
        """
        from gemma_tui.preprocessing.transport import pack, unpack  # noqa: PLC0415  # imports numpy

        self._deadline = time.monotonic() + limits.seconds
        try:
            self._requests.write(pack(request)[0])
        except OSError as error:
            raise DecoderEndedError from error
        length = int.from_bytes(self._exactly(4), "big")
        if length > MAX_ANSWER_BYTES:
            raise ValueError("an answer longer than any")
        return unpack(self._exactly(length), self._fill)

    def end(self, grace_seconds: float = 0.0) -> int:
        """End it, unless it ends by itself; returns its exit code, negative for a signal."""
        try:
            self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._waiting.close()
        self._requests.close()
        self._answers.close()
        return self._process.wait()

    def _exactly(self, size: int) -> bytes:
        data = bytearray(size)
        self._read_into(memoryview(data))
        return bytes(data)

    def _fill(self, array: NDArray[Any]) -> None:
        if array.size:
            self._read_into(array.data.cast("B"))

    def _read_into(self, view: memoryview) -> None:
        while view:
            left = self._deadline - time.monotonic()
            if left <= 0 or not self._waiting.select(left):
                raise TimeoutError
            count = os.readv(self._answers.fileno(), [view])
            if count == 0:
                raise DecoderEndedError
            view = view[count:]
