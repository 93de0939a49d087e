"""`RoutingEngine`: the engine process and the servers of the settings, as one engine.

Replies are written by whichever was loaded last. Files are always looked into on this machine: a
server gets what a prompt needs, and nothing before something is asked.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gemma_tui.engine.interface import EngineState
from gemma_tui.errors import GemmaError, ModelError
from gemma_tui.server_name import server_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from pathlib import Path

    from gemma_tui.engine.bandwidth_request import Bandwidth
    from gemma_tui.engine.interface import Engine, EngineStatus
    from gemma_tui.engine.media_requests import Crop, FindClip, Unlock
    from gemma_tui.engine.protocol import Estimate
    from gemma_tui.engine.remote import RemoteModel
    from gemma_tui.generation import (
        GenerationEvent,
        GenerationRequest,
        MediaInfo,
        MediaPreview,
        MemoryEstimate,
        ModelInfo,
        PromptSize,
    )
    from gemma_tui.sound_clip import SoundClip


class RoutingEngine:
    """Has replies written where the model is (implements `interface.Engine`).

    Args:
        local: The engine process.
        find_remote: The model of a server by the server's name; called in a thread, as it reads
            the settings, and raises a `GemmaError` if there is none.
    """

    def __init__(self, local: Engine, find_remote: Callable[[str], RemoteModel]) -> None:
        self._local = local
        self._find_remote = find_remote
        self._server = ""  # the one that is wanted; empty: the engine process
        self._remote: RemoteModel | None = None  # its model, once it has answered
        self._state = EngineState("stopped")  # of the server, or of one that is being asked
        self._is_asking = False
        self._is_kept = False  # a server did not answer: what was loaded before is loaded still
        self._writing = 0
        self._listeners: list[Callable[[EngineState], None]] = []
        self._told = local.state
        self._asking = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        local.watch(lambda _: self._tell())

    @property
    def state(self) -> EngineState:
        """What answers is doing now."""
        return self._state if self._server or self._is_asking else self._local.state

    def watch(self, listener: Callable[[EngineState], None]) -> Callable[[], None]:
        """Call `listener` on every change of `state`; returns a function that ends that."""
        self._listeners.append(listener)

        def unwatch() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return unwatch

    async def start(self, folder: Path) -> None:
        """Begin to load a folder, or to ask a server; returns at once, `state` tells the rest."""
        if not server_of(folder):
            await self._local.start(folder)
            return
        self._server = server_of(folder)
        self._set_state(EngineState("loading", server=self._server))
        self._in_background(self._connected())
        self._in_background(self._local.status())  # its process looks into what is attached

    async def load(self, folder: Path) -> ModelInfo:
        """Have the model of a folder or of a server answer; returns when it is ready.

        Until a server has answered, the model before stays where it is.

        Raises:
            GemmaError: The folder cannot be loaded, or the server is not in the settings, or did
                not answer as it should.
        """
        if name := server_of(folder):
            return await self._ask(name)
        is_kept, self._is_kept = self._is_kept, False
        model = self._local.state.model
        if is_kept and not self._server and model is not None and model.folder == str(folder):
            return model
        await self._leave_server()
        return await self._local.load(folder)

    async def unload(self) -> None:
        """Free the model's memory; a server is left alone from then on."""
        await self._leave_server()
        await self._local.unload()

    async def suspend(self) -> bool:
        """Free the memory of a model of this machine; one elsewhere takes none here."""
        return not self._server and await self._local.suspend()

    def wake(self) -> None:
        """Begin to load what `suspend` freed."""
        if not self._server:
            self._local.wake()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """Stream one reply, ending with `Finished`, by the model that is loaded.

        Raises:
            GemmaError: Whatever kept the reply from being finished.
        """
        if not self._server:
            async with aclosing(self._local.generate(request)) as events:
                async for event in events:
                    yield event
            return
        remote = await self._connected()
        self._count_writing(+1)
        try:
            async with aclosing(remote.generate(request)) as events:
                async for event in events:
                    yield event
        finally:
            self._count_writing(-1)

    async def cancel(self) -> None:
        """Stop the running reply, if any: its stream ends with `Finished("cancelled", …)`."""
        if self._remote is not None:
            self._remote.cancel()
        await self._local.cancel()

    async def probe(self, path: Path, name: str) -> MediaInfo:
        """As the engine process."""
        return await self._local.probe(path, name)

    async def preview(self, path: Path, name: str, *, is_large: bool = False) -> MediaPreview:
        """As the engine process."""
        return await self._local.preview(path, name, is_large=is_large)

    async def crop(self, request: Crop) -> MediaInfo:
        """As the engine process."""
        return await self._local.crop(request)

    async def unlock(self, request: Unlock) -> MediaInfo:
        """As the engine process."""
        return await self._local.unlock(request)

    async def find_clip(self, request: FindClip) -> SoundClip:
        """As the engine process."""
        return await self._local.find_clip(request)

    async def estimate(self, request: Estimate) -> MemoryEstimate:
        """As the engine process."""
        return await self._local.estimate(request)

    async def measure_bandwidth(self) -> Bandwidth:
        """How fast the memory of this machine is."""
        return await self._local.measure_bandwidth()

    async def status(self) -> EngineStatus:
        """Of the engine process."""
        return await self._local.status()

    async def count(self, request: GenerationRequest) -> PromptSize:
        """What a prompt takes; of a server's model an estimate.

        Raises:
            ModelError: No model is loaded, so nobody knows.
        """
        if not self._server:
            return await self._local.count(request)
        model = self._state.model
        if self._remote is None or model is None:
            raise ModelError("No model is loaded.", "Choose a model first.")
        return self._remote.count(request, model)

    async def close(self) -> None:
        """End every connection, and the engine process."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._leave_server()
        await self._local.close()

    async def _connected(self) -> RemoteModel:
        """The server's model, asked again for if it did not answer before."""
        if self._remote is None:
            await self._ask(self._server)
        assert self._remote is not None
        return self._remote

    async def _ask(self, name: str) -> ModelInfo:
        """Have a server answer from now on, once it has said what it can do.

        Raises:
            GemmaError: It is not in the settings, or did not answer: what was before answers still.
        """
        async with self._asking:
            present = self._state.model
            if self._remote is not None and self._remote.server.name == name and present:
                return present
            before, self._is_asking = self._state, True
            self._set_state(EngineState("loading", server=name))
            info = None
            try:
                remote = await asyncio.to_thread(self._find_remote, name)
                try:
                    info = await remote.connect()
                finally:
                    if info is None:
                        await remote.close()
            except GemmaError as error:
                if self._server == name:  # there was nothing before
                    before = EngineState("failed", problem=str(error))
                raise
            finally:
                self._is_asking, self._is_kept = False, info is None
                if info is None:
                    self._set_state(before)
            old, self._remote, self._server = self._remote, remote, name
            self._set_state(EngineState("ready", info))
        if old is not None:
            await old.close()
        await self._local.unload()  # its memory is worth more than coming back a little sooner
        return info

    async def _leave_server(self) -> None:
        remote, self._remote, self._server = self._remote, None, ""
        if remote is not None:
            await remote.close()
        self._set_state(EngineState("stopped"))

    def _count_writing(self, change: int) -> None:
        self._writing += change
        if self._state.phase in {"ready", "generating"}:
            phase = "generating" if self._writing else "ready"
            self._set_state(replace(self._state, phase=phase))  # type: ignore[arg-type]

    def _set_state(self, state: EngineState) -> None:
        self._state = state
        self._tell()

    def _tell(self) -> None:
        state = self.state
        if state != self._told:
            self._told = state
            for listener in tuple(self._listeners):
                listener(state)

    def _in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._settle)

    def _settle(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # the state tells it
