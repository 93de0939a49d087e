"""What `ask` was given, from its arguments and from a pipe, as text and files.

Decides whether a pipe brings text or a file; what kind of file it is, the engine finds out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import LimitError, UsageError
from gemma_tui.options import GenerationOptions
from gemma_tui.storage.blobs import MAX_BLOB_BYTES
from gemma_tui.storage.faults import storage_faults

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from gemma_tui.preprocessing.budget import TokenBudget

PIPE: Final = "-"
"""Names the standard input among the files."""

PIPE_NAME: Final = "stdin"
"""What a piped file is called in sentences and in the JSON output."""

MAX_TEXT_BYTES: Final = 8 * 1024 * 1024
"""Far more than the context of any Gemma 4 holds (256k tokens of a few bytes each)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question as it was typed, and how to answer it."""

    prompt: str = ""
    files: tuple[str, ...] = ()
    """Paths of attachments; `-` is the pipe."""
    token_budget: TokenBudget | None = None
    system_prompt: str = ""
    selection: str = ""
    """Which parts of the attached files are sent; empty: all, or as many as fit."""
    frame_rate: str = "1"
    """Frames a second of attached videos."""
    frame_budget: int | None = None
    """The most soft tokens of one, if that was asked for."""
    options: GenerationOptions = field(default_factory=GenerationOptions)

    def with_pipe(self, pipe: BinaryIO | None, folder: Path) -> Question:
        """The question with what the pipe brings; reads it to its end.

        Text comes after the prompt, an empty line between them. Bytes that are not text become a
        file in `folder`, which is attached.

        Args:
            pipe: The standard input, or None if it is a terminal or closed.
            folder: Where a piped file is put.

        Raises:
            UsageError: `-a ""`, `-a -` without a pipe or with an empty one, or neither prompt nor
                file.
            LimitError: The pipe brings more than an attachment, or a question, may have.
            StorageError: There is no place for a piped file.
        """
        if "" in self.files:
            raise UsageError("“-a” names no file.", "Name one, or leave the option out.")
        if PIPE in self.files and pipe is None:
            raise UsageError("“-a -” takes a file from a pipe, but there is none.")
        content = pipe.read(MAX_BLOB_BYTES + 1) if pipe else b""
        if PIPE in self.files and not content:
            raise UsageError("“-a -” takes a file from a pipe, but the pipe is empty.")
        if len(content) > MAX_BLOB_BYTES:
            raise LimitError(
                f"The pipe brings more than {MAX_BLOB_BYTES >> 20} MB.", "Pipe a smaller file."
            )
        text = None if PIPE in self.files else _as_text(content)
        if text is None:
            path = folder / PIPE_NAME
            with storage_faults(path):
                path.write_bytes(content)
            files = tuple(str(path) if name == PIPE else name for name in self.files)
            whole = replace(self, files=files if PIPE in self.files else (*files, str(path)))
        elif len(content) > MAX_TEXT_BYTES:
            raise LimitError(
                f"The pipe brings more than {MAX_TEXT_BYTES >> 20} MB of text, "
                "which is more than any model can read at once.",
                "Pipe a part of it.",
            )
        else:
            both = (self.prompt, text.strip("\n") if text.strip() else "")
            whole = replace(self, prompt="\n\n".join(filter(None, both)))
        if not whole.prompt.strip() and not whole.files:
            raise UsageError(
                "There is nothing to ask.",
                'Write a question, as in gemma-tui ask "What is a haiku?", or pipe it in.',
            )
        return whole


def _as_text(content: bytes) -> str | None:
    """The text in `content`; None if it is none. Pictures and sounds hold NULs or broken UTF-8."""
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
