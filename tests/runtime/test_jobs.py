"""The queue of work for MLX: order, cancels, and errors that do not end the thread."""

from __future__ import annotations

import logging
import queue
import threading
import weakref
from typing import TYPE_CHECKING, cast

import pytest

from gemma_tui.conversation import Usage
from gemma_tui.engine.protocol import Convert, Event, Failed, Generate, Load, Unload, Unloaded
from gemma_tui.errors import ModelError
from gemma_tui.generation import Finished, GenerationRequest
from gemma_tui.runtime.jobs import Job, MlxThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gemma_tui.runtime.inference import Inference

CANCELLED = Finished("cancelled", Usage())
WORDS = "secret words of a conversation"


class PanicError(BaseException):
    """As libraries in Rust raise it: no `Exception`."""


class Scene:
    """An MLX thread whose jobs are functions of the test."""

    def __init__(self) -> None:
        self.events: list[tuple[int, Event]] = []
        self.steps: dict[int, Callable[[Job], None]] = {}
        self.threads: set[str] = set()
        self.forgotten = 0
        self.left = 0
        self.pauses: queue.SimpleQueue[Callable[[Callable[[], bool]], None]] = queue.SimpleQueue()
        self.done = threading.Condition()
        create = cast("Callable[[], Inference]", lambda: self)
        self.mlx = MlxThread(create, logging.getLogger("test"))

    def perform(self, job: Job) -> None:
        self.threads.add(threading.current_thread().name)
        self.steps[job.request_id](job)

    def keep_reply(self) -> None:
        pass

    def use_pause(self, is_interrupted: Callable[[], bool]) -> None:
        if not self.pauses.empty():
            self.pauses.get()(is_interrupted)

    def leave(self) -> None:
        self.left += 1

    def forget(self) -> None:
        self.forgotten += 1

    def emit(self, request_id: int, event: Event) -> None:
        with self.done:
            self.events.append((request_id, event))
            self.done.notify_all()

    def submit(self, request_id: int, step: Callable[[Job], None], *, unload: bool = False) -> Job:
        self.steps[request_id] = step
        work = Unload() if unload else Generate(GenerationRequest(()))
        job = Job(request_id, work, emit=self.emit)
        self.mlx.submit(job)
        return job

    def wait_for(self, count: int) -> None:
        with self.done:
            assert self.done.wait_for(lambda: len(self.events) >= count, 60)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    scene.mlx.start()
    yield scene
    assert scene.mlx.stop(60)


def finish(job: Job) -> None:
    job.emit(Finished("stop", Usage()))


def test_jobs_run_in_order_on_one_thread(scene: Scene) -> None:
    for number in range(20):
        scene.submit(number, finish)
    scene.wait_for(20)
    assert [number for number, _ in scene.events] == list(range(20))
    assert scene.threads == {"mlx"}


def test_a_waiting_reply_is_cancelled_at_once_and_never_begins(scene: Scene) -> None:
    running, released = threading.Event(), threading.Event()

    def hold(job: Job) -> None:
        running.set()
        assert released.wait(60)
        finish(job)

    scene.submit(1, hold)
    assert running.wait(60)
    assert scene.mlx.is_generating
    scene.submit(2, finish)
    scene.submit(3, finish)
    scene.mlx.cancel(2)
    assert scene.events == [(2, CANCELLED)]
    scene.mlx.cancel(2)
    released.set()
    scene.wait_for(3)
    assert [number for number, _ in scene.events] == [2, 1, 3]


def test_a_waiting_conversion_is_stopped_at_once() -> None:
    answers: list[Event] = []
    work = Convert("folder", "new", 4)
    job = Job(1, work, emit=lambda _number, event: answers.append(event))
    job.cancel()
    assert not job.begin()
    (answer,) = answers
    assert isinstance(answer, Failed)
    assert "was stopped" in answer.message


def test_a_running_reply_sees_that_it_is_cancelled(scene: Scene) -> None:
    running = threading.Event()

    def until_cancelled(job: Job) -> None:
        running.set()
        job.cancelled.result(60)
        assert job.is_cancelled()
        job.emit(CANCELLED)

    scene.submit(1, until_cancelled)
    assert running.wait(60)
    scene.mlx.cancel(1)
    scene.wait_for(1)
    assert scene.events == [(1, CANCELLED)]


def test_a_job_that_has_ended_cannot_be_cancelled_any_more(scene: Scene) -> None:
    scene.submit(1, finish)
    scene.wait_for(1)
    scene.submit(2, finish)
    scene.wait_for(2)
    scene.mlx.cancel(1)
    scene.mlx.cancel(99)
    assert len(scene.events) == 2


def test_an_error_is_an_answer_and_the_thread_lives_on(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(job: Job) -> None:
        raise ModelError("It cannot.", "Choose another.")

    def break_down(job: Job) -> None:
        raise ZeroDivisionError(WORDS)

    def panic(job: Job) -> None:
        raise PanicError(WORDS)

    scene.submit(1, refuse)
    scene.submit(2, break_down)
    scene.submit(3, break_down, unload=True)
    scene.submit(4, lambda job: job.emit(Unloaded()), unload=True)
    scene.submit(5, panic)
    scene.wait_for(5)
    failed = [event for _, event in scene.events if isinstance(event, Failed)]
    assert failed[0] == Failed("ModelError", "It cannot.", "Choose another.")
    assert failed[1].error == "EngineError"
    assert "writing the reply (ZeroDivisionError)" in failed[1].message
    assert "freeing the model" in failed[2].message
    assert scene.events[3] == (4, Unloaded())
    assert "writing the reply (PanicError)" in failed[3].message
    assert scene.forgotten == 3
    assert "break_down" in caplog.text
    assert WORDS not in caplog.text


def test_a_model_is_left_before_another_one_comes(scene: Scene) -> None:
    left: list[int] = []

    def look(job: Job) -> None:
        left.append(scene.left)
        finish(job)

    scene.submit(1, look)
    scene.submit(2, look, unload=True)
    scene.submit(3, look)
    scene.submit(4, look, unload=True)
    scene.wait_for(4)
    assert left == [0, 1, 1, 2]


def test_a_job_that_has_ended_leaves_nothing_in_memory(scene: Scene) -> None:
    job = scene.submit(1, finish)
    gone = threading.Event()
    weakref.finalize(job, gone.set)
    del job
    assert gone.wait(60)


def test_what_cannot_even_be_imported_is_an_answer() -> None:
    def broken() -> Inference:
        raise ImportError("no such library: mlx")

    answers: queue.SimpleQueue[tuple[int, Event]] = queue.SimpleQueue()
    mlx = MlxThread(broken, logging.getLogger("test"))
    mlx.start()
    mlx.submit(Job(1, Load("folder"), emit=lambda *answer: answers.put(answer)))
    number, failed = answers.get(timeout=60)
    assert mlx.stop(60)
    assert number == 1
    assert isinstance(failed, Failed)
    assert "loading the model (ImportError)" in failed.message


def test_a_new_job_interrupts_a_pause(scene: Scene) -> None:
    begun, interrupted = threading.Event(), threading.Event()

    def use_pause(is_interrupted: Callable[[], bool]) -> None:
        begun.set()
        while not is_interrupted():
            pass
        interrupted.set()

    scene.pauses.put(use_pause)
    scene.submit(1, finish)
    assert begun.wait(60)
    assert not scene.mlx.is_generating
    scene.submit(2, finish)
    scene.wait_for(2)
    assert interrupted.is_set()


def test_an_error_in_a_pause_is_logged_and_what_is_remembered_dropped(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(is_interrupted: Callable[[], bool]) -> None:
        raise PanicError(WORDS)

    scene.pauses.put(fail)
    scene.submit(1, finish)
    scene.submit(2, finish)
    scene.wait_for(2)
    assert scene.forgotten == 1
    assert "preparing failed" in caplog.text
    assert WORDS not in caplog.text


def test_what_nobody_waits_for_does_not_interrupt_a_pause(scene: Scene) -> None:
    begun, may_end = threading.Event(), threading.Event()
    looks: list[bool] = []

    def use_pause(is_interrupted: Callable[[], bool]) -> None:
        begun.set()
        assert may_end.wait(60)
        looks.append(is_interrupted())

    scene.pauses.put(use_pause)
    scene.submit(1, finish)
    assert begun.wait(60)
    scene.steps[2] = finish
    aside = Generate(GenerationRequest((), is_aside=True))
    scene.mlx.submit(Job(2, aside, emit=scene.emit))
    may_end.set()
    scene.wait_for(2)
    assert looks == [False]
