"""What the kinds of data on a clipboard mean, and what the tools write. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.frontend.dropped import file_url_path
from gemma_tui.tui.clipboard_content import (
    ClipboardContent,
    CopiedFiles,
    CopiedPicture,
    CopiedText,
    NothingCopied,
    OtherCopied,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PICTURES: Final[Mapping[str, str]] = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/tiff": ".tiff",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "public.png": ".png",
    "public.jpeg": ".jpg",
    "public.heic": ".heic",
    "public.tiff": ".tiff",
    "com.compuserve.gif": ".gif",
}
"""Kinds of pictures, by MIME type and as macOS calls them, the most wanted first."""

URI_LISTS: Final = ("x-special/gnome-copied-files", "text/uri-list")
"""A line for each file (RFC 2483, section 5); the first has a word in front."""

TEXTS: Final = ("text/plain;charset=utf-8", "UTF8_STRING", "text/plain", "STRING", "TEXT")

_OF_X11: Final = frozenset({"TARGETS", "TIMESTAMP", "MULTIPLE", "SAVE_TARGETS", "DELETE"})
"""What every owner of an X11 selection offers beside the data (ICCCM, section 2.6.2)."""


def plain_kinds(listing: bytes) -> tuple[str, ...]:
    """The kinds of data that a tool lists, a line for each."""
    lines = (line.strip() for line in listing.decode(errors="replace").splitlines())
    return tuple(line for line in lines if line and line not in _OF_X11)


def file_paths(listing: bytes) -> tuple[Path, ...]:
    """The local files of a list of URIs; what is on another machine or no file is left out."""
    lines = listing.decode(errors="surrogateescape").replace("\0", "\n").splitlines()
    found = (file_url_path(line.strip()) for line in lines if not line.startswith("#"))
    return tuple(Path(path) for path in found if path)


def parse_mac_answer(answer: bytes) -> ClipboardContent:
    """What `mac_clipboard.SCRIPT` found; nothing, if it wrote what it never would."""
    try:
        found = json.loads(answer)
        files = tuple(Path(str(path)) for path in found["files"] if path)
        text, kind = str(found["text"]), str(found["kind"])
        content = base64.b64decode(str(found["picture"]), validate=True)
        kinds = tuple(map(str, found["kinds"]))
    except (ValueError, KeyError, TypeError, binascii.Error):
        return NothingCopied()
    if files:
        return CopiedFiles(files)
    if content and not text:
        return CopiedPicture(content, PICTURES.get(kind, ""))
    if text:
        return CopiedText(text)
    return OtherCopied(kinds) if kinds else NothingCopied()
