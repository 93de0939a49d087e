"""Texts from outside that can be found on a screen, and the real program to show them to."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.generation import Finished, TextDelta
from gemma_tui.sanitize import sanitize_line
from tests.scripted_engine import USAGE
from tests.scripted_program import SCRIPT
from tests.scripted_worker import write_script
from tests.tui.terminal import Terminal
from tests.tui.terminal_grammar import Grammar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from gemma_tui.errors import GemmaError
    from gemma_tui.generation import GenerationEvent

    Reply: TypeAlias = Sequence[GenerationEvent | GemmaError]

ROOT: Final = Path(__file__).parents[2]

CTRL_Q, ESC = "\x11", "\x1b"
END: Final = Finished("stop", USAGE)
YES: Final = ((TextDelta("yes"), END),)

_AGREED: Final = re.compile(
    "(?:[\u0020-\u02ff\u0370-\u0482\u2400-\u2421\u3041-\u3096\u4e00-\u9fff\uac00-\ud7a3\ufffd]"
    "(?![\u0300-\u036f\u200c\u200d\ufe0e\ufe0f]))+"
)
"""Characters that are shown in the same way by all terminals."""


@dataclass(frozen=True)
class Numbered:
    """A foreign text that can be found on a screen full of others."""

    number: int
    text: str

    @property
    def whole(self) -> str:
        return f"<{self.number}|{self.text}"

    @property
    def line(self) -> str:
        """As a title or a name: what it says first is on its line."""
        return self.whole.replace("\n", " ")

    @property
    def name(self) -> str:
        """As the name of a file."""
        name = self.whole.replace("/", "\u2215").replace("\x00", "")
        return os.fsencode(name.encode(errors="replace").decode())[:200].decode(errors="ignore")

    def is_in(self, screen: str, length: int) -> bool:
        """Whether the number and the first characters behind it are there, none of them lost."""
        first = sanitize_line(re.split("[\r\n]", self.whole)[0])
        agreed = _AGREED.match(first)
        assert agreed is not None
        return seen(agreed[0])[: len(f"<{self.number}|") + length] in screen


def numbered(texts: Iterable[str], first: int = 100) -> list[Numbered]:
    """Texts with numbers of their own."""
    return [Numbered(first + index, text) for index, text in enumerate(texts)]


def short(texts: Iterable[Numbered]) -> list[Numbered]:
    """Those that do not fill a screen."""
    return [text for text in texts if len(text.text) < 600 and text.text.count("\n") < 4]


def seen(text: str) -> str:
    """A text without its blanks: where a row was wrapped does not matter."""
    return "".join(text.split())


def missing(texts: Iterable[Numbered], screen: str, length: int = 8) -> list[str]:
    """The texts that are not on a screen, and what is there instead."""
    shown = seen(screen)
    return [
        f"{text.whole[:40]!r}: {shown.partition(f'<{text.number}|')[2][:12]!r}"
        for text in texts
        if not text.is_in(shown, length)
    ]


def fenced(texts: Iterable[Numbered]) -> str:
    """An answer that shows texts as they stand, each on lines of its own."""
    fence = "~" * 9
    return f"{fence}\n" + "\n".join(text.whole for text in texts) + f"\n{fence}\n"


def in_pieces(text: str) -> list[TextDelta]:
    """An answer that comes in pieces, with every escape sequence in two of them."""
    return [TextDelta(piece) for piece in re.split("(?<=[\x1b\x9b\x90\x9d])", text) if piece]


class Program(Terminal):
    """The real program in a terminal, with an engine that says what it is told to.

    Args:
        home: Its home; the script and the model's folder are beside it.
        arguments: Of the command line; without any, the app with a model.
        replies: What the engine says.
        size: Columns and rows.
        folder: The working folder, if it matters.
        environ: Further environment variables.
    """

    def __init__(
        self,
        home: Path,
        *arguments: str,
        replies: Iterable[Reply] = YES,
        size: tuple[int, int] = (110, 60),
        folder: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        script = write_script(home.parent / "script", replies)
        arguments = arguments or ("--model", f"{home.parent}/scripted")
        places = os.pathsep.join([os.fspath(ROOT), *filter(None, sys.path)])
        super().__init__(
            [sys.executable, "-m", "tests.scripted_program", *arguments],
            home=home,
            size=size,
            environ={SCRIPT: os.fspath(script), "PYTHONPATH": places, **(environ or {})},
            folder=folder,
        )

    def lacks(self, text: str) -> None:
        """Wait until `text` is not on the screen."""
        self.until(lambda: text not in self.text, f"without {text!r}")

    def send(self, words: str) -> None:
        """Send, as soon as Enter is no part of a paste any more."""
        self.type(words)
        self.shows(words)
        while "Ask Gemma" not in self.text:
            self.type("\r")
            self.read(0.2)
        self.shows("● ready")

    def leave(self) -> None:
        """Quit the app, which must work."""
        self.type(CTRL_Q)
        assert self.wait() == 0

    def foreign(self, grammar: Grammar | None = None) -> list[str]:
        """What it wrote and must not."""
        return (grammar or Grammar()).foreign(bytes(self.written))
