"""Answers of each kind, as long as wanted."""

from __future__ import annotations

from typing import Final

TOKENS_PER_SECOND: Final = 100
CHARACTERS: Final = 4
"""Of a token, about as many as a word of English needs."""

MOST_SECONDS: Final = 600
"""Longer than any answer is let go on."""

_WORDS: Final = "The quick **brown** fox jumps over the `lazy` dog, and *nobody* minds it at all. "
KINDS: Final = {
    "prose": "## A heading\n\n" + _WORDS * 5 + "\n\n- one item\n- another item\n\n",
    "paragraph": _WORDS,
    "code": "def function(argument: int) -> str:\n    return 'text' + str(argument)  # why\n\n",
    "table": "| a cell | 12345 | *more* words here |\n",
    "list": "- an item with `code` in it\n",
    "quote": "> a line that is quoted\n",
}
_BEGINNINGS: Final = {
    "code": "```python\n",
    "table": "| name | number | what it is |\n|---|--:|---|\n",
}


def text_of(kind: str, length: int) -> str:
    """An answer of one kind, `length` characters long."""
    pattern = KINDS[kind]
    return (_BEGINNINGS.get(kind, "") + pattern * (length // len(pattern) + 1))[:length]


LAST: Final = "Thatwasthelastword"
"""Stands at the end of every conversation: who sees it sees that it is open."""

_ANSWER: Final = (
    f"## Answer {{0}}\n\n{_WORDS * 5}\n\n- one item\n- another item\n\n```python\ndef f(x):\n"
    f"    return x ** {{0}}\n```\n\n{_WORDS * 3}\n\n| a | b |\n|--|--|\n| 1 | {{0}} |\n"
)
"""About 700 characters of every kind."""


def talk(count: int) -> list[str]:
    """A conversation of so many messages, questions and answers in turn."""
    said = [
        _ANSWER.format(number) if number % 2 else f"What about number {number}?"
        for number in range(count)
    ]
    return [*said[:-1], f"{said[-1]}\n\n{LAST}"] if said else []
