"""The keys of servers: a file of its own that only its owner can read, never the settings.

A key belongs to a name and to the address it was given for: it is not sent anywhere else, even if
somebody changes the address in the settings.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import SettingsError

if TYPE_CHECKING:
    from gemma_tui.settings.servers import Server

MAX_FILE_BYTES: Final = 1024 * 1024
"""Far more than all keys take."""

MAX_KEY_LENGTH: Final = 4096
"""Characters; tokens of sign-in services have up to two thousand."""


class ServerKeys:
    """A file of keys that may not be there yet.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, server: Server) -> str:
        """The key of a server; empty if it has none.

        Raises:
            SettingsError: The file cannot be used, or the key was given for another address.
        """
        entry = self._read().get(server.name)
        if entry is None:
            return ""
        if entry.get("origin") != server.origin:
            raise SettingsError(
                f"The key of the server {server.name} was given for another address, so it is not"
                f" sent to {server.origin}.",
                f"If it is meant for that one: gemma-tui servers key {server.name}",
            )
        return entry.get("key", "")

    def keep(self, server: Server, key: str) -> None:
        """Keep a key, in the place of the one before.

        Raises:
            SettingsError: It is no key, or the file cannot be written.
        """
        if not key or len(key) > MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
            raise SettingsError(
                "That is no key: a key is one line of ASCII characters.", "Copy it again."
            )
        self._write({**self._read(), server.name: {"key": key, "origin": server.origin}})

    def forget(self, name: str) -> bool:
        """Forget the key of a server; returns whether there was one.

        Raises:
            SettingsError: The file cannot be used.
        """
        entries = self._read()
        if entries.pop(name, None) is None:
            return False
        self._write(entries)
        return True

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    os.fchmod(file.fileno(), 0o600)
                content = json.loads(file.read(MAX_FILE_BYTES))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise SettingsError(
                f"The keys of the servers cannot be read ({error.strerror}).",
                f"Check the permissions of {self.path}.",
            ) from error
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
            raise SettingsError(
                f"{self.path} is damaged, so no key of a server can be read.",
                "Remove it, then give the keys again: gemma-tui servers key NAME",
            )
        return content

    def _write(self, entries: dict[str, dict[str, str]]) -> None:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(prefix=".keys-", dir=folder)  # 0600
            try:
                with os.fdopen(number, "w", encoding="ascii") as file:
                    json.dump(entries, file, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.path)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(
                f"{self.path} cannot be written ({error.strerror}), so the key is not kept.",
                "Check its permissions.",
            ) from error
