"""A PDF that needs a password, written anew without one: the password is needed once.

What is kept with a conversation can be drawn again tomorrow, and nobody has to keep a password.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gemma_tui.errors import UnsupportedFormatError
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.pdf import describe_document, opened_document
from gemma_tui.preprocessing.source import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.generation import MediaInfo


def unlock(path: Path, name: str, password: str, target: Path) -> MediaInfo:
    """Write a copy of a PDF that needs no password.

    Args:
        path: The PDF.
        name: What error messages call it.
        password: Of the reader or of the owner; it is kept nowhere.
        target: Must not be there yet.

    Returns:
        What is to be known of the copy, as `describe_document` says.

    Raises:
        LockedDocumentError: The password does not open it.
        AttachmentError: As `describe_document`, or it is no PDF.
        OSError: `target` cannot be written.
    """
    with open_file(path, name) as file:
        if format_of(file, name).decoder != "PDF":
            message = f"“{name}” is not a PDF, so no password opens it."
            raise UnsupportedFormatError(message, "Attach it as it is.")
        descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        with os.fdopen(descriptor, "w+b") as copy:
            with opened_document(file, name, password) as document:
                from pypdfium2 import raw  # noqa: PLC0415  # an extra; it is there by now

                document.save(copy, flags=raw.FPDF_REMOVE_SECURITY)
            copy.seek(0)
            return describe_document(copy, name)
