"""Syntax highlighting of lines of code, as spans with style names such as `code keyword`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gemma_tui.tui.transcript.inline import plain_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pygments.lexer import Lexer

    from gemma_tui.tui.transcript.rows import Span, Spans

MAX_LINE: Final = 500
"""Longer lines are not highlighted: lexers are not made for them."""

_LANGUAGE: Final = re.compile(r"[A-Za-z0-9_+#.-]{1,24}$")

_STYLES: Final = {
    "Token.Comment": "comment",
    "Token.Keyword": "keyword",
    "Token.Name.Tag": "keyword",
    "Token.Operator.Word": "keyword",
    "Token.Literal.String": "string",
    "Token.Literal.Number": "number",
    "Token.Name.Function": "name",
    "Token.Name.Class": "name",
    "Token.Name.Decorator": "name",
    "Token.Name.Attribute": "name",
    "Token.Generic.Inserted": "string",
    "Token.Generic.Deleted": "keyword",
    "Token.Generic.Heading": "name",
}


class Highlighter:
    """Colours code by its language; unknown languages stay plain."""

    def __init__(self) -> None:
        self._lexers: dict[str, Lexer | None] = {}

    def highlight(self, lines: Sequence[str], language: str) -> list[Spans]:
        """One tuple of spans for each line."""
        tidy = ["".join(text for text, _ in plain_spans(line)) for line in lines]
        lexer = self._lexer(language.lower())
        if lexer is None or any(len(line) > MAX_LINE for line in tidy):
            return [((line, "code"),) if line else () for line in tidy]
        return _lex(lexer, tidy)

    def _lexer(self, language: str) -> Lexer | None:
        if language not in self._lexers:
            self._lexers[language] = _find_lexer(language)
        return self._lexers[language]


def _lex(lexer: Lexer, lines: list[str]) -> list[Spans]:
    found: list[list[Span]] = [[]]
    for token, text in lexer.get_tokens("\n".join(lines)):
        style = _style(str(token))
        first, *others = text.split("\n")
        if first:
            found[-1].append((first, style))
        found.extend([(piece, style)] if piece else [] for piece in others)
    # Lexers may add or drop newlines at the ends; the lines decide.
    return [tuple(spans) for spans in found[: len(lines)]] + [()] * (len(lines) - len(found))


def _find_lexer(language: str) -> Lexer | None:
    if not _LANGUAGE.match(language):
        return None
    # Imported late: most conversations have no code, and no start should wait for it.
    from pygments.lexers import (  # noqa: PLC0415
        get_lexer_by_name,
    )
    from pygments.util import (  # noqa: PLC0415
        ClassNotFound,
    )

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _style(token: str) -> str:
    while token != "Token":  # noqa: S105  # a kind of lexer token
        if token in _STYLES:
            return f"code {_STYLES[token]}"
        token = token.rpartition(".")[0]
    return "code"
