"""How a model on a server is named wherever else a model folder stands: `server:NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PREFIX: Final = "server:"

SERVERS: Final = "servers"
"""Table of the settings file with them: `[servers.NAME]`."""


def server_of(model: str | Path) -> str:
    """The name of the server; empty if the model is a folder.

    Args:
        model: As the setting `model` or an option has it.
    """
    text = str(model)
    return text.removeprefix(PREFIX).strip() if text.startswith(PREFIX) else ""


def as_model(server: str) -> Path:
    """What names the model of a server, in the place of a folder."""
    return Path(PREFIX + server)


def model_setting(model: Path) -> str:
    """The value of the setting `model`: where a folder is, from whatever folder one is in."""
    return str(model) if server_of(model) else str(model.absolute())


def what_is_sent(model: str | Path) -> str:
    """What choosing a model means for what is written; empty for one of this machine."""
    server = server_of(model)
    return f"Each question sends {server} this whole conversation." if server else ""
