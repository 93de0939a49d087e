"""`gemma-tui serve`: the model for other programs of this machine, until Ctrl-C.

Wires the engine to the server; stores nothing and says nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemma_tui.answer_stream import write_answer
from gemma_tui.cli.ask import log_path, show_state
from gemma_tui.cli.closed_output import require_output
from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.errors import UsageError
from gemma_tui.sanitize import sanitize_line
from gemma_tui.serve.access import Access, given_token, new_token
from gemma_tui.serve.answering import Answering, model_id
from gemma_tui.serve.application import Application
from gemma_tui.serve.fair_queue import FairQueue
from gemma_tui.serve.idle import IdleSuspension
from gemma_tui.serve.server import HOST, loopback_listener, run_server
from gemma_tui.server_name import server_of

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.generation import ModelInfo
    from gemma_tui.options import GenerationOptions
    from gemma_tui.paths import Paths


@dataclass(frozen=True, slots=True)
class ServeOrder:
    """What the command line asks for."""

    port: int
    """Where to listen on the loopback address; 0 finds a free port."""
    token_file: Path | None
    """Holds the token that clients have to know; None: the environment, or a new one."""
    model: Path
    """The model folder."""
    defaults: GenerationOptions
    """How replies are written where a request says nothing."""
    idle_minutes: int
    """After how long without a request the model's memory is freed; 0 never."""


def run_serve(order: ServeOrder, paths: Paths) -> int:
    """Serve until a signal; returns the exit code.

    Args:
        order: What the command line asks for.
        paths: Where the engine's log is.

    Raises:
        UsageError: The port is taken, the token cannot be used, or the model is a server's.
        ModelError: The model cannot be loaded.
        KeyboardInterrupt: Ctrl-C.
    """
    require_output(sys.stdout)
    if server := server_of(order.model):
        message = f"The model is one of the server “{sanitize_line(server)}”, not of this machine."
        raise UsageError(message, "Name a folder: gemma-tui serve --model FOLDER.")
    token = given_token(os.environ, order.token_file)
    return asyncio.run(until_signalled(_serve(order, token, log_path(paths))))


async def _serve(order: ServeOrder, token: str, log: Path) -> None:
    progress = Progress(sys.stderr)

    def tell(sentence: str) -> None:
        progress.tell(f"{time.strftime('%H:%M:%S')} {sentence}")

    with loopback_listener(order.port) as listener:
        engine = EngineClient(log, command=worker_command(log))
        unwatch = engine.watch(lambda state: show_state(progress, state))
        try:
            info = await engine.load(order.model)
            unwatch()
            progress.clear()
            port = listener.getsockname()[1]
            shown, token = token, token or new_token()
            listener.listen()  # before anybody is told where
            write_answer(sys.stdout, _introduction(info, port, "" if shown else token))
            idle = IdleSuspension(engine, order.idle_minutes)
            with idle.in_use():  # from now on the time counts
                answering = Answering(engine, info, FairQueue(), idle, order.defaults)
            ending = asyncio.Event()
            application = Application(Access(token, port), answering, ending, tell)
            await run_server(application.asgi, listener, ending)
        finally:
            progress.clear()
            await engine.close()


def _introduction(info: ModelInfo, port: int, token: str) -> str:
    """Where it is, and what a client has to be told; a token that is known is not shown."""
    lines = [
        f"{info.name} answers at http://{HOST}:{port}/v1 as {model_id(info)}. Ctrl-C ends it.",
        f"export OPENAI_BASE_URL=http://{HOST}:{port}/v1",
    ]
    if token:
        lines += [f"export OPENAI_API_KEY={token}", "The token is new, and shown only here."]
    return "\n".join(lines) + "\n"
