"""Writing an answer to the standard output, for whoever shows it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.errors import GemmaError

if TYPE_CHECKING:
    from typing import TextIO


def write_answer(stream: TextIO, text: str) -> None:
    """Write, and let it be seen at once.

    Raises:
        BrokenPipeError: Whoever read has gone.
        GemmaError: The stream takes no more, as on a full disk.
    """
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise GemmaError(
            f"The answer cannot be written to the standard output ({error.strerror}).",
            "Send it to another place.",
        ) from error
