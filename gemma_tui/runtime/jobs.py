"""The queue of work for MLX, and the one thread that does it.

MLX streams and lazy arrays belong to the thread that made them, so import, load, generate and
free all happen here, one job after the other. Knows nothing of the pipe, nor of models.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from gemma_tui.conversation import Usage
from gemma_tui.engine.bandwidth_request import MeasureBandwidth
from gemma_tui.engine.protocol import Convert, Estimate, Event, Failed, Generate, Load, Unload
from gemma_tui.errors import EngineError, GemmaError
from gemma_tui.generation import Finished
from gemma_tui.runtime.logfile import describe

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from gemma_tui.runtime.features import FeatureRequest
    from gemma_tui.runtime.inference import Inference

Work: TypeAlias = Load | Generate | Unload | Estimate | Convert | MeasureBandwidth


class Job:
    """One request for the MLX thread.

    Args:
        request_id: The request that it answers.
        work: What to do.
        features: Of the media of a `Generate`, in the order of its prompt.
        emit: Takes the events that answer it, from any thread.
    """

    def __init__(
        self,
        request_id: int,
        work: Work,
        *,
        emit: Callable[[int, Event], None],
        features: tuple[FeatureRequest, ...] = (),
    ) -> None:
        self.request_id = request_id
        self.work = work
        self.features = features
        self.cancelled: Future[None] = Future()
        """Done as soon as nobody wants the answer any more; a future, so that it can be waited
        for together with others."""
        self._emit = emit
        self._lock = threading.Lock()
        self._has_begun = False
        self.is_finished = False
        """Whether the end of its reply has been told."""

    @property
    def is_aside(self) -> bool:
        """Whether nobody waits for it."""
        return isinstance(self.work, Generate) and self.work.request.is_aside

    def emit(self, event: Event) -> None:
        """Answer with one event."""
        # Before it is on its way: who reads the end must not hear that it is still being written.
        self.is_finished = self.is_finished or isinstance(event, Finished)
        self._emit(self.request_id, event)

    def is_cancelled(self) -> bool:
        """Whether to stop before the next step."""
        return self.cancelled.done()

    def begin(self) -> bool:
        """Take the job up; False when it was cancelled while it waited."""
        with self._lock:
            self._has_begun = True
            return not self.cancelled.done()

    def cancel(self) -> None:
        """Stop it before its next step; one that still waits in the queue is answered at once."""
        with self._lock:
            if self.cancelled.done():
                return
            self.cancelled.set_result(None)
            if self._has_begun:
                return
            if isinstance(self.work, Generate):
                self.emit(Finished("cancelled", Usage()))
            elif isinstance(self.work, Convert):
                self.emit(Failed.from_error(stopped_conversion()))


class MlxThread:
    """Runs jobs in order on a thread of its own.

    Args:
        create: Makes what does the work; called on the thread, as it imports mlx.
        log: Where unexpected errors are described.
    """

    def __init__(self, create: Callable[[], Inference], log: logging.Logger) -> None:
        self._create = create
        self._log = log
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._urgent = 0  # entries of the queue that somebody waits for
        self._current: Job | None = None
        self._thread = threading.Thread(target=self._run, name="mlx", daemon=True)

    def start(self) -> None:
        """Begin with importing mlx."""
        self._thread.start()

    @property
    def is_generating(self) -> bool:
        """Whether a reply is being written at this moment."""
        current = self._current
        if current is None or current.is_finished:
            return False
        return isinstance(current.work, Generate)

    def submit(self, job: Job) -> None:
        """Append a job to the queue."""
        with self._lock:
            self._jobs[job.request_id] = job
            self._urgent += not job.is_aside
        self._queue.put(job)

    def cancel(self, request_id: int) -> None:
        """Cancel a job; one that has already ended is not there any more."""
        with self._lock:
            job = self._jobs.get(request_id)
        if job is not None:
            job.cancel()

    def stop(self, grace_seconds: float) -> bool:
        """Cancel everything and end the thread; False when it did not end in time."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        with self._lock:
            self._urgent += 1
        self._queue.put(None)
        self._thread.join(grace_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        inference: Inference | None = None
        while job := self._queue.get():
            with self._lock:
                self._urgent -= not job.is_aside
            if job.begin():
                self._current = job
                if inference is not None and isinstance(job.work, Load | Unload):
                    self._attempt(inference, inference.leave)
                inference = self._perform(job, inference)
                self._current = None
            with self._lock:
                del self._jobs[job.request_id]
            # Its features must not stay in memory until the next job comes.
            del job
            if inference is not None:
                self._attempt(inference, inference.keep_reply)
                self._attempt(inference, partial(inference.use_pause, lambda: self._urgent > 0))

    def _perform(self, job: Job, inference: Inference | None) -> Inference | None:
        """Do one job; whatever goes wrong becomes its answer, and the thread lives on."""
        try:
            if inference is None:
                inference = self._create()
            inference.perform(job)
        except GemmaError as error:
            self._log.info("%s failed: %s", type(job.work).__name__, type(error).__name__)
            job.emit(Failed.from_error(error))
        except BaseException as error:  # noqa: BLE001  # a panic in Rust is not an Exception
            self._log.error("%s failed: %s", type(job.work).__name__, describe(error))
            if inference is not None:
                inference.forget()
            job.emit(Failed.from_error(_unexpected(error, job.work)))
        return inference

    def _attempt(self, inference: Inference, prepare: Callable[[], None]) -> None:
        """Prepare for a later job; nobody waits for it, so it may fail."""
        try:
            prepare()
        except BaseException as error:  # noqa: BLE001  # as above
            self._log.error("preparing failed: %s", describe(error))
            inference.forget()


def stopped_conversion() -> EngineError:
    """The answer to a conversion that nobody wants any more."""
    return EngineError("The conversion was stopped.", "Nothing of it was kept.")


def _unexpected(error: BaseException, work: Work) -> EngineError:
    doing = {
        Load: "loading the model",
        Unload: "freeing the model",
        Estimate: "estimating the memory a model needs",
        Convert: "converting the model",
    }.get(type(work))
    return EngineError(
        f"Something unexpected went wrong while {doing or 'writing the reply'}"
        f" ({type(error).__name__}).",
        "The engine's log says where.",
    )
