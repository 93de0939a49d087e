"""Text from outside made part of a Markdown document that it cannot break out of.

An answer stays the Markdown it is, unless it would swallow what follows (a fence that nobody
closed) or hold raw HTML. What is tried is parsed to see whether it worked, so nothing depends on
knowing every rule of Markdown here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from gemma_tui.sanitize import sanitize, sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

_SENTINEL: Final = "after-the-text"
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_OPENS_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
_CODE_SPAN: Final = re.compile(r"(?<!`)(`++)(?!`).*?(?<!`)\1(?!`)")
_FENCE_RUN: Final = re.compile(r"`{3,}")


def embedded(text: str) -> str:
    """Markdown that stays in its place: no block in it is left open, no HTML in it is raw."""
    parser = _parser()
    plain = sanitize(text).strip("\n")
    inert = _without_html(parser, plain)
    candidates = (
        *(plain, _with_closed_fence(parser, plain)),
        *(inert, _with_closed_fence(parser, inert)),
    )
    for candidate in candidates:
        if _stays(parser, candidate):
            return candidate
    return fenced(plain)


def quoted(text: str) -> str:
    """`embedded` as a block quote, out of which no line leads."""
    quote = _quote(embedded(text))
    # A tab is narrower inside a quote, so that what was code may have become text.
    return quote if _stays(_parser(), quote) else _quote(fenced(text))


def _quote(block: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in block.split("\n"))


def fenced(text: str, language: str = "text") -> str:
    """`text` as it is, in a fence that is longer than any in it."""
    plain = sanitize(text).strip("\n")
    longest = max((len(run) for run in _FENCE_RUN.findall(plain)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{plain}\n{fence}"


def escaped(text: str) -> str:
    """A name or a title on one line, in which nothing is Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", sanitize_line(text).strip())


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _stays(parser: MarkdownIt, text: str) -> bool:
    tokens = parser.parse(f"{text}\n\n{_SENTINEL}")
    if any(token.type in {"html_block", "html_inline"} for token in _all(tokens)):
        return False
    last = [(token.type, token.level, token.content) for token in tokens[-3:]]
    return last == [
        ("paragraph_open", 0, ""),
        ("inline", 1, _SENTINEL),
        ("paragraph_close", 0, ""),
    ]


def _with_closed_fence(parser: MarkdownIt, text: str) -> str:
    """`text` with the fence closed that runs to its end, if one does."""
    fences = [token for token in parser.parse(text) if token.type == "fence" and token.level == 0]
    return f"{text}\n{fences[-1].markup}" if fences else text


def _without_html(parser: MarkdownIt, text: str) -> str:
    r"""`text` with a `\` before each `<` that would begin a tag, outside code."""
    in_code: set[int] = set()
    for token in parser.parse(text):
        if token.type in {"fence", "code_block"} and token.map:
            in_code.update(range(*token.map))
    lines = text.split("\n")
    return "\n".join(
        line if number in in_code else _escape_tags(line) for number, line in enumerate(lines)
    )


def _escape_tags(line: str) -> str:
    """Escape outside code spans; of a span over several lines only the ends are seen: harmless."""
    pieces, at = [], 0
    for span in _CODE_SPAN.finditer(line):
        pieces += [_OPENS_TAG.sub(r"\\<", line[at : span.start()]), span[0]]
        at = span.end()
    return "".join([*pieces, _OPENS_TAG.sub(r"\\<", line[at:])])


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()
