"""What may reach a network: nothing, unless it was asked for.

`NetworkGuard` is an audit hook of the interpreter (PEP 578). It hears of every socket that Python
code opens, whichever library that is in, and refuses it unless the code runs inside `allowed`; a
hook cannot be taken out again. Sockets of the machine itself (AF_UNIX: the sound system, the bus,
asyncio's own pair) are no network. C libraries that open sockets by themselves are not heard.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from gemma_tui.errors import ForbiddenConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Purpose: TypeAlias = Literal["hub", "server", "tool"]
"""Why something leaves the machine: a download, a server of the settings, a tool."""

NO_TELEMETRY: Final = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
"""For the environment of every process of ours, before huggingface_hub could be imported."""

OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
"""For that of a process which never downloads, before libraries are imported that look for news."""

_LOCAL_FAMILIES: Final = {socket.AF_UNIX, -1}
"""Families that stay on the machine; -1: an open descriptor is taken over."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Leave to connect to one host, or to listen on one port of this machine."""

    purpose: Purpose | Literal["listen"]
    host: str
    port: int = 0
    """The one to listen on; 0 where it is about connecting."""

    def covers(self, host: str) -> bool:
        """Whether it is leave to connect to this address; which ones a name has, nobody knows."""
        return self.purpose != "listen" and (host == self.host or not _is_address(self.host))


@dataclass(frozen=True, slots=True)
class NetworkActivity:
    """What a guard has seen so far."""

    connections: int = 0
    """Connections that were begun, with permission."""
    refused: int = 0
    hosts: tuple[str, ...] = ()
    """Whom something is connected with now, in alphabetical order."""
    refused_host: str = ""
    """The last host that was refused."""


_PERMISSION: Final[ContextVar[Permission | None]] = ContextVar("network permission", default=None)

_ANNOUNCED: Final = "gemma_tui.network.permission"
"""The audit event by which every guard of the process hears that a permission begins or ends."""


@contextmanager
def allowed(purpose: Purpose, host: str) -> Iterator[None]:
    """Let the code inside connect to one host; without a guard it changes nothing.

    Tasks at work inside, and threads that take the context along (`asyncio.to_thread`), may connect
    too. Names are looked up in threads without a context: meanwhile anybody may look this one up.
    An async generator must not hold it over a `yield`, for its consumer would get it too.

    Args:
        purpose: Why.
        host: The name or the address, as a URL has it, without a port; a proxy's, if there is one.
    """
    with _announced(Permission(purpose, _plain(host))):
        yield


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Let the process listen on one port of an address of its own machine.

    Raises:
        ForbiddenConnectionError: `host` is no address of this machine only.
    """
    if host not in ("127.0.0.1", "::1"):
        raise ForbiddenConnectionError(f"“{host}” can be reached by other machines.", _ASK)
    with _announced(Permission("listen", host, port)):
        yield


@contextmanager
def _announced(permission: Permission) -> Iterator[None]:
    token = _PERMISSION.set(permission)
    sys.audit(_ANNOUNCED, permission, 1)
    try:
        yield
    finally:
        sys.audit(_ANNOUNCED, permission, -1)
        _PERMISSION.reset(token)


class NetworkGuard:
    """Refuses and counts connections of this process, once it is installed."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a destructor may close a socket anywhere
        self._permissions: Counter[Permission] = Counter()
        self._sockets: dict[int, tuple[_SocketId, str]] = {}
        self._elsewhere: Counter[str] = Counter()
        self._connections = self._refused = 0
        self._refused_host = ""
        self._listeners: list[Callable[[], None]] = []

    def install(self) -> None:
        """Judge every socket of this process from now on, to its end."""
        judges: dict[str, Callable[..., None]] = {
            "socket.__new__": self._judge_socket,
            "socket.connect": self._judge_connection,
            "socket.sendto": self._judge_connection,
            "socket.sendmsg": self._judge_connection,
            "socket.bind": self._judge_bind,
            "socket.getaddrinfo": self._judge_lookup,
            "socket.gethostbyname": self._judge_lookup,
            "socket.gethostbyaddr": self._judge_lookup,
            "socket.getnameinfo": self._judge_reverse_lookup,
            _ANNOUNCED: self._permission_changed,
        }
        judge_of = judges.get

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            judge = judge_of(event)  # called for each import, too: nothing else may be done here
            if judge is not None:
                judge(*arguments)

        sys.addaudithook(hook)

    @property
    def activity(self) -> NetworkActivity:
        """What was seen so far, and who is connected now."""
        with self._lock:
            for descriptor, (identity, _) in tuple(self._sockets.items()):
                if _socket_id(descriptor) != identity:
                    del self._sockets[descriptor]
            hosts = {host for _, host in self._sockets.values()} | set(+self._elsewhere)
            return NetworkActivity(
                self._connections, self._refused, tuple(sorted(hosts)), self._refused_host
            )

    def watch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, from any thread, when something connects or is refused.

        That a connection has ended is nobody's event: `activity` knows it when asked.

        Returns:
            A function that ends that.
        """
        self._listeners.append(listener)

        def unwatch() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return unwatch

    @contextmanager
    def elsewhere(self, host: str) -> Iterator[None]:
        """Count and show a connection that another process of ours has meanwhile."""
        with self._lock:
            self._connections += 1
            self._elsewhere[host] += 1
        self._tell()
        try:
            yield
        finally:
            with self._lock:
                self._elsewhere[host] -= 1
            self._tell()

    def _judge_socket(self, _self: object, family: int, _kind: int, _protocol: int) -> None:
        if family in _LOCAL_FAMILIES or _PERMISSION.get() is not None:
            return
        # A connection that is accepted becomes a socket wherever the loop happens to run.
        if all(permission.purpose != "listen" for permission in self._in_force()):
            self._refuse("")

    def _judge_connection(self, opened: socket.socket, address: object) -> None:
        if opened.family in _LOCAL_FAMILIES or address is None:
            return
        host, permission = _host_of(address), _PERMISSION.get()
        if permission is None or not permission.covers(host):
            self._refuse(host)
        else:
            self._connected(opened.fileno(), permission.host)

    def _judge_bind(self, opened: socket.socket, address: object) -> None:
        if opened.family in _LOCAL_FAMILIES:
            return
        host, permission = _host_of(address), _PERMISSION.get()
        port = address[1] if isinstance(address, tuple) else None
        if permission != Permission("listen", host, port or 0):
            self._refuse(host)

    def _judge_lookup(self, host: object, *_rest: object) -> None:
        name = _plain(host.decode("ascii", "replace") if isinstance(host, bytes) else str(host))
        if all(permission.host != name for permission in self._in_force()):
            self._refuse(name)

    def _judge_reverse_lookup(self, address: object) -> None:
        self._judge_lookup(_host_of(address))

    def _permission_changed(self, permission: Permission, change: int) -> None:
        with self._lock:
            self._permissions[permission] += change

    def _in_force(self) -> tuple[Permission, ...]:
        with self._lock:
            return tuple(+self._permissions)

    def _connected(self, descriptor: int, host: str) -> None:
        with self._lock:
            self._connections += 1
            if identity := _socket_id(descriptor):
                self._sockets[descriptor] = identity, host
        self._tell()

    def _refuse(self, host: str) -> None:
        with self._lock:
            self._refused += 1
            self._refused_host = host or self._refused_host
        self._tell()
        target = f"A connection to “{host}”" if host else "A network connection"
        raise ForbiddenConnectionError(f"{target} was refused: nobody asked for it.", _ASK)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


_ASK: Final = "Nothing leaves this machine but for a download, a server you set up, or a tool."


def install_guard() -> NetworkGuard:
    """A guard for this process, and no telemetry of libraries: for the start of each of ours."""
    os.environ.update(NO_TELEMETRY)
    guard = NetworkGuard()
    guard.install()
    return guard


_SocketId: TypeAlias = tuple[int, int]


def _socket_id(descriptor: int) -> _SocketId | None:
    """What tells the socket behind a descriptor from a later one: TLS takes the descriptor over."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None


def _host_of(address: object) -> str:
    return _plain(str(address[0])) if isinstance(address, tuple) and address else str(address)


def _plain(host: str) -> str:
    """A host as it is compared: `[::1]` and `HOST.` are other spellings."""
    plain = host.strip("[]").rstrip(".").casefold()
    if not plain.isascii():
        with suppress(UnicodeError):
            return plain.encode("idna").decode("ascii")  # as it is asked for
    return plain


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False
