"""Where data, logs, caches, settings and the built-in model live. Makes no folder: writers do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME_VARIABLE = "GEMMA_TUI_HOME"
"""Environment variable that moves everything the program writes into one folder."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and files of one installation."""

    data: Path
    """Conversations and attachments."""
    logs: Path
    """Log files of the engine process."""
    cache: Path
    """What can be computed again, and may be removed at any time."""
    config: Path
    """What the user has decided."""

    @property
    def database(self) -> Path:
        """The SQLite file with all conversations."""
        return self.data / "conversations.db"

    @property
    def settings(self) -> Path:
        """The TOML file with the user's settings."""
        return self.config / "settings.toml"

    @property
    def server_keys(self) -> Path:
        """The keys of the servers that the settings name."""
        return self.config / "server_keys.json"

    @property
    def open_tabs(self) -> Path:
        """Which conversations were open when the app was left."""
        return self.data / "tabs.json"

    @property
    def benchmarks(self) -> Path:
        """How fast models were on this machine."""
        return self.data / "benchmarks.json"

    @property
    def blobs(self) -> Path:
        """Attachment bytes by their sha256."""
        return self.data / "blobs"

    @property
    def models(self) -> Path:
        """Model folders that were imported; those that were downloaded are in the shared cache."""
        return self.data / "models"

    @property
    def recordings(self) -> Path:
        """What was recorded and is not attached yet."""
        return self.data / "recordings"

    @property
    def microphone_log(self) -> Path:
        """What the audio libraries print while they record."""
        return self.logs / "microphone.log"

    @property
    def engine_log(self) -> Path:
        """What the engine process has to say; never the text of a conversation."""
        return self.logs / "engine.log"

    @property
    def transcripts(self) -> Path:
        """What was written down of sounds whose transcription was interrupted."""
        return self.cache / "transcripts"

    @property
    def engine_cache(self) -> Path:
        """Keys and values of conversations, and soft tokens of their media."""
        return self.cache / "engine"


def expand(text: str | Path) -> Path:
    """A path as a user wrote it, with `~` for a home; that of an unknown user stays as it is.

    `Path.expanduser` raises `RuntimeError` for one. What no file system has in a name, a zero byte
    or half a character, becomes a mark: such a path is not found, where the system's calls would
    raise `ValueError`.
    """
    path = os.path.expanduser(text).replace("\0", "\N{SYMBOL FOR NULL}")  # noqa: PTH111
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        path = path.encode("utf-8", "replace").decode()
    return Path(path)


def default_paths(environ: Mapping[str, str] = os.environ) -> Paths:
    """The folders for this user: `GEMMA_TUI_HOME` if set, else the platform's own places."""
    home = environ.get(HOME_VARIABLE)
    if home:
        root = expand(home).absolute()
        return Paths(
            data=root / "data", logs=root / "logs", cache=root / "cache", config=root / "config"
        )
    dirs = platformdirs.PlatformDirs("gemma-tui", appauthor=False)
    return Paths(
        data=dirs.user_data_path,
        logs=dirs.user_log_path,
        cache=dirs.user_cache_path,
        config=dirs.user_config_path,
    )


def builtin_model() -> Path:
    """The folder of the built-in tiny model: inside an installed package, or in the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "assets" / "tiny"
    return installed if installed.is_dir() else package.parent / "assets" / "tiny"


def child_environment() -> dict[str, str]:
    """What a process of ours is given: the environment; in a checkout the way to the package."""
    environment = dict(os.environ)
    root = Path(__file__).resolve().parent.parent
    if (root / "pyproject.toml").is_file():
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root), inherited)))
    return environment
