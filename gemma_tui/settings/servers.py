"""A server that answers in the place of this machine, as a table `[servers.NAME]` describes it.

Values only; nothing here connects to anything. The key of a server is not among its settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from gemma_tui.errors import SettingsError
from gemma_tui.server_name import SERVERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

MAX_SECONDS: Final = 86_400
"""Of a time-out: a day."""

MAX_CONTEXT: Final = 10_000_000
"""Tokens; more than any model takes."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and what is to be known of it."""

    name: str
    url: str
    """As its documentation has it, such as `http://192.168.1.20:8000/v1`."""
    model: str = ""
    """Its model's id there; empty: the first that it lists."""
    sees: bool | None = None
    """Whether its model takes pictures; None: as the server says, else no."""
    hears: bool | None = None
    """Whether it takes sound, as of `sees`."""
    context: int | None = None
    """Tokens of prompt and reply together; None: as the server says."""
    image_tokens: int = 280
    """The most soft tokens that the server gives a picture: larger ones are made smaller here."""
    connect_seconds: float = 10.0
    """Until it takes a connection."""
    first_byte_seconds: float = 900.0
    """Until a reply begins: a long prompt is read without a word."""
    idle_seconds: float = 120.0
    """Between two pieces of a reply."""

    @property
    def base_url(self) -> str:
        """Where the API is: with `/v1`, which many leave out."""
        url = self.url.rstrip("/")
        return url if urlsplit(url).path else f"{url}/v1"

    @property
    def root_url(self) -> str:
        """The server itself, without a path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        """Its name or address, without the port."""
        return urlsplit(self.url).hostname or ""

    @property
    def origin(self) -> str:
        """Scheme, host and port: whom a key is meant for."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return f"{parts.scheme}://{self.host}:{port}"

    @property
    def is_private(self) -> bool:
        """Whether it is this machine, or one of a private network, by its address or name."""
        import ipaddress  # noqa: PLC0415  # asked when one connects, not when settings are read

        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            # A name without a dot is one of the network that one is in.
            return "." not in self.host or self.host.endswith((".local", ".localhost"))
        return address.is_loopback or address.is_private or address.is_link_local

    @property
    def warning(self) -> str:
        """What the user must know before anything is sent; empty for nothing."""
        if self.url.startswith("https:") or self.is_private:
            return ""
        return (
            f"What you write goes to {self.host} unencrypted: anyone on the way can read it."
            " Use an https address, or a tunnel."
        )


def read_server(name: str, table: object) -> Server:
    """A server out of its table.

    Args:
        name: Of the table.
        table: As TOML has it.

    Raises:
        SettingsError: Something in it cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"“{name[:40]}” cannot be the name of a server.",
            "It takes letters, digits, dots, - and _, and has at most 40 of them.",
        )
    if not isinstance(table, dict):
        raise SettingsError(f"“{SERVERS}.{name}” must be a table, [{SERVERS}.{name}].")
    known = {item.name for item in fields(Server)} - {"name"}
    for key, value in table.items():
        if key not in known:
            raise SettingsError(
                f"“{key}” in [{SERVERS}.{name}] is unknown.{_KEY_HINT if 'key' in key else ''}",
                f"There are {', '.join(sorted(known))}.",
            )
        _check(name, key, value)
    if "url" not in table:
        raise SettingsError(f"[{SERVERS}.{name}] has no url.", 'Add url = "http://HOST:PORT/v1".')
    return Server(name, **table)


def table_of(server: Server) -> dict[str, bool | int | float | str]:
    """The table that `read_server` reads; what is as usual is left out."""
    plain = Server(server.name, server.url)
    values = {item.name: getattr(server, item.name) for item in fields(Server)}
    return {
        key: value
        for key, value in values.items()
        if key != "name" and (key == "url" or value != getattr(plain, key))
    }


_KEY_HINT: Final = " Keys do not belong in this file: gemma-tui servers key NAME keeps them."


def _check(name: str, key: str, value: Any) -> None:  # noqa: ANN401  # as TOML has it
    """Raise a `SettingsError` unless a key can have this value."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match key:
        case "url":
            is_right = isinstance(value, str) and _is_url(value)
            wanted = "an address as http://HOST:PORT/v1, without a name, a password or a question"
        case "model":
            is_right, wanted = isinstance(value, str) and len(value) <= 500, "a text"
        case "sees" | "hears":
            is_right, wanted = isinstance(value, bool), "true or false"
        case "context":
            is_right = isinstance(value, int) and is_number and 256 <= value <= MAX_CONTEXT
            wanted = f"a whole number from 256 to {MAX_CONTEXT}"
        case "image_tokens":
            is_right, wanted = value in {70, 140, 280, 560, 1120}, "70, 140, 280, 560 or 1120"
        case _:
            is_right = is_number and 0 < value <= MAX_SECONDS
            wanted = f"a number of seconds, above 0 and at most {MAX_SECONDS}"
    if not is_right:
        shown = "what it is now" if key == "url" else repr(value)[:40]
        raise SettingsError(f"“{key}” of the server {name} cannot be {shown}: it is {wanted}.")


def _is_url(text: str) -> bool:
    try:
        parts: SplitResult = urlsplit(text)
        _ = parts.port  # out of range raises
    except ValueError:
        return False
    is_clean = text.isprintable() and " " not in text and not parts.query and not parts.fragment
    is_anonymous = parts.username is None and parts.password is None
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_clean and is_anonymous


def read_servers(table: object) -> tuple[dict[str, Server], list[str]]:
    """The servers of a settings file by their names, and what is wrong with others."""
    if not isinstance(table, dict):
        return {}, [f"“{SERVERS}” must be a table of tables, [{SERVERS}.NAME]."]
    found: dict[str, Server] = {}
    problems: list[str] = []
    for name, entry in table.items():
        try:
            found[name] = read_server(name, entry)
        except SettingsError as error:
            problems.append(f"{error} That server is not used.")
    return found, problems


def find_server(servers: Mapping[str, Server], name: str) -> Server:
    """One of them by its name.

    Raises:
        SettingsError: There is no such server.
    """
    if name in servers:
        return servers[name]
    raise SettingsError(
        f"There is no server “{name}” in the settings.",
        f"There are {', '.join(servers)}."
        if servers
        else "Add it: gemma-tui servers add NAME http://HOST:PORT/v1",
    )
