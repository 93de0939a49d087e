"""The loop of plain mode: a line in, what it means done, until there are no more.

Ctrl+C stops the reply; with none to stop, the second one leaves.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import GemmaError
from gemma_tui.frontend.commands import looks_like_command, parse_call, plain_text, unknown_command
from gemma_tui.frontend.dropped import gone, may_be_dropped, parse_drop
from gemma_tui.plain.commands import ONLY_ON_A_SCREEN, PLAIN_COMMANDS
from gemma_tui.plain.conversing import PROGRESS_SECONDS
from gemma_tui.server_name import what_is_sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gemma_tui.engine.interface import Engine, EngineState
    from gemma_tui.plain.command_runner import CommandRunner
    from gemma_tui.plain.console import Console
    from gemma_tui.plain.conversing import Conversing
    from gemma_tui.plain.drafts import PlainDraft


KEEP_SECONDS: Final = 1.0
"""What a kill -9 may cost of a line that is being typed."""


class PlainLoop:
    """A chat line by line.

    Args:
        conversing: The open conversation.
        commands: What `/word` does.
        engine: Whatever answers.
        console: Where lines come from and go to.
        draft: What is to stand at the prompt.
    """

    def __init__(
        self,
        conversing: Conversing,
        commands: CommandRunner,
        engine: Engine,
        console: Console,
        draft: PlainDraft,
    ) -> None:
        self._conversing = conversing
        self._commands = commands
        self._engine = engine
        self._console = console
        self._draft = draft
        self._lines: list[str] = []  # of a message that goes on
        self._is_kept = True
        self._main: asyncio.Task[None] | None = None
        self._was_asked = False
        self._is_leaving = False
        self._told_at = time.monotonic()
        self._phase = ""
        self._problem = ""
        self.has_failed = False
        """Whether anything went wrong, for whoever runs a script."""

    async def run(self, start: Callable[[], Awaitable[None]]) -> None:
        """Chat until the input ends or the user leaves.

        Args:
            start: Begins to load a model.
        """
        unwatch = self._engine.watch(self._tell_engine)
        self._main = asyncio.ensure_future(self._read_lines())
        loading = asyncio.ensure_future(self._load(start))
        try:
            await self._main
        except asyncio.CancelledError:
            if not self._is_leaving:  # a signal
                raise
        finally:
            unwatch()
            loading.cancel()
            self._main.cancel()
            await self._keep()

    def interrupt(self) -> None:
        """Ctrl+C: stop the reply, or leave."""
        if self._conversing.stop():
            self._was_asked = False
        elif self._was_asked and self._main is not None:
            self._is_leaving = True
            self._main.cancel()
        else:
            self._was_asked = True
            self._console.note("\nCtrl+C again, or Ctrl+D, leaves. What was sent is kept.")

    async def _load(self, start: Callable[[], Awaitable[None]]) -> None:
        try:
            await start()
        except GemmaError as error:
            self._fail(error)

    async def _read_lines(self) -> None:
        if self._console.edits:
            self._console.say("gemma-tui, plain mode.")
            self._console.say("Write a message and press Enter. /help shows all commands.")
        await self._try(self._conversing.take_up_draft())
        while not self._commands.is_leaving:
            line = await self._line()
            if line is None:
                return
            self._was_asked = False
            await self._try(self._take(line))

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except GemmaError as error:
            self._fail(error)

    async def _line(self) -> str | None:
        """A line with those it goes on in."""
        offered, self._draft.offered = self._draft.offered, ""
        while True:
            line = await self._typed_line("… " if self._lines else "You: ", offered)
            offered = ""
            if line is not None and line.endswith("\\"):
                self._lines.append(line.removesuffix("\\"))
                continue
            lines, self._lines = self._lines, []
            if line is None:
                return "\n".join(lines) if lines else None
            return "\n".join((*lines, line))

    async def _typed_line(self, prompt: str, offered: str) -> str | None:
        """A line; while somebody types it, it is kept."""
        reading = asyncio.ensure_future(self._console.line(prompt, offered))
        patience = KEEP_SECONDS if self._console.edits else None
        try:
            while not (await asyncio.wait({reading}, timeout=patience))[0]:
                await self._keep()
            return await reading
        finally:
            reading.cancel()

    async def _keep(self) -> None:
        """Save what is typed and attached; say once that it cannot be."""
        was_kept, self._is_kept = self._is_kept, True
        try:
            await self._conversing.keep_draft("\n".join((*self._lines, self._console.typed)))
        except GemmaError as error:
            self._is_kept = False
            if was_kept:
                self._fail(error)

    async def _take(self, text: str) -> None:
        call = parse_call(text, PLAIN_COMMANDS)
        if call is not None:
            await self._commands.run(call)
        elif not text.strip() and not self._conversing.attachments:
            return
        elif not await self._attached(text):
            if looks_like_command(text):
                raise unknown_command(text, PLAIN_COMMANDS, ONLY_ON_A_SCREEN, "/help shows all.")
            await self._conversing.send(plain_text(text))

    async def _attached(self, text: str) -> bool:
        """Whether a text was nothing but paths of files; they are attached."""
        if not may_be_dropped(text):
            return False
        drop = await asyncio.to_thread(parse_drop, text)
        for path in drop.missing:
            self._fail(gone(path))
        if drop.found:
            await self._conversing.attach(drop.found)
        return bool(drop.found)

    def _fail(self, error: GemmaError) -> None:
        self.has_failed = True
        self._console.note(str(error))

    def _tell_engine(self, state: EngineState) -> None:
        """How far loading is, in a sentence now and then; problems at once."""
        now = time.monotonic()
        if state.phase == "loading" and now - self._told_at >= PROGRESS_SECONDS:
            self._told_at = now
            self._console.note(f"Loading the model, {state.fraction:.0%}.")
        limits = " ".join(state.model.limitations) if state.model else ""
        problem = state.problem or limits
        if problem and problem != self._problem:
            self._console.note(problem)
        self._problem = problem
        was_loading = self._phase in {"starting", "loading"}
        if state.phase == "ready" and was_loading and state.model and self._console.edits:
            sent = what_is_sent(state.model.folder) or "Nothing leaves this computer."
            self._console.note(f"{state.model.name} is ready. {sent}")
        self._phase = state.phase
