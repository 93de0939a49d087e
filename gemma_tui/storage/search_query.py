"""What the user types to search: read into terms, told to SQLite's FTS5, found again in a text.

Pure. A word is letters and digits, without case and diacritics, as FTS5's `unicode61` has it
(https://sqlite.org/fts5.html, section 4.3.1), but for every alphabet, not only for Latin. Scripts
that write no spaces between words would be one long word each, so there every character is a word.
What is indexed and what is asked for go through the same functions.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UNSPACED: Final = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Japanese syllables
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
_LETTER: Final = rf"[^\W_{_UNSPACED}]"
"""Whatever makes a longer word of the word it stands beside."""
_MARK: Final = "[\u0300-\u036f]"
"""A diacritic that stands apart from its letter."""
_IN_WORD: Final = f"(?:{_LETTER}|{_MARK})"

_WORDS: Final = re.compile(rf"(?=\w)[{_UNSPACED}]|{_LETTER}+")
_MARKS: Final = re.compile(f"{_MARK}+")
_LOST_MARKS: Final = re.compile(f"(?<!{_IN_WORD}){_MARK}+")
_PIECES: Final = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_QUOTES: Final = str.maketrans("“”„«»", '"""""')
_MANY_TERMS: Final = 32
_MANY_WORDS: Final = 64
"""Nobody types more; a pasted page would only make the search slow."""
_SHORTEST_PREFIX: Final = 2
"""A single letter begins half of all words: it is looked for as a word of its own."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other."""

    words: tuple[str, ...]
    is_prefix: bool
    """Whether the last word may go on."""

    def to_fts(self) -> str:
        """As FTS5 reads it. The words are letters and digits only: nothing in them is syntax."""
        return f'"{" ".join(self.words)}"{"*" if self.is_prefix else ""}'


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """All of the terms have to be there, and none of `without`."""

    terms: tuple[Term, ...]
    without: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, text: str) -> SearchQuery:
        """Read a query: `words`, whose last letters may be missing, `"a phrase"`, `-not`.

        There is no wrong query: whatever has no letter or digit is left out.
        """
        terms: dict[Term, None] = {}
        without: dict[Term, None] = {}
        for piece in _PIECES.finditer(text.translate(_QUOTES)):
            quoted = piece["phrase"] is not None
            words = _words(piece["phrase"] if quoted else piece["word"])
            if not words:
                continue
            goes_on = not (quoted or piece["minus"]) and _may_go_on(words[-1])
            (without if piece["minus"] else terms)[Term(words, goes_on)] = None
        return cls(tuple(terms)[:_MANY_TERMS], tuple(without)[:_MANY_TERMS])

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not self.terms

    def to_fts(self) -> str:
        """As FTS5 reads it; not for an empty one."""
        wanted = " AND ".join(term.to_fts() for term in self.terms)
        return "".join([f"({wanted})", *(f" NOT {term.to_fts()}" for term in self.without)])

    def filter(self, texts: Iterable[str]) -> Iterator[bool]:
        """Whether each text has all that is asked for and nothing that is not wanted."""
        wanted, unwanted = map(_pattern, self.terms), map(_pattern, self.without)
        finds = [pattern.search for pattern in wanted]
        spoils = [pattern.search for pattern in unwanted]
        for text in texts:
            folded = _fold(unicodedata.normalize("NFC", text))
            yield (
                not self.is_empty
                and all(find(folded) for find in finds)
                and not any(spoil(folded) for spoil in spoils)
            )

    def ranges(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where a text has what is asked for: start and end in characters, apart and in order."""
        folded = _fold(text)
        merged: list[tuple[int, int]] = []
        matches = (m for term in self.terms for m in _pattern(term).finditer(folded))
        for start, end in sorted(match.span() for match in matches):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return tuple(merged)


def to_index(text: str) -> str:
    """The words of a text with spaces between them; of plain English SQLite finds them itself."""
    return text if text.isascii() else " ".join(_WORDS.findall(_plain(text)))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORDS.findall(_plain(text)))[:_MANY_WORDS]


def _plain(text: str) -> str:
    return _MARKS.sub("", _fold(unicodedata.normalize("NFC", text)))


def _may_go_on(word: str) -> bool:
    return len(word) >= _SHORTEST_PREFIX


def _fold(text: str) -> str:
    """A text without case and diacritics, each character in its place; marks only in words."""
    if text.isascii():
        return text.lower()
    folded = "".join(map(_fold_character, text))
    return _LOST_MARKS.sub(lambda marks: " " * len(marks[0]), folded)


@cache
def _fold_character(character: str) -> str:
    apart = unicodedata.normalize("NFD", character)
    is_marked = len(apart) > 1 and all(map(unicodedata.combining, apart[1:]))
    base = apart[0] if is_marked or len(apart) == 1 else character
    folded = base.casefold()
    return folded if len(folded) == 1 else base.lower()[0]


@cache
def _is_unspaced(character: str) -> bool:
    return re.match(rf"[{_UNSPACED}]", character) is not None


@lru_cache(maxsize=4 * _MANY_TERMS)
def _pattern(term: Term) -> re.Pattern[str]:
    words = term.words
    pattern = "" if _is_unspaced(words[0][0]) else f"(?<!{_IN_WORD})"
    for place, word in enumerate(words):
        if place:
            touching = _is_unspaced(word[0]) or _is_unspaced(words[place - 1][0])
            pattern += r"[\W_]*" if touching else r"[\W_]+"
        pattern += "".join(f"{character}{_MARK}*" for character in word)
    if term.is_prefix:
        return re.compile(f"{pattern}{_IN_WORD}*")
    return re.compile(pattern if _is_unspaced(words[-1][0]) else f"{pattern}(?!{_IN_WORD})")
