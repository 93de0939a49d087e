"""Text files and long pastes: what counts as text, and how it stands in a prompt.

Knows bytes and strings; where they are kept is the business of others.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import LimitError, UnsupportedFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TEXT_BYTES: Final = 16 * 1024 * 1024
"""Of a file. The largest context, 262,144 tokens, holds about 1.1 MB of English; of a longer text
parts are sent."""

LANGUAGES: Final[Mapping[str, str]] = {
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs"), "javascript"),
    **dict.fromkeys((".sh", ".bash", ".zsh"), "sh"),
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    **dict.fromkeys((".html", ".htm"), "html"),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hh", ".hpp"), "cpp"),
    **dict.fromkeys((".c", ".h"), "c"),
    **dict.fromkeys((".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".diff", ".patch"), "diff"),
    ".rs": "rust",
    ".rb": "ruby",
    ".kt": "kotlin",
    ".cs": "csharp",
    ".ts": "typescript",
    ".m": "objectivec",
    ".pl": "perl",
    ".ex": "elixir",
    ".hs": "haskell",
    ".jl": "julia",
    **{
        f".{each}": each
        for each in (
            *("go", "java", "swift", "scala", "php", "lua", "r", "sql", "css", "scss", "tsx"),
            *("jsx", "json", "toml", "ini", "xml", "csv", "tsv", "tex", "dart", "zig", "nix"),
        )
    },
}
"""What the fence of a text says, by the suffix of its file; others say nothing."""

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF_32: Final = b"\xff\xfe\0\0"
"""Byte-order marks. UTF-32, which nobody writes, is not read."""

_BACKTICKS: Final = re.compile("`+")
_MIN_FENCE: Final = 3


def decode_text(content: bytes, name: str) -> str:
    r"""The text in a file: UTF-8, or UTF-16 with a byte-order mark, lines ended by `\n`.

    Nothing is replaced: a model that is shown other letters than the user sees answers about those.

    Args:
        content: All bytes of the file.
        name: What error messages call it.

    Raises:
        LimitError: It is larger than `MAX_TEXT_BYTES`.
        UnsupportedFormatError: It is in another encoding, or holds NUL characters.
    """
    if len(content) > MAX_TEXT_BYTES:
        raise too_long(name)
    encoding = encoding_of(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnsupportedFormatError(
            f"“{name}” is not {encoding.upper().removesuffix('-SIG')} text:"
            f" byte {error.start:,} is {content[error.start]:#04x}.",
            "Save it as UTF-8 first.",
        ) from None
    if "\0" in text:
        raise UnsupportedFormatError(
            f"“{name}” holds NUL characters, so it is not text.", "Attach a text file."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def encoding_of(head: bytes) -> str:
    """How Python calls the encoding that a file is read in, by its first bytes."""
    is_wide = head.startswith(_UTF_16) and not head.startswith(_UTF_32)
    return "utf-16" if is_wide else "utf-8-sig"


def too_long(name: str) -> LimitError:
    """The sentence for a text that no context can hold."""
    limit = MAX_TEXT_BYTES // (1024 * 1024)
    return LimitError(
        f"“{name}” has more than {limit} MB of text, which no model can read at once.",
        "Attach the part that matters.",
    )


def language_of(name: str) -> str:
    """The language of a file by its suffix, as fences name it; empty where it is prose."""
    return LANGUAGES.get(os.path.splitext(name)[1].lower(), "")  # noqa: PTH122  # no path


def fenced(name: str, text: str, which: str = "") -> str:
    """A text as it stands in a prompt: its name, and a fence that nothing in the text can close.

    The fence has one backtick more than the longest run of them in the text
    (https://spec.commonmark.org/0.31.2/#fenced-code-blocks); the name must be a single line.

    Args:
        name: Of the file; its suffix says the language.
        text: What is sent of it.
        which: What that is, if it is a part or has a shape; a single line.
    """
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(_MIN_FENCE, longest + 1)
    part = f" ({which})" if which else ""
    return f"File “{name}”{part}:\n{fence}{language_of(name)}\n{text.rstrip()}\n{fence}"
