"""The shown branch of a conversation as one HTML page that needs nothing else.

No script, no reference to another place: pictures and sounds are `data:` addresses, and the policy
in its head forbids everything but them and its one style sheet. Everything from outside is escaped;
of an answer the Markdown is rendered, raw HTML and pictures in it are text.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from gemma_tui.conversation import AttachmentPart, TextPart, ThoughtPart
from gemma_tui.exchange.branch import (
    branch_of,
    day_of,
    ending_of,
    length_of,
    title_of,
    tool_text,
    writer_of,
)
from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.storage.faults import storage_faults
from gemma_tui.text_file import encoding_of
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from markdown_it.rules_core import StateCore

    from gemma_tui.conversation import Attachment, Message
    from gemma_tui.storage.trees import Tree

_PIECE_BYTES: Final = 3 << 18
"""A multiple of 3: base64 of the pieces is the base64 of the whole."""

_SHOWN: Final = re.compile(r"(image/(png|jpeg|webp|gif|bmp|avif)|audio/[a-z0-9.+-]+)")

STYLE: Final = """
:root { color-scheme: light dark; --back: #fff; --text: #1b1b1f; --soft: #5d5e66;
  --edge: #d9d9e0; --user: #eef3fb; --code: #f4f4f6; }
@media (prefers-color-scheme: dark) { :root { --back: #17181c; --text: #e6e6ea;
  --soft: #a2a3ad; --edge: #373841; --user: #20283a; --code: #22232a; } }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1rem 4rem; background: var(--back);
  color: var(--text); font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; }
article { margin: 1.5rem 0; }
article.user { background: var(--user); border-radius: .6rem; padding: .1rem 1rem; }
header, footer, summary, figcaption { color: var(--soft); font-size: .875rem; }
header { margin-top: .6rem; }
.plain { white-space: pre-wrap; margin: .5rem 0; }
details { border-left: 3px solid var(--edge); padding-left: .8rem; margin: .6rem 0; }
pre { background: var(--code); padding: .8rem; border-radius: .4rem; overflow-x: auto; }
code { font: .875em/1.5 ui-monospace, monospace; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--edge); padding: .3rem .6rem; text-align: left; }
blockquote { border-left: 3px solid var(--edge); margin-left: 0; padding-left: 1rem; }
figure { margin: .8rem 0; }
img { max-width: 100%; max-height: 32rem; border-radius: .4rem; }
audio { width: 100%; }
"""


def html_pieces(tree: Tree, path_of: Callable[[str], Path]) -> Iterator[bytes]:
    """The page, piece by piece; no attachment is in memory whole.

    Args:
        tree: The conversation.
        path_of: Where the bytes of a sha256 are.

    Raises:
        StorageError: By a step: an attachment cannot be read.
    """
    parser = _parser()
    yield _head(title_of(tree)).encode()
    if tree.conversation.system_prompt.strip():
        yield _details("System prompt", tree.conversation.system_prompt).encode()
    for message in branch_of(tree):
        yield from _message(message, parser, path_of)
    yield b"</body>\n</html>\n"


def _head(title: str) -> str:
    digest = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="und">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<h1 dir="auto">{escape(title)}</h1>\n'
    )


def _message(
    message: Message, parser: MarkdownIt, path_of: Callable[[str], Path]
) -> Iterator[bytes]:
    head = " · ".join(filter(None, (writer_of(message), day_of(message.created_at))))
    yield f'<article class="{message.role}" dir="auto">\n<header>{escape(head)}</header>\n'.encode()
    for part in message.parts:
        match part:
            case TextPart(text) | ThoughtPart(text) if not text.strip():
                pass
            case TextPart(text) if message.role == "user":
                yield f'<div class="plain">{escape(sanitize(text).strip())}</div>\n'.encode()
            case TextPart(text):
                yield parser.render(sanitize(text)).encode()
            case ThoughtPart(text):
                yield _details("Thought", text).encode()
            case AttachmentPart(attachment):
                yield from _attachment(attachment, path_of(attachment.sha256))
            case ToolCall() | MalformedToolCall() | ToolResult():
                yield _details(*tool_text(part)).encode()
    if ending := ending_of(message):
        yield f"<footer>({escape(ending)})</footer>\n".encode()
    yield b"</article>\n"


def _attachment(attachment: Attachment, path: Path) -> Iterator[bytes]:
    name = sanitize_line(attachment.name)
    caption = name
    if attachment.kind == "audio":
        caption += f" · {length_of(attachment.sample_count / SAMPLE_RATE)}"
    if attachment.kind == "text" and path.is_file():
        yield f"<details><summary>{escape(caption)}</summary>".encode()
        yield b'<div class="plain">'
        with storage_faults(path):
            with path.open("rb") as file:
                encoding = encoding_of(file.read(4))
            text = path.open(encoding=encoding, errors="replace")
        with storage_faults(path), text:
            while piece := text.read(_PIECE_BYTES):
                yield escape(sanitize(piece)).encode()
        yield b"</div></details>\n"
        return
    if not path.is_file() or not _SHOWN.fullmatch(attachment.media_type):
        reason = "no browser shows it" if path.is_file() else "its file is missing"
        yield f"<figure><figcaption>{escape(caption)} ({reason})</figcaption></figure>\n".encode()
        return
    is_picture = attachment.kind == "image"
    tag = f'<img alt="{escape(name)}"' if is_picture else "<audio controls"
    yield f'<figure>{tag} src="data:{attachment.media_type};base64,'.encode()
    with storage_faults(path), path.open("rb") as file:
        while data := file.read(_PIECE_BYTES):
            yield b64encode(data)
    closing = '">' if is_picture else '"></audio>'
    yield f"{closing}<figcaption>{escape(caption)}</figcaption></figure>\n".encode()


def _details(summary: str, text: str) -> str:
    inner = f'<div class="plain">{escape(sanitize(text).strip())}</div>'
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>\n"


def _parser() -> MarkdownIt:
    # Without the image rule `![a](b)` is a link with a sign before it: nothing is fetched.
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable("image")
    parser.validateLink = _is_web_address  # type: ignore[method-assign]
    parser.core.ruler.push("addresses", _show_addresses)
    return parser


def _is_web_address(url: str) -> bool:
    """Whether a link may be one: anything but a web address stays text."""
    try:
        return urlsplit(url.strip()).scheme in {"http", "https"}
    except ValueError:
        return False


def _show_addresses(state: StateCore) -> None:
    """Put behind every link where it leads, unless that is what it says, as the transcript does.

    The address is the one the browser gets: percent-encoded, its host in Punycode, so that letters
    that look like others are seen.
    """
    for block in state.tokens:
        shown: list[str] = []
        children: list[Token] = []
        for token in block.children or []:
            children.append(token)
            if token.type == "link_open":
                shown = []
                token.attrSet("rel", "noopener noreferrer nofollow")
                address = str(token.attrGet("href"))
            elif token.type == "link_close":
                if "".join(shown) != address:
                    children.append(Token("text", "", 0, content=f" ({sanitize_line(address)})"))
            else:
                shown.append(token.content)
        if block.children is not None:
            block.children = children
