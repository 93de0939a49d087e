"""Who may ask: programs of this machine that know the token, and no page in a browser.

A page of any origin can reach a loopback address, by itself or through a name that it lets point
there (DNS rebinding): the first says `Origin`, the second its own name as `Host`.
"""

from __future__ import annotations

import hmac
import secrets
import stat
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ApiRequestError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOKEN_VARIABLE: Final = "GEMMA_TUI_SERVE_TOKEN"  # noqa: S105  # its name, no token
"""Environment variable with a token that is to stay the same."""

MIN_TOKEN_LENGTH: Final = 16

_LOCAL_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")


def new_token() -> str:
    """A token that nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(32)


def given_token(environ: Mapping[str, str], file: Path | None) -> str:
    """The token that a file or the environment holds; empty where neither does.

    Raises:
        UsageError: The file cannot be read, others may read it, or the token is too short.
    """
    if file is not None:
        token, source = _read_private(file), str(file)
    elif TOKEN_VARIABLE in environ:
        token, source = environ[TOKEN_VARIABLE].strip(), TOKEN_VARIABLE
    else:
        return ""
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable():
        raise UsageError(
            f"The token in {source} is no line of at least {MIN_TOKEN_LENGTH} ASCII characters.",
            "Leave it out, and one is made.",
        )
    return token


def _read_private(file: Path) -> str:
    try:
        mode = file.stat().st_mode
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"The token in {file} cannot be read ({reason}).") from error
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"Others may read the token in {file}.", f"Run: chmod 600 {file}")
    return text


class Access:
    """Judges requests by their headers.

    Args:
        token: What a client has to know.
        port: Where the server listens.
    """

    def __init__(self, token: str, port: int) -> None:
        self._token = token.encode()
        self._hosts = {f"{name}:{port}" for name in _LOCAL_NAMES}

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Refuse what a browser sends, and what was meant for another host.

        Raises:
            ApiRequestError: It was.
        """
        if headers.get("host", "").casefold() not in self._hosts:
            raise _forbidden("The Host of the request is no name of this server.", "wrong_host")
        if "origin" in headers:
            raise _forbidden("Pages in a browser may not ask this server.", "forbidden_origin")

    def check_token(self, headers: Mapping[str, str]) -> None:
        """Refuse a request without the token.

        Raises:
            ApiRequestError: It has none, or another one.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        # The time that the comparison takes tells nothing of the token.
        if (
            not hmac.compare_digest(token.strip().encode(), self._token)
            or scheme.lower() != "bearer"
        ):
            raise ApiRequestError(
                "The token is missing or wrong.",
                "Send what gemma-tui serve printed: Authorization: Bearer TOKEN.",
                status=401,
                code="invalid_api_key",
            )


def _forbidden(message: str, code: str) -> ApiRequestError:
    hint = "It is for programs of this machine, at http://127.0.0.1 and its port."
    return ApiRequestError(message, hint, status=403, code=code)
