"""Tags of a conversation, as they are typed."""

from __future__ import annotations


def tags_in(text: str) -> tuple[str, ...]:
    """Tags as somebody writes them: with commas between them, and maybe a `#` before each."""
    return tuple(tag.strip().lstrip("#") for tag in text.split(","))
