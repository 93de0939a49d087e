"""What attached texts say, read from their stored copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.sanitize import sanitize_line
from gemma_tui.storage.blobs import missing_blob
from gemma_tui.text_file import decode_text, fenced
from gemma_tui.text_parts import cut_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gemma_tui.conversation import Attachment


def read_text(attachment: Attachment, path_of: Callable[[str], Path]) -> str:
    """All that an attached text says.

    Raises:
        StorageError: Its stored copy is gone.
    """
    try:
        content = path_of(attachment.sha256).read_bytes()
    except OSError as error:
        raise missing_blob(attachment.name) from error
    return decode_text(content, sanitize_line(attachment.name))


def sent_text(attachment: Attachment, path_of: Callable[[str], Path]) -> str:
    """What is sent of an attached text; raises as `read_text`."""
    text = read_text(attachment, path_of)
    return cut_out(text, attachment.segments) if attachment.segments else text


def quoted_text(attachment: Attachment, path_of: Callable[[str], Path]) -> str:
    """An attached text as it stands in a prompt; raises as `read_text`."""
    which = attachment.segments[0].label if attachment.segments else ""
    text = sent_text(attachment, path_of)
    return fenced(sanitize_line(attachment.name), text, sanitize_line(which))
