"""Text files and long pastes: what counts as text, and how it stands in a prompt.

Knows bytes and strings; where they are kept is the business of others.
"""

from __future__ import annotations

import re
from typing import Final

from gemma_tui.errors import LimitError, UnsupportedFormatError

MAX_TEXT_BYTES: Final = 2 * 1024 * 1024
"""The largest context, 262,144 tokens, holds about 1.1 MB of English; only runs of spaces or the
like take more bytes a token."""

_BACKTICKS: Final = re.compile("`+")
_MIN_FENCE: Final = 3


def decode_text(content: bytes, name: str) -> str:
    r"""The text in a file: UTF-8, with or without a byte-order mark, lines ended by `\n`.

    Nothing is replaced: a model that is shown other letters than the user sees answers about those.

    Args:
        content: All bytes of the file.
        name: What error messages call it.

    Raises:
        LimitError: It is larger than `MAX_TEXT_BYTES`.
        UnsupportedFormatError: It is not UTF-8, or holds NUL characters.
    """
    if len(content) > MAX_TEXT_BYTES:
        raise too_long(name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnsupportedFormatError(
            f"“{name}” is not UTF-8 text: byte {error.start:,} is {content[error.start]:#04x}.",
            "Save it as UTF-8 first.",
        ) from None
    if "\0" in text:
        raise UnsupportedFormatError(
            f"“{name}” holds NUL characters, so it is not text.", "Attach a text file."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def too_long(name: str) -> LimitError:
    """The sentence for a text that no context can hold."""
    limit = MAX_TEXT_BYTES // (1024 * 1024)
    return LimitError(
        f"“{name}” has more than {limit} MB of text, which no model can read at once.",
        "Attach the part that matters.",
    )


def fenced(name: str, text: str) -> str:
    """A text as it stands in a prompt: its name, and a fence that nothing in the text can close.

    The fence has one backtick more than the longest run of them in the text
    (https://spec.commonmark.org/0.31.2/#fenced-code-blocks); the name must be a single line.
    """
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(_MIN_FENCE, longest + 1)
    return f"File “{name}”:\n{fence}\n{text.rstrip()}\n{fence}"
