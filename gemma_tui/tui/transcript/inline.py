"""Emphasis, inline code, formulas and links of one paragraph, as styled spans.

Links and pictures are inert: the address is shown as text, nothing is fetched or opened, and HTML
is text. Text is sanitised after it is parsed, because `&#27;` becomes a control character there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.transcript.math_rule import DISPLAY, INLINE, math_rule
from gemma_tui.tui.transcript.math_text import to_unicode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from gemma_tui.tui.transcript.rows import Span, Spans

_TAB: Final = 4

_MARKUP: Final = re.compile(r"[*_`~\[\]!<\\&$]")
"""Without one of these a text has no markup, and need not be parsed."""

_STACKED: Final = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe00-\ufe2f]{8})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe00-\ufe2f]+"
)
"""More marks on one character than any script stacks; they would spill over other rows."""

_STYLES: Final = {"strong": "strong", "em": "em", "s": "strike", "link": "link"}


def plain_spans(text: str, style: str = "") -> Spans:
    """Text as it stands, made harmless."""
    tidy = _STACKED.sub(r"\1", sanitize(text))
    if "\t" in tidy:
        tidy = tidy.expandtabs(_TAB)
    return ((tidy, style),) if tidy else ()


class InlineParser:
    """Turns a paragraph's Markdown into spans."""

    def __init__(self) -> None:
        self._parser: MarkdownIt | None = None

    def spans(self, text: str, style: str = "") -> Spans:
        """Styled spans of `text`, each also in `style`; newlines are kept."""
        if not _MARKUP.search(text):
            return plain_spans(text, style)
        (block,) = self._markdown_it().parseInline(text)
        return tuple(_spans(block.children or [], style))

    def _markdown_it(self) -> MarkdownIt:
        # Imported late: an empty transcript must not wait for it.
        from markdown_it import MarkdownIt  # noqa: PLC0415

        if self._parser is None:
            self._parser = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
            self._parser.disable("html_inline")
            self._parser.inline.ruler.before("escape", "math", math_rule)
        return self._parser


def _spans(tokens: list[Token], base: str) -> Iterator[Span]:
    active = [base] if base else []
    addresses: list[tuple[str, str]] = []  # address and the text shown for it, of open links
    for number, token in enumerate(tokens):
        if token.type in (INLINE, DISPLAY):
            yield from _formula(tokens, number, " ".join([*active, "math"]))
            continue
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind in _STYLES:
            if token.nesting > 0:
                active.append(_STYLES[kind])
            else:
                active.remove(_STYLES[kind])
            if kind == "link":
                yield from _link(token, addresses, base)
            continue
        shown = _text(token)
        if addresses:
            addresses[-1] = (addresses[-1][0], addresses[-1][1] + shown)
        style = " ".join([*active, "code"] if kind == "code_inline" else active)
        yield from plain_spans(shown, style)


def _formula(tokens: list[Token], number: int, style: str) -> Iterator[Span]:
    """A formula; one on lines of its own is set off from the text around it."""
    token = tokens[number]
    shown = to_unicode(token.content)
    if token.type == INLINE:
        yield from plain_spans(shown.replace("\n", " "), style)
        return
    before = tokens[number - 1].type if number else "softbreak"
    after = tokens[number + 1].type if number + 1 < len(tokens) else "softbreak"
    if before != "softbreak":
        yield "\n", ""
    yield from plain_spans("\n".join(f"  {line}" for line in shown.split("\n")), style)
    if after != "softbreak":
        yield "\n", ""


def _text(token: Token) -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return f"[image: {token.content}] ({token.attrGet('src')})"
        case _:
            return token.content.replace("\n", " ")


def _link(token: Token, addresses: list[tuple[str, str]], base: str) -> Iterator[Span]:
    """At its end a link shows where it leads, unless that is what it says."""
    if token.nesting > 0:
        addresses.append((str(token.attrGet("href") or ""), ""))
        return
    address, shown = addresses.pop()
    if address not in {shown, f"mailto:{shown}"}:
        yield f" ({sanitize_line(address)})", f"{base} url".lstrip()
