"""Answers of each kind, as long as wanted."""

from __future__ import annotations

from typing import Final

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
