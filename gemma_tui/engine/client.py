"""`EngineClient`: the engine in a process of its own, kept alive across crashes.

Sends requests, follows the state for a status line, and starts a successor when one ends unasked.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gemma_tui.engine.interface import EnginePhase, EngineState, EngineStatus
from gemma_tui.engine.machine_client import MachineClient
from gemma_tui.engine.process import EngineProcess, how_it_ended, worker_command
from gemma_tui.engine.protocol import (
    Cancel,
    Count,
    Estimate,
    Generate,
    Load,
    ModelLoaded,
    Status,
    Unload,
)
from gemma_tui.errors import EngineError, EngineStoppedError, GemmaError
from gemma_tui.generation import (
    Finished,
    LoadProgress,
    MemoryEstimate,
    ModelInfo,
    PromptSize,
    ReplyProgress,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
    from pathlib import Path

    from gemma_tui.engine.inbox import Inbox
    from gemma_tui.engine.protocol import Request
    from gemma_tui.generation import GenerationEvent, GenerationRequest

_T = TypeVar("_T")

MAX_CRASHES: Final = 3
"""After so many in a row without a finished reply it waits for the next request."""


class EngineClient(MachineClient):
    """The engine process, as everything above it sees it (implements `interface.Engine`).

    Args:
        log_path: Where the engine logs; made if it is not there.
        command: What to run; without it the engine, which then keeps nothing on disk.
    """

    def __init__(self, log_path: Path, *, command: Sequence[str] | None = None) -> None:
        self._log_path = log_path
        self._command = tuple(command) if command is not None else worker_command(log_path)
        self._state = EngineState("stopped")
        self._listeners: list[Callable[[EngineState], None]] = []
        self._process: EngineProcess | None = None
        self._folder: Path | None = None  # the model that is wanted
        self._requested: Path | None = None  # the model that this process was asked for
        self._loading: asyncio.Task[ModelInfo] | None = None  # the newest; others move no state
        self._replies: list[Inbox] = []  # written now or waiting for that, the oldest first
        self._crashes, self._is_closed = 0, False
        self._is_suspended = False  # then the wanted model waits until somebody asks for a reply
        self._spawning = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def state(self) -> EngineState:
        """What the engine is doing now."""
        return self._state

    def watch(self, listener: Callable[[EngineState], None]) -> Callable[[], None]:
        """Call `listener` on every change of `state`; returns a function that ends that."""
        self._listeners.append(listener)

        def unwatch() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return unwatch

    async def start(self, folder: Path) -> None:
        """Begin to start and to load `folder`; returns at once, `state` tells the progress."""
        self._folder, self._is_suspended = folder, False
        self._set_state(EngineState("starting"))
        self._in_background(self._start())

    async def load(self, folder: Path) -> ModelInfo:
        """Load a model, in place of the present one; of two at a time the later one counts.

        Raises:
            ModelError: The folder cannot be loaded; the engine lives on without a model.
            EngineStoppedError: The engine process ended meanwhile.
        """
        self._folder, self._requested = folder, None
        self._crashes, self._is_suspended = 0, False
        await self._running()
        if self._loading is None:
            raise EngineStoppedError("The engine process stopped.", "Try again.")
        return await asyncio.shield(self._loading)

    async def unload(self) -> None:
        """Free the model's memory."""
        self._folder = self._requested = self._loading = None
        self._is_suspended = False
        if self._process is not None and self._process.is_alive:
            await self._process.request(Unload()).last()
            if self._loading is None:  # otherwise a load that was asked for meanwhile tells it
                self._set_state(EngineState("ready"))

    async def suspend(self) -> bool:
        """Free the model's memory until a reply is asked for; False while anything is under way."""
        if self._state.phase != "ready" or self._state.model is None or self._process is None:
            return False
        self._is_suspended, self._requested, self._loading = True, None, None
        self._set_state(EngineState("unloaded"))
        await self._process.request(Unload()).last()
        return True

    def wake(self) -> None:
        """Begin to load the model that `suspend` freed, if it did."""
        if self._is_suspended:
            self._is_suspended = False
            self._in_background(self._start())

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """Stream one reply, ending with `Finished`. Waits for a model that is still loading.

        Closing the generator early cancels the reply: the engine stops with the present token.

        Raises:
            GemmaError: Whatever kept the reply from being finished.
        """
        self._is_suspended = False
        process = await self._running()
        inbox = process.request(Generate(request))
        self._replies.append(inbox)
        self._show_whether_generating()
        try:
            while not inbox.is_ended:
                for event in await inbox.take():
                    if isinstance(event, Finished):
                        self._crashes = 0
                        self._set_state(replace(self._state, problem=""))
                        self._leave(inbox)
                        yield event
                    elif isinstance(event, ReplyProgress):
                        yield event
        finally:
            if not inbox.is_ended:
                process.forget(inbox)
                process.send(Cancel(inbox.request_id))
            self._leave(inbox)

    async def cancel(self) -> None:
        """Stop the running reply, if any: its stream ends with `Finished("cancelled", …)`."""
        if self._replies and self._process is not None:
            self._process.send(Cancel(self._replies[0].request_id))

    async def count(self, request: GenerationRequest) -> PromptSize:
        """What the prompt of `request` takes; raises a `ModelError` while no model is loaded."""
        return await self._answer(Count(request), PromptSize)

    async def status(self) -> EngineStatus:
        """A snapshot of the engine process; raises `EngineError` if it failed."""
        return await self._answer(Status(), EngineStatus)

    async def estimate(self, request: Estimate) -> MemoryEstimate:
        """What a folder would need in memory; raises a `ModelError` when it cannot be loaded."""
        return await self._answer(request, MemoryEstimate)

    async def close(self) -> None:
        """End the engine process; nothing can be asked afterwards."""
        self._is_closed = True
        async with self._spawning:
            process, self._process = self._process, None
        if process is not None:
            process.fail_all(EngineStoppedError("The engine was closed."))
            await process.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._set_state(EngineState("stopped"))

    async def _answer(self, request: Request, kind: type[_T]) -> _T:
        """The one answer to a request."""
        event = await (await self._running()).request(request).last()
        if not isinstance(event, kind):
            raise EngineError(f"The engine gave an answer out of place ({type(event).__name__}).")
        return event

    async def _start(self) -> None:
        """Start and load in the background, where a failure can only show in the state."""
        try:
            await self._running()
        except GemmaError as error:
            self._set_state(EngineState("failed", problem=str(error)))

    async def _running(self) -> EngineProcess:
        """The living process, with the wanted model on its way; started if there is none."""
        # Whoever waits may be cancelled; a process that has been half started may not.
        return await asyncio.shield(self._in_background(self._bring_up()))

    async def _bring_up(self) -> EngineProcess:
        async with self._spawning:
            if self._is_closed:
                raise EngineStoppedError("The engine was closed.")
            process = self._process
            if process is None or not process.is_alive:
                self._set_state(EngineState("starting", problem=self._state.problem))
                process = await EngineProcess.spawn(self._command, self._log_path, self._ended)
                self._process, self._requested = process, None
                if self._folder is None or self._is_suspended:
                    phase: EnginePhase = "unloaded" if self._is_suspended else "ready"
                    self._set_state(EngineState(phase, problem=self._state.problem))
            if self._requested != self._folder and not (self._folder is None or self._is_suspended):
                self._requested = self._folder
                inbox = process.request(Load(str(self._folder)))
                self._loading = self._in_background(self._follow_load(inbox))
            return process

    async def _follow_load(self, inbox: Inbox) -> ModelInfo:
        """Let the state follow a load, and return what was loaded."""
        this = asyncio.current_task()
        self._set_state(EngineState("loading", problem=self._state.problem))
        try:
            while True:
                for event in await inbox.take():
                    match event:
                        case LoadProgress(fraction=fraction) if self._loading is this:
                            self._set_state(replace(self._state, fraction=fraction))
                        case ModelLoaded(info=info):
                            if self._loading is this:
                                state = replace(self._state, phase="ready", model=info)
                                self._set_state(replace(state, fraction=1.0))
                                self._show_whether_generating()
                            return info
        except EngineStoppedError:
            raise
        except GemmaError as error:
            if self._loading is this:
                self._set_state(EngineState("failed", problem=str(error)))
            raise

    def _ended(self, process: EngineProcess, code: int) -> None:
        """A process has ended: tell everyone who waits, and start the next one."""
        if self._is_closed:
            process.fail_all(EngineStoppedError("The engine was closed."))
            return
        sentence = f"The engine process stopped unexpectedly ({how_it_ended(code)})."
        self._crashes += 1
        if process is not self._process:  # a request was quicker, and has started the next one
            process.fail_all(EngineStoppedError(sentence, "It was restarted: ask again."))
            return
        self._process = self._loading = None
        self._replies.clear()
        if self._crashes < MAX_CRASHES:
            error = EngineStoppedError(sentence, "It was restarted: ask again.")
            self._set_state(EngineState("stopped", problem=str(error)))
            self._in_background(self._start())
        else:
            error = EngineStoppedError(
                f"{sentence} It has done so {self._crashes} times in a row.",
                f"Its log may say why: {self._log_path}",
            )
            self._set_state(EngineState("failed", problem=str(error)))
        process.fail_all(error)

    def _leave(self, inbox: Inbox) -> None:
        if inbox in self._replies:
            self._replies.remove(inbox)
            self._show_whether_generating()

    def _show_whether_generating(self) -> None:
        if self._state.phase in ("ready", "generating"):
            self._set_state(replace(self._state, phase="generating" if self._replies else "ready"))

    def _set_state(self, state: EngineState) -> None:
        if state != self._state:
            self._state = state
            for listener in tuple(self._listeners):
                listener(state)

    def _in_background(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._settle)
        return task

    def _settle(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Asking marks it as seen: whoever waits for the load has it, and the state tells it.
            task.exception()
