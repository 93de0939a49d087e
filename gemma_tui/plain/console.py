"""Lines in, lines out. On a terminal lines can be edited; not one escape sequence is written.

What the user asked for goes to the standard output, what happens meanwhile to the standard error.
"""

from __future__ import annotations

import codecs
import os
import shutil
import sys
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.answer_stream import write_answer
from gemma_tui.errors import GemmaError
from gemma_tui.plain.daemon_thread import in_daemon_thread
from gemma_tui.sanitize import sanitize, sanitize_line

if TYPE_CHECKING:
    from typing import TextIO

CHUNK_BYTES: Final = 65536


class Console:
    """The standard streams of a plain chat.

    Args:
        output: Answers, and what commands show.
        notes: Progress and problems.
        input_number: File descriptor that lines come from.
        edits: Whether somebody types there, so that there is a prompt and lines can be edited.
    """

    def __init__(
        self, output: TextIO, notes: TextIO, *, input_number: int = 0, edits: bool = False
    ) -> None:
        self._output = output
        self._notes = notes
        self._input_number = input_number
        self.edits = edits
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._is_at_end = False
        self._line_is_open = False
        self._modes: list[Any] | None = None
        self._is_reading = False
        self._prompt = ""
        self.can_offer = False
        """Whether a text can stand at the prompt."""
        if edits:
            self._modes = _prepare_editing(input_number)
            self.can_offer = "readline" in sys.modules

    def close(self) -> None:
        """Give the terminal back as it was: a line may be half edited."""
        if self._modes is not None:
            import termios  # noqa: PLC0415  # as in `_prepare_editing`

            with suppress(termios.error):
                termios.tcsetattr(self._input_number, termios.TCSADRAIN, self._modes)

    @property
    def typed(self) -> str:
        """What stands at the prompt now."""
        if not self._is_reading or not self.can_offer:
            return ""
        import readline  # noqa: PLC0415  # as in `_prepare_editing`

        return readline.get_line_buffer()

    async def line(self, prompt: str, offered: str = "") -> str | None:
        """The next line, without its end; None when there are no more.

        Args:
            prompt: What stands in front of it.
            offered: What stands there at first, to be edited or sent, if `can_offer`.
        """
        read = (lambda: _edited_line(prompt, offered)) if self.edits else self._raw_line
        self._is_reading = True
        self._prompt = prompt
        try:
            line = await in_daemon_thread(read)
        except GemmaError:
            self._is_reading = False
            raise
        self._is_reading = False  # not if this is cancelled: the thread goes on reading
        return line

    @property
    def columns(self) -> int | None:
        """How wide the terminal is that is shown on; None in a pipe, whose lines stay whole."""
        return shutil.get_terminal_size().columns if self._output.isatty() else None

    def say(self, text: str) -> None:
        """Show lines that were asked for."""
        self.end_answer()
        write_answer(self._output, f"{sanitize(text)}\n")

    def answer(self, text: str) -> None:
        """Show more of an answer at once."""
        if text:
            write_answer(self._output, sanitize(text))
            self._line_is_open = not text.endswith("\n")

    def end_answer(self) -> None:
        """Close the last line of an answer."""
        if self._line_is_open:
            self._line_is_open = False
            write_answer(self._output, "\n")

    def note(self, sentence: str) -> None:
        """Say what happens, or what went wrong: on lines of its own, the prompt below again."""
        if self._line_is_open and self._output.isatty():
            self.end_answer()
        lines = [sanitize_line(line) for line in sentence.splitlines()]
        text = "".join(f"{line}\n" for line in lines if line)
        if text and self._is_reading and self.edits and self._notes.isatty():
            text = f"\n{text}{self._prompt}{sanitize_line(self.typed)}"
        self._notes.write(text)
        self._notes.flush()

    def _raw_line(self) -> str | None:
        """Past `sys.stdin`, whose lock a waiting thread would keep when the program ends."""
        while "\n" not in self._rest and not self._is_at_end:
            data = os.read(self._input_number, CHUNK_BYTES)
            self._is_at_end = not data
            self._rest += self._decoder.decode(data, final=self._is_at_end)
        if not self._rest:
            return None
        line, _, self._rest = self._rest.partition("\n")
        return line.removesuffix("\r")


def _prepare_editing(input_number: int) -> list[Any]:
    """Let lines be edited by readline, with plain characters only; returns the terminal's modes."""
    import termios  # noqa: PLC0415  # nothing else needs it

    modes: list[Any] = termios.tcgetattr(input_number)
    os.environ["TERM"] = "dumb"  # readline moves by backspaces then, and brackets no pastes
    with suppress(ImportError):
        import readline  # noqa: PLC0415  # reads TERM

        readline.parse_and_bind("set enable-bracketed-paste off")
        readline.parse_and_bind("set bell-style none")
        readline.parse_and_bind("tab: self-insert")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    return modes


def _edited_line(prompt: str, offered: str) -> str | None:
    if "readline" in sys.modules:
        import readline  # noqa: PLC0415  # as in `_prepare_editing`

        readline.set_startup_hook(partial(readline.insert_text, offered) if offered else None)
    try:
        return input(prompt)
    except EOFError:
        return None
