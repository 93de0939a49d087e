"""Files of an export, written whole or not at all, and never over others by accident.

Knows no formats. Names made from titles and attachments are made safe here.
"""

from __future__ import annotations

import os
import re
import unicodedata
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ExchangeError
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%#\[\]()`\ufffd]+')
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_NAME: Final = 80


@contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """A file to write, which gets its name only when the block ends without an error.

    Args:
        path: Its final name.
        overwrite: Whether it may take the place of another file.

    Raises:
        ExchangeError: There is such a file already, or the folder cannot be written.
    """
    if not overwrite and os.path.lexists(path):
        raise already_there(path)
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    with write_faults(path):
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _place(temporary, path, overwrite=overwrite)
        finally:
            temporary.unlink(missing_ok=True)


def already_there(path: Path) -> ExchangeError:
    """The sentence for a place that is taken."""
    return ExchangeError(
        f"“{path}” is there already, so nothing was written.",
        "Choose another name; with --force, `gemma-tui history export` replaces it.",
    )


@contextmanager
def write_faults(path: Path) -> Iterator[None]:
    """Turn what the system says while `path` is written into a sentence.

    Raises:
        ExchangeError: Instead of an `OSError`.
    """
    try:
        yield
    except FileExistsError as error:
        raise already_there(path) from error
    except OSError as error:
        raise ExchangeError(
            f"“{path}” cannot be written ({error.strerror or error}).",
            "Choose another place.",
        ) from error


def safe_name(text: str, default: str = "conversation") -> str:
    """A name that is one file in any folder on any system, close to `text`; never hidden.

    Args:
        text: A title or the name of a file, from anywhere.
        default: What it is called if nothing is left of it.
    """
    line = unicodedata.normalize("NFC", sanitize_line(text))
    name = " ".join(_NOT_IN_NAMES.sub(" ", line).split()).strip(". ")
    stem, suffix = PurePath(name).stem, PurePath(name).suffix[:12]
    while len((stem + suffix).encode()) > _LONGEST_NAME:
        stem = stem[:-1].rstrip(". ")
    name = (stem or default) + suffix
    return f"_{name}" if _RESERVED.fullmatch(name) else name


def _place(temporary: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)  # unlike a rename it fails if the name has been taken meanwhile
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        temporary.rename(path)
