"""LaTeX mathematics as a line of Unicode text, as far as one line can say it.

Nothing is lost: what has no short form stays as it was written. Reads no packages and no macros.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gemma_tui.tui.transcript.math_symbols import (
    ACCENTS,
    DOUBLE_STRUCK,
    DROPPED,
    FONTS,
    SPACES,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    SYMBOLS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LENGTH: Final = 2000
"""Longer formulas are shown as they were written."""
MAX_DEPTH: Final = 24
"""So are those whose braces are nested deeper."""

_TOKEN: Final = re.compile(r"\\[A-Za-z]+\*?|\\.|[{}^_&~]|[^\\{}^_&~\s]|\s+|\\", re.DOTALL)
_SIMPLE: Final = re.compile(r"[^\W_]*[^\s+\-=/·×]?$")


def to_unicode(source: str) -> str:
    """A formula without its delimiters, in lines where it has several."""
    if len(source) > MAX_LENGTH:
        return source
    try:
        shown = _Reader(source).read()
    except _TooDeepError:
        return source
    lines = (
        " ".join(line.split(" ")).strip() for line in re.sub(r"[ \t]+", " ", shown).split("\n")
    )
    return "\n".join(line for line in lines if line)


class _TooDeepError(Exception):
    """The braces are nested too deep."""


class _Reader:
    def __init__(self, source: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(source)
        self._at = 0
        self._depth = 0
        self._takers = {
            **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), self._fraction),
            **dict.fromkeys(("binom", "dbinom", "tbinom"), self._binomial),
            **dict.fromkeys(("begin", "end"), self._environment),
            "sqrt": self._root,
            "mathbb": self._double_struck,
        }

    def read(self, end: str = "") -> str:
        """Everything up to the token `end`, or to the end."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooDeepError
        shown = ""
        while self._at < len(self._tokens):
            token = self._next()
            if token == end:
                break
            shown += self._one(token, shown)
        self._depth -= 1
        return shown

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _argument(self) -> str:
        """What a command or a script applies to: a group, or one thing."""
        while self._at < len(self._tokens) and self._tokens[self._at].isspace():
            self._at += 1
        if self._at == len(self._tokens):
            return ""
        return self._one(self._next(), "")

    def _one(self, piece: str, before: str) -> str:
        if piece == "{":
            return self.read("}")
        if piece in ("^", "_"):
            letters = SUPERSCRIPTS if piece == "^" else SUBSCRIPTS
            return _script(self._argument(), letters, piece)
        if piece == "&":
            return " " if before.strip() else ""
        if piece.startswith("\\") and len(piece) > 1:
            return self._command(piece[1:].rstrip("*") or piece[1:])
        return " " if piece == "~" or piece.isspace() else piece

    def _command(self, name: str) -> str:
        if name in FONTS:
            return self._argument()
        if name in ACCENTS:
            return self._accented(name)
        if name in self._takers:
            return self._takers[name]()
        return "" if name in DROPPED else _symbol(name)

    def _fraction(self) -> str:
        return f"{_grouped(self._argument())}/{_grouped(self._argument())}"

    def _binomial(self) -> str:
        return f"C({self._argument()}, {self._argument()})"

    def _environment(self) -> str:
        self._argument()  # its name says how it is set
        return "\n"

    def _double_struck(self) -> str:
        return "".join(DOUBLE_STRUCK.get(letter, letter) for letter in self._argument())

    def _root(self) -> str:
        degree = ""
        if self._at < len(self._tokens) and self._tokens[self._at] == "[":
            self._at += 1
            degree = _script(self.read("]"), SUPERSCRIPTS, "")
        return f"{degree}√{_grouped(self._argument())}"

    def _accented(self, name: str) -> str:
        argument = self._argument()
        return argument + ACCENTS[name] if len(argument) == 1 else f"{name}({argument})"


def _symbol(name: str) -> str:
    """A command without arguments; one nobody knows stays, an escaped sign is that sign."""
    if name == "\\":
        return "\n"
    known = SPACES.get(name, SYMBOLS.get(name))
    if known is not None:
        return known
    return f"\\{name}" if name[0].isalpha() else name


def _script(text: str, letters: Mapping[str, str], mark: str) -> str:
    tidy = text.replace(" ", "")
    if tidy and all(letter in letters for letter in tidy):
        return "".join(letters[letter] for letter in tidy)
    return f"{mark}{text}" if len(tidy) <= 1 or tidy.isalnum() else f"{mark}({text.strip()})"


def _grouped(text: str) -> str:
    tidy = text.strip()
    return tidy if _SIMPLE.match(tidy) else f"({tidy})"
