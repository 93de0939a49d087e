"""What can go wrong between here and a hub, in words, and whether to try again."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

from gemma_tui.errors import DownloadError, RefusedDownloadError, UnreachableHubError

_RETRIED: Final = frozenset((408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524))
_DEFAULT_PAUSE: Final = 10.0
"""Seconds after a 429 that names no time."""


class TransientFault(Exception):  # noqa: N818  # nobody sees it: it is retried, or becomes `error`
    """Something that may be over in a moment.

    Args:
        error: What to raise when it is not.
        wait_seconds: What the other side asks for; None leaves it to `Patience`.
    """

    def __init__(self, error: DownloadError, wait_seconds: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait_seconds = wait_seconds


def unreachable(host: str, reason: str) -> TransientFault:
    """No answer from `host`.

    Args:
        host: Its name.
        reason: Why, in a few words; empty if nobody said.
    """
    why = f" ({reason})" if reason else ""
    return TransientFault(
        UnreachableHubError(
            f"There is no connection to {host}{why}.",
            "Check the network, HTTPS_PROXY and HF_ENDPOINT; what came so far is kept.",
        )
    )


def intercepted(host: str, what: str) -> TransientFault:
    """Something between here and the hub answers in its place.

    Args:
        host: The hub.
        what: What it did: the end of a sentence.
    """
    return TransientFault(
        UnreachableHubError(
            f"Instead of {host} something in between answers: {what}.",
            "Does this network want a login? Open a web page, then try again.",
        )
    )


def ignored_range(host: str) -> DownloadError:
    """A server that sends whole files only."""
    return DownloadError(
        f"{host} sends whole files only, so a download could not go on after an interruption.",
        "Choose another mirror with HF_ENDPOINT.",
    )


def status_fault(
    status: int, what: str, host: str, *, has_token: bool, retry_after: str, longest_pause: float
) -> Exception:
    """What an HTTP status means: a `TransientFault`, or the error it is for good.

    Args:
        status: Not 200 or 206.
        what: The repository.
        host: Who said it.
        has_token: Whether a token was sent along.
        retry_after: The header of that name, or empty.
        longest_pause: Seconds; one that is to be longer is an error.
    """
    error = _refusal(status, what, host, has_token=has_token)
    if status not in _RETRIED:
        return error
    wait = pause_seconds(retry_after)
    if status == 429 and wait is None:
        wait = _DEFAULT_PAUSE
    if wait is not None and wait > longest_pause:
        return RefusedDownloadError(
            f"{host} has had too many requests and asks to wait {wait / 60:.0f} minutes.",
            "Try again then; what came so far is kept.",
        )
    return TransientFault(error, wait)


def pause_seconds(retry_after: str) -> float | None:
    """The seconds of a Retry-After header, which is a number or a date; None if it is neither."""
    if retry_after.strip().isdigit():
        return float(retry_after.strip()[:9])
    try:
        when = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _refusal(status: int, what: str, host: str, *, has_token: bool) -> DownloadError:
    if status in {401, 403}:
        hint = (
            "The token that is set gives none: check it, and whether the page of the model asks"
            " for an agreement."
            if has_token
            else "Check the name; if it is private or asks for an agreement, set HF_TOKEN."
        )
        return RefusedDownloadError(f"{host} gives no access to {what} ({status}).", hint)
    if status in {404, 410}:
        return RefusedDownloadError(
            f"There is no {what} on {host} ({status}).",
            "Check the name and the revision; a private one needs HF_TOKEN.",
        )
    if status == 429:
        return RefusedDownloadError(
            f"{host} has had too many requests (429).",
            "Try again later; what came so far is kept.",
        )
    if status >= 500 or status == 408:
        return UnreachableHubError(
            f"{host} has a fault of its own ({status}).",
            "Try again later; what came so far is kept.",
        )
    return RefusedDownloadError(
        f"{host} does not give out {what} ({status}).", "Check the name and HF_ENDPOINT."
    )


def reason_of(error: BaseException) -> str:
    """Why a connection failed, in a few words that a library's sentence does not have."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and cause not in chain:
        chain.append(cause)
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {link.verify_message}"
        if isinstance(link, socket.gaierror):
            return "its name is not found"
    if isinstance(error, httpx2.ProxyError):
        return f"the proxy refuses: {error}"
    if isinstance(error, httpx2.TimeoutException):
        return "it does not answer"
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError):
        return "it broke off"
    return str(error).removeprefix("[Errno ").strip()[:80]
