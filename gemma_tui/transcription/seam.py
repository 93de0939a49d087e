"""Where two clips share a second of sound, its words were heard twice: they are said once. Pure.

Only what can be in that second is looked at, so a speaker's own repetition elsewhere stays.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from itertools import product
from typing import Final

MOST_WORDS: Final = 8
"""Words that a second can hold: fast speech has six, and characters of Chinese count as words."""

_SURE: Final = 3
"""Words in a row that are no accident, even if one of them differs."""

_LIKE: Final = 0.75
"""Of the characters of two words: "there" and "their" have 0.8, "thirteen" and "thirty" 0.71."""

_WORD: Final = re.compile(
    # Where words are not parted by spaces (kana and han), a character is a word.
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|"
    r"[^\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def join_at_seam(before: str, after: str) -> tuple[str, str]:
    """Two texts of clips that overlap, without the words that both end and begin with.

    The longest common end and beginning goes, once. A clip border may cut a word, which is then
    heard as another one: one such word at either side is left out if what it was cut from is there.
    Of three common words or more one may have been heard a little differently.

    Args:
        before: Text of the earlier clip.
        after: Text of the later one.

    Returns:
        Both; what they share is left in the first only.
    """
    first = list(_WORD.finditer(before))[-MOST_WORDS - 1 :]
    second = list(_WORD.finditer(after))[: MOST_WORDS + 1]
    one, two = [_folded(match[0]) for match in first], [_folded(match[0]) for match in second]
    for count in range(min(MOST_WORDS, len(one), len(two)), 0, -1):
        for cut_end, cut_begin in sorted(product((0, 1), repeat=2), key=sum):
            if _meet(one, two, count, cut_end, cut_begin):
                end = first[-cut_end].start() if cut_end else len(before)
                skipped = second[cut_begin + count - 1].end()
                return before[:end].rstrip(), after[skipped:].lstrip(" ,.;:!?…、。，")
    return before, after


def _meet(one: list[str], two: list[str], count: int, cut_end: int, cut_begin: int) -> bool:
    """Whether `count` words are common, behind and before words that a border has cut."""
    end = len(one) - cut_end
    if count > end or cut_begin + count > len(two):
        return False
    if not _are_alike(one[end - count : end], two[cut_begin : cut_begin + count]):
        return False
    if not all(one[end - count : end]):
        return False
    if cut_end:
        whole = two[cut_begin + count] if cut_begin + count < len(two) else ""
        if not (whole.startswith(one[-1]) and whole != one[-1]):
            return False
    if cut_begin:
        whole = one[end - count - 1] if end - count else ""
        if not (whole.endswith(two[0]) and whole != two[0]):
            return False
    return True


def _are_alike(one: list[str], two: list[str]) -> bool:
    """Whether words are the same, but for one of three or more that sounds like the other."""
    others = [pair for pair in zip(one, two, strict=True) if pair[0] != pair[1]]
    if not others:
        return True
    if len(others) > 1 or len(one) < _SURE:
        return False
    # Digits have no likeness: 13 and 18 are two numbers.
    (pair,) = others
    is_words = not any(character.isdigit() for word in pair for character in word)
    return is_words and SequenceMatcher(None, *pair).ratio() >= _LIKE


def _folded(word: str) -> str:
    """A word without case, marks around it, and differences that nobody hears."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(character for character in folded if character.isalnum())
