"""Foreign text, on every way it can take: nothing of it acts on the terminal, and all of it is seen.

The real program in a real pty; every byte it writes is held to `terminal_grammar`. One start serves
hundreds of texts, each behind a number of its own by which it is found on the screen.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gemma_tui.generation import Finished, TextDelta
from gemma_tui.paths import default_paths
from gemma_tui.sanitize import sanitize_line
from tests.scripted_engine import USAGE
from tests.scripted_program import SCRIPT
from tests.scripted_worker import write_script
from tests.tui.terminal import Terminal
from tests.tui.terminal_grammar import Grammar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from gemma_tui.errors import GemmaError
    from gemma_tui.generation import GenerationEvent
    from gemma_tui.paths import Paths

    Reply: TypeAlias = Sequence[GenerationEvent | GemmaError]

ROOT = Path(__file__).parents[2]

_AGREED = re.compile(
    "(?:[\u0020-\u02ff\u0370-\u0482\u2400-\u2421\u3041-\u3096\u4e00-\u9fff\uac00-\ud7a3\ufffd]"
    "(?![\u0300-\u036f\u200c\u200d\ufe0e\ufe0f]))+"
)
"""Characters that are shown in the same way by all terminals."""

CTRL_Q, ESC = "\x11", "\x1b"
END = Finished("stop", USAGE)


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
        """On one line, as titles and names are; what is said first in it is kept."""
        return " ".join(self.whole.split("\n"))

    def is_in(self, screen: str, length: int = 8) -> bool:
        """Whether the number and the first visible characters behind it are there."""
        first = sanitize_line(re.split("\r?\n", self.whole)[0])
        plain = _AGREED.match(first)
        assert plain is not None
        return seen(plain[0])[: len(f"<{self.number}|") + length] in screen


def numbered(texts: Iterable[str], first: int = 100) -> list[Numbered]:
    return [Numbered(first + index, text) for index, text in enumerate(texts)]


def seen(text: str) -> str:
    """A text without its blanks."""
    return "".join(text.split())


def missing(texts: Iterable[Numbered], screen: str, length: int = 8) -> list[str]:
    shown = seen(screen)
    return [
        f"{text.whole[:40]!r}: {shown.partition(f'<{text.number}|')[2][:12]!r}"
        for text in texts
        if not text.is_in(shown, length)
    ]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def paths(home: Path) -> Paths:
    paths = default_paths({"GEMMA_TUI_HOME": str(home)})
    paths.data.mkdir(parents=True, mode=0o700)
    paths.config.mkdir(parents=True)
    return paths


class Program:
    """The real program in a terminal with a scripted engine.

    Args:
        home: Its home.
        replies: What the engine says.
        arguments: Of the command line, behind the model.
        model: Name of the model's folder, which is the model's name.
    """

    def __init__(
        self,
        home: Path,
        replies: Sequence[Reply] = (((TextDelta("yes"), END)),),
        *arguments: str,
        model: str = "scripted",
        size: tuple[int, int] = (110, 60),
        folder: Path | None = None,
    ) -> None:
        script = write_script(home.parent / "script", replies)
        root = os.fspath(folder or home.parent)
        places = [os.fspath(place) for place in sys.path if place]
        self.terminal = Terminal(
            [
                sys.executable,
                "-m",
                "tests.scripted_program",
                "--model",
                f"{root}/{model}",
                *arguments,
            ],
            home=home,
            size=size,
            environ={
                SCRIPT: str(script),
                "PYTHONPATH": os.pathsep.join([os.fspath(ROOT), *places]),
            },
        )

    def leave(self) -> None:
        self.terminal.type(CTRL_Q)
        assert self.terminal.wait() == 0

    @property
    def foreign(self) -> list[str]:
        return Grammar().foreign(bytes(self.terminal.written))


def fenced(texts: Iterable[Numbered]) -> str:
    """An answer that shows texts as they stand, each on lines of its own."""
    fence = "~" * 9
    return f"{fence}\n" + "\n".join(text.whole for text in texts) + f"\n{fence}\n"


def short(texts: Sequence[Numbered]) -> list[Numbered]:
    """Those that do not fill a screen."""
    return [text for text in texts if len(text.text) < 600 and text.text.count("\n") < 4]


def halves(text: str) -> list[TextDelta]:
    """Every escape sequence in two pieces."""
    return [TextDelta(piece) for piece in re.split("(?<=[\x1b\x9b\x90\x9d])", text) if piece]
