"""The models of the servers in the settings, for a list beside those of this disk.

By the settings alone: nobody is asked anything before one of them is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.hub.on_disk import ModelOnDisk
from gemma_tui.server_name import as_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.settings.servers import Server


def remote_models(servers: Iterable[Server]) -> tuple[ModelOnDisk, ...]:
    """One entry for each server.

    Args:
        servers: Of the settings.
    """
    return tuple(
        ModelOnDisk(
            as_model(server.name),
            f"{server.name} (remote)",
            can_see=bool(server.sees),
            can_hear=bool(server.hears),
            url=server.base_url,
        )
        for server in servers
    )
