"""The engine of a run, put together: the engine process, and the servers of the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.engine.routing import RoutingEngine
from gemma_tui.errors import SettingsError
from gemma_tui.settings.file import SettingsFile
from gemma_tui.settings.server_keys import ServerKeys

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.engine.remote import RemoteModel
    from gemma_tui.engine.remote_media import MediaEncoder
    from gemma_tui.paths import Paths
    from gemma_tui.settings.servers import Server


def engine_of(paths: Paths, log: Path, cache: Path | None) -> RoutingEngine:
    """An engine for models of this machine and of servers; nothing of it runs yet.

    Args:
        paths: Where the settings and the keys of servers are.
        log: Where the engine process logs.
        cache: Where it keeps what it has computed; None keeps nothing.
    """
    local = EngineClient(log, command=worker_command(log, cache))
    return RoutingEngine(local, partial(remote_model, paths, local))


def remote_model(paths: Paths, encoder: MediaEncoder, name: str) -> RemoteModel:
    """The model of a server, by the settings as they are on the disk now.

    Args:
        paths: Where settings and keys are.
        encoder: Writes the media of prompts as files.
        name: Of the server.

    Raises:
        SettingsError: There is no such server, or its key cannot be used.
    """
    from gemma_tui.engine.remote import RemoteModel  # noqa: PLC0415  # few have a server

    server = named_server(paths, name)
    return RemoteModel(server, ServerKeys(paths.server_keys).find(server), encoder)


def named_server(paths: Paths, name: str) -> Server:
    """A server of the settings file.

    Raises:
        SettingsError: It is not there, or something in its table cannot be used.
    """
    from gemma_tui.settings.servers import find_server  # noqa: PLC0415  # as above

    content = SettingsFile(paths.settings).read()
    if name not in content.servers:
        for problem in content.problems:
            if content.is_broken or f"“{name}”" in problem or f"servers.{name}]" in problem:
                raise SettingsError(problem)
    return find_server(content.servers, name)
