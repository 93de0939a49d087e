"""The settings file: TOML that a person may edit too. Their comments and order are kept.

A change is made to the text as it stands on the disk at that moment, and replaces it in one step;
a file that is broken is never written to.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import SettingsError
from gemma_tui.server_name import SERVERS
from gemma_tui.settings.reading import PRESETS, Layer, read_toml
from gemma_tui.settings.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.settings.servers import Server
    from gemma_tui.settings.setting import Setting, Value

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
"""Far more than settings take; whatever is larger is something else."""

_ATTEMPTS: Final = 10
"""How often a change is made anew because somebody else wrote the file meanwhile."""

_HEADING: Final = (
    "# Settings of gemma-tui. Press F2 in the app, or edit this file: comments are kept.\n"
    "# What can stand here: gemma-tui config show\n"
)


class SettingsFile:
    """A TOML file that may not be there yet.

    Args:
        path: Where it is; a link is followed, so that it can live elsewhere.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Layer:
        """What it says; never fails, the problems are in the result."""
        try:
            return read_toml(self._text(), str(self.path))
        except SettingsError as error:
            return Layer(problems=(str(error),), is_broken=True)

    def set(self, key: str, value: Value) -> Layer:
        """Write one setting, None taking it out, and return what the file then says.

        Raises:
            SettingsError: The file is broken, or cannot be written.
        """
        setting = SCHEMA[key]
        return self._change(lambda document: _put(document, setting, value))

    def set_preset(self, name: str, text: str) -> Layer:
        """Write a named system prompt, an empty one taking it out.

        Raises:
            SettingsError: As `set`.
        """

        def edit(document: Any) -> None:  # noqa: ANN401  # tomlkit's document
            _put_in(document, PRESETS, name, text or None)

        return self._change(edit)

    def set_server(self, name: str, server: Server | None) -> Layer:
        """Write the table of a server, None taking it out; what else it says there stays.

        Raises:
            SettingsError: As `set`.
        """

        def edit(document: Any) -> None:  # noqa: ANN401  # tomlkit's document
            _put_server(document, name, server)

        return self._change(edit)

    def _text(self) -> str:
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
            if len(data) > MAX_FILE_BYTES:
                raise SettingsError(f"{self.path} is too large for settings, so it is not used.")
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except UnicodeDecodeError as error:
            raise SettingsError(
                f"{self.path} is not UTF-8 text, so it is not used.", "Save it as UTF-8."
            ) from error
        except OSError as error:
            raise SettingsError(
                f"{self.path} cannot be read ({error.strerror}), so it is not used.",
                "Check its permissions.",
            ) from error

    def _change(self, edit: Callable[[Any], None]) -> Layer:
        import tomlkit  # noqa: PLC0415  # reading needs the standard library only

        for _ in range(_ATTEMPTS):
            before = self._text()
            layer = read_toml(before, str(self.path))
            if layer.is_broken:
                raise SettingsError(*layer.problems)
            document = tomlkit.parse(before or _HEADING)
            edit(document)
            after = tomlkit.dumps(document)
            _require_toml(after, self.path)
            if after == before:
                return layer
            if self._replace(before, after):
                return read_toml(after, str(self.path))
        raise SettingsError(
            f"{self.path} is being written by another program, so the change is not saved.",
            "Try again.",
        )

    def _replace(self, before: str, after: str) -> bool:
        """Write `after` unless the file no longer is `before`; returns whether it was written."""
        target = Path(os.path.realpath(self.path))
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(prefix=".settings-", dir=target.parent)
            try:
                with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
                    file.write(after)
                    file.flush()
                    os.fsync(file.fileno())
                with suppress(FileNotFoundError):
                    Path(name).chmod(target.stat().st_mode & 0o777)
                if self._text() != before:
                    return False
                Path(name).replace(target)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(
                f"{self.path} cannot be written ({error.strerror}), so the change is not saved.",
                "It holds until you quit.",
            ) from error
        return True


def _put(document: Any, setting: Setting, value: Value) -> None:  # noqa: ANN401
    plain = list(value) if isinstance(value, tuple) else value
    _put_in(document, setting.about.section, setting.key, plain)


def _put_in(document: Any, section: str, key: str, value: object) -> None:  # noqa: ANN401
    """Set a key of a table, or take it out if `value` is None."""
    import tomlkit  # noqa: PLC0415  # see above

    table = document.get(section)
    if table is None:
        if value is None:
            return
        table = tomlkit.table()
        document[section] = table
        table = document[section]
    if not isinstance(table, dict):
        raise SettingsError(
            f"“{section}” in the settings file is not a table, so nothing can be saved in it.",
            f"Make it [{section}].",
        )
    if value is None:
        table.pop(key, None)
    elif isinstance(value, str) and "\n" in value and value[0] != "\n" and "\r" not in value:
        # Readers drop a newline at the beginning, and make one of each carriage return before one.
        table[key] = tomlkit.string(value, multiline=True)
    else:
        table[key] = value


def _put_server(document: Any, name: str, server: Server | None) -> None:  # noqa: ANN401
    """Set the table of a server, or take it out if `server` is None."""
    import tomlkit  # noqa: PLC0415  # see above

    servers = document.get(SERVERS)
    if servers is None:
        document[SERVERS] = tomlkit.table(is_super_table=True)
        servers = document[SERVERS]
    if not isinstance(servers, dict):
        raise SettingsError(
            f"“{SERVERS}” in the settings file is not a table, so nothing can be saved in it.",
            f"Make it [{SERVERS}.NAME].",
        )
    if server is None:
        servers.pop(name, None)
        return
    from gemma_tui.settings.servers import table_of  # noqa: PLC0415  # few have any

    wanted = table_of(server)
    if not isinstance(servers.get(name), dict):
        servers[name] = tomlkit.table()
    table = servers[name]
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        table[key] = value


def _require_toml(text: str, path: Path) -> None:
    """A faulty writer must not ruin what a person wrote."""
    import tomllib  # noqa: PLC0415  # see above

    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"The change would have made {path} unreadable, so it is not saved ({error}).",
            "It holds until you quit.",
        ) from error
