"""Finds the files behind a paste: terminals turn a dropped file into text, each in its own way.

Pure apart from the question whether a path exists, which the caller may answer. Knows nothing of
what the files contain: folders and foreign formats are found too, and refused by whoever opens
them.
"""

from __future__ import annotations

import os
import re
import socket
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from gemma_tui.errors import NotAFileError
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_DROP_LENGTH: Final = 32_768
"""Characters; longer text is not a drop (eight of the longest paths Linux allows)."""

MAX_DROP_PARTS: Final = 128
"""More places where a path could begin mean prose or code, and would cost a look-up each."""

_PATH_START: Final = re.compile(r"""\s*['"]?(?:/|~|(?i:file):/)""")
_BOUNDARY: Final = re.compile(r"""\s+(?=['"]?(?:/|~|(?i:file):/))""")
_FILE_URL: Final = re.compile(r"file:(?://(?P<host>[^/]*))?(?=/)", re.IGNORECASE)
_ODD_SPACE: Final = re.compile("[\u00a0\u202f]")
_MAX_SPACES: Final = 12


def may_be_dropped(text: str) -> bool:
    """Whether `text` is worth asking the file system about. Quick; never touches a file."""
    return len(text) <= MAX_DROP_LENGTH and _PATH_START.match(text) is not None


def parse_dropped(text: str, exists: Callable[[str], bool] = os.path.exists) -> tuple[Path, ...]:
    """The files that `text` stands for, in order; empty unless all of it resolves.

    Only absolute paths, `~` and `file://` count: that is what terminals write, and a pasted word
    that happens to name a file in the working folder stays a word.

    Args:
        text: A whole paste: paths raw or quoted as a shell would, separated by blanks or lines.
        exists: Whether there is something at a path.
    """
    if not may_be_dropped(text):
        return ()
    whole = _resolve(text, exists)
    if whole is not None:
        return (whole,)
    starts = [0, *(match.end() for match in _BOUNDARY.finditer(text)), len(text)]
    if len(starts) - 1 > MAX_DROP_PARTS:
        return ()
    return _split(text, starts, exists)


def typed_path(text: str) -> Path:
    """The path a user typed by hand: quoted or not, with `~`, or relative to the working folder."""
    found = parse_dropped(text)
    return found[0] if len(found) == 1 else Path(os.path.expanduser(text.strip())).absolute()  # noqa: PTH111


@dataclass(frozen=True, slots=True)
class Drop:
    """What was dropped together."""

    found: tuple[Path, ...]
    """Empty: it is no drop, but text."""
    missing: tuple[Path, ...] = ()
    """Where there is nothing any more; only beside others that are there."""


def parse_drop(text: str, exists: Callable[[str], bool] = os.path.exists) -> Drop:
    """As `parse_dropped`, and among files that are there some may be gone.

    What is gone counts only if it is spelled as a terminal spells a dropped path (one word of a
    shell, or a URL): in prose that names a file in the middle, nothing is missing.

    Args:
        text: A whole paste.
        exists: Whether there is something at a path.
    """
    found = parse_dropped(text, exists)
    if found or not may_be_dropped(text):
        return Drop(found)
    starts = [0, *(match.end() for match in _BOUNDARY.finditer(text)), len(text)]
    if len(starts) - 1 > MAX_DROP_PARTS:
        return Drop(())
    there: list[Path] = []
    missing: list[Path] = []
    for start, end in pairwise(starts):
        path = _resolve(text[start:end], exists)
        if path is not None:
            there.append(path)
        elif (gone := _unresolved(text[start:end])) is not None:
            missing.append(gone)
        else:
            return Drop(())
    return Drop(tuple(there), tuple(missing)) if there else Drop(())


def gone(path: Path) -> NotAFileError:
    """The sentence for a dropped file that is not there any more."""
    name = sanitize_line(path.name)
    return NotAFileError(
        f"“{name}” is not there any more.", "What was dropped with it is attached."
    )


def _unresolved(piece: str) -> Path | None:
    """Where a dropped file was, by its spelling alone; None for what a terminal would not write."""
    word = _unquote_word(piece)
    spelling = (file_url_path(word) or word) if word else ""
    if spelling.startswith("~/"):
        spelling = os.path.expanduser(spelling)  # noqa: PTH111
    is_deep = spelling.startswith("/") and "/" in spelling[1:]
    return Path(spelling) if is_deep else None


def file_url_path(url: str) -> str:
    """The path in a `file:` URL of this machine (RFC 8089), decoded; empty for any other text.

    GNOME's copied files and Konsole's drops name the machine's own host.
    """
    found = _FILE_URL.match(url)
    if found is None or not _is_here(found["host"] or ""):
        return ""
    return unquote(url[found.end() :], errors="surrogateescape")


def _is_here(host: str) -> bool:
    name = host.casefold()
    return name in {"", "localhost"} or name.partition(".")[0] == _own_name()


def _own_name() -> str:
    return socket.gethostname().casefold().partition(".")[0]


def _split(text: str, starts: list[int], exists: Callable[[str], bool]) -> tuple[Path, ...]:
    """Cut `text` at some of `starts` so that every piece resolves, shortest pieces first.

    From the back, so that no tail is looked at twice; a tail that resolves is kept in `tails`.
    """
    last = len(starts) - 1
    tails: dict[int, tuple[Path, ...]] = {last: ()}
    for first in range(last - 1, -1, -1):
        for end in range(first + 1, last + 1):
            if end not in tails:
                continue
            path = _resolve(text[starts[first] : starts[end]], exists)
            if path is not None:
                tails[first] = (path, *tails[end])
                break
    return tails.get(0, ())


def _resolve(piece: str, exists: Callable[[str], bool]) -> Path | None:
    for reading in _readings(piece):
        spelling = os.path.expanduser(reading) if reading.startswith("~") else reading  # noqa: PTH111
        if not spelling.startswith("/"):
            continue
        for variant in _variants(spelling, exists):
            if exists(variant):
                return Path(variant)
    return None


def _readings(piece: str) -> Iterator[str]:
    """What a piece may mean: itself, itself without the blanks around, a shell word, a URL."""
    bare = piece.strip()
    yield piece
    yield piece.strip(" \n")  # a name may end with another kind of blank
    yield bare
    word = _unquote_word(piece)
    for candidate in dict.fromkeys((bare, word)):
        if candidate is None:
            continue
        if path := file_url_path(candidate):
            yield path
        elif candidate is word:
            yield word


def _unquote_word(piece: str) -> str | None:
    """`piece` read as one word of a POSIX shell; None if it is not exactly one."""
    word: list[str] = []
    quote = ""
    characters = iter(piece)
    trailing = False
    for character in characters:
        if quote == "'":
            quote = "" if character == "'" else _keep(word, character, quote)
        elif character == "\\":
            following = next(characters, None)
            if following is None or trailing:
                return None
            if quote and following not in '"\\$`':
                word.append("\\")
            word.append(following)
        elif quote:
            quote = "" if character == quote else _keep(word, character, quote)
        elif character in " \t\r\n":
            trailing = bool(word)
        elif trailing:
            return None
        elif character in "'\"":
            quote = character
        else:
            word.append(character)
    return None if quote or not word else "".join(word)


def _keep(word: list[str], character: str, quote: str) -> str:
    word.append(character)
    return quote


def _variants(spelling: str, exists: Callable[[str], bool]) -> Iterator[str]:
    """Other spellings of the same name: what macOS writes and what a paste makes of it differ.

    HFS+ names are decomposed (NFD), pastes are often composed (NFC); screenshots have U+202F
    before "PM", which many programs turn into a plain space on the way.
    """
    forms = dict.fromkeys(
        (spelling, unicodedata.normalize("NFC", spelling), unicodedata.normalize("NFD", spelling))
    )
    yield from forms
    for form in forms:
        folder, _, name = form.rpartition("/")
        if not exists(folder or "/"):
            continue
        plain = _ODD_SPACE.sub(" ", name)
        yield f"{folder}/{plain}"
        places = [index for index, character in enumerate(plain) if character == " "]
        for odd in ("\u202f", "\u00a0"):
            yield f"{folder}/{plain.replace(' ', odd)}"
            for place in places[-_MAX_SPACES:]:
                yield f"{folder}/{plain[:place]}{odd}{plain[place + 1 :]}"
