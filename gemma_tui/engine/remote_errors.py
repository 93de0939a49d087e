"""What a server's refusal or a broken connection means, in words. No key is ever in them.

What a server wrote is shown shortened and cleaned: it is a stranger's text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import (
    BrokenReplyError,
    ContextOverflowError,
    GemmaError,
    RefusedByServerError,
    ServerError,
    UnreachableServerError,
)
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from gemma_tui.settings.servers import Server

MAX_SHOWN: Final = 200
"""Characters of a server's own words."""

_TOO_LONG: Final = (
    "context length",
    "context_length",
    "context size",
    "context window",
    "maximum context",
    "prompt is too long",
)
"""What servers write when a prompt does not fit (vLLM, llama.cpp, OpenAI, LM Studio)."""


def refusal(server: Server, status: int, body: bytes, content_type: str, model: str) -> GemmaError:
    """The error of an answer that is none.

    Args:
        server: Who refused.
        status: Of HTTP; 2xx is an answer of the wrong kind.
        body: The beginning of what it sent.
        content_type: Of the body.
        model: What was asked for; empty if no model was.
    """
    name, words = server.name, _words(body)
    if status < 300 or (status < 500 and _is_page(body, content_type)):
        return _no_api(server, status, content_type)
    if any(sign in words.lower() for sign in _TOO_LONG) and status in {400, 413, 422, 500}:
        return ContextOverflowError(
            f"The conversation does not fit the context of {name}{_said(words)}.",
            "Shorten it, begin a new conversation, or set the server's context in the settings.",
        )
    what, hint = _meaning(server, status, model)
    sentence = f"{what} (HTTP {status}){_said(words)}."
    if status >= 500:
        return ServerError(sentence, hint)
    return RefusedByServerError(sentence, hint, status)


def _meaning(server: Server, status: int, model: str) -> tuple[str, str]:
    """What happened and what to do, by the status."""
    name, see_log = server.name, "Look into the server's log."
    if status == 404 and not model:
        return f"{name} has no chat API at {server.base_url}", "Check its url in the settings."
    known = {
        400: (f"{name} did not understand the question", see_log),
        401: (f"{name} wants a key, or another one", f"Give it: gemma-tui servers key {name}"),
        403: (f"{name} does not allow this", "Ask whoever runs it, or check the key."),
        404: (
            f"{name} has no model “{sanitize_line(model)}”, or no chat API at that address",
            f"See what it has: gemma-tui servers test {name}",
        ),
        413: (f"{name} does not take so much at once", "Attach less, or raise the limit there."),
        429: (f"{name} is asked too much at the moment", "Wait a little, then answer again."),
        503: (f"{name} is not ready", "Its model may still be loading: try again."),
    }
    known |= {422: known[400], 502: known[503], 504: known[503]}
    if 300 <= status < 400:
        hint = "Put the address it names in the settings, if you trust it."
        return f"{name} sends one elsewhere, which is not followed", hint
    what = "failed" if status >= 500 else "refused the question"
    return known.get(status, (f"{name} {what}", see_log))


def _no_api(server: Server, status: int, content_type: str) -> BrokenReplyError:
    kind = sanitize_line(content_type.partition(";")[0])[:40] or "no content type"
    return BrokenReplyError(
        f"{server.name} answered with {kind} where a chat reply was expected (HTTP {status}): what"
        f" is at {server.base_url} is no chat API, or a sign-in page stands before it.",
        "Check its url in the settings.",
    )


def error_in(name: str, error: object) -> GemmaError:
    """The error that came in the stream of a reply."""
    words = _message_of({"error": error})
    if any(sign in words.lower() for sign in _TOO_LONG):
        return ContextOverflowError(
            f"The conversation does not fit the context of {name}{_said(words)}.",
            "Shorten it, or begin a new conversation.",
        )
    return ServerError(f"{name} broke off its reply{_said(words)}.", "Look into the server's log.")


def unreachable(server: Server, error: Exception) -> UnreachableServerError:
    """The error of a connection that did not come about, or ended.

    Args:
        server: Whom it was to.
        error: Of the HTTP library; its text says which step failed.
    """
    chain = _chain(error)
    text = " ".join(str(link) for link in chain).lower()
    place = sanitize_line(server.root_url)
    if "certificate" in text or "ssl" in text or "tls" in text:
        what = f"The certificate of {place} cannot be trusted, or it does not speak TLS"
        hint = "Check the address; a certificate of your own belongs in the system's store."
    elif any(type(link).__name__ == "gaierror" for link in chain) or "name or service" in text:
        what, hint = f"There is no machine called “{server.host}”", "Check the address."
    elif any(isinstance(link, ConnectionRefusedError) for link in chain) or "refused" in text:
        what = f"Nothing listens at {place}"
        hint = "Start the server, or check its port."
    elif "timeout" in type(error).__name__.lower():
        what = f"{server.name} did not take the connection in {server.connect_seconds:g} s"
        hint = "Is the machine awake and in this network?"
    else:
        what, hint = f"There is no connection to {place}", "Is the machine awake, and the server?"
    return UnreachableServerError(f"{what}.", hint)


def cut_off(server: Server) -> BrokenReplyError:
    """The reply ended in the middle."""
    return BrokenReplyError(
        f"The connection to {server.name} ended in the middle of the reply.",
        "What came is kept. Answer again.",
    )


def too_slow(server: Server, seconds: float, *, has_begun: bool) -> UnreachableServerError:
    """Nothing came for longer than it may."""
    key = "idle_seconds" if has_begun else "first_byte_seconds"
    what = "sent nothing more" if has_begun else "did not begin to answer"
    return UnreachableServerError(
        f"{server.name} {what} for {seconds:g} s.",
        f"If it needs longer, raise {key} of [servers.{server.name}] in the settings.",
    )


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and len(found) < 10:
        found.append(link)
        link = link.__cause__ or link.__context__
    return found


def _is_page(body: bytes, content_type: str) -> bool:
    return "html" in content_type.lower() or body.lstrip()[:1] == b"<"


def _words(body: bytes) -> str:
    """What a server says is wrong, in its own words; empty if that is nothing for people."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
        return "" if text.lstrip()[:1] in {"<", "{", ""} else text
    return _message_of(content)


def _message_of(content: Any) -> str:  # noqa: ANN401  # JSON is any of these
    """The message in an error of OpenAI's kind, FastAPI's (`detail`), or a mere text."""
    for _ in range(4):
        if isinstance(content, str):
            return content
        if isinstance(content, list) and content:
            content = content[0]
        if not isinstance(content, dict):
            return ""
        keys = ("error", "message", "detail", "msg")
        content = next((content[key] for key in keys if content.get(key)), "")
    return content if isinstance(content, str) else ""


def _said(words: str) -> str:
    line = sanitize_line(words).strip().rstrip(".")
    if not line:
        return ""
    return f": “{line if len(line) <= MAX_SHOWN else f'{line[: MAX_SHOWN - 1]}…'}”"
