"""What the status line says of the keys: the few that are worth knowing where the focus is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.tui.keys import key_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.screen import Screen

_HINTS: Final = (
    ("chips.more_tokens", "tokens"),
    ("chips.remove", "remove"),
    ("chips.transcribe", "to text"),
    ("chips.field_1", "to 9: a part"),
    ("chips.range", "parts"),
    ("chips.restore", "undo"),
    ("list.open", "open"),
    ("list.menu", "menu"),
    ("list.filter", "filter"),
    ("list.delete", "delete"),
    ("app.help", "help"),
)
"""Ids of bindings and a word for each, the most useful first."""


def focus_hints(screen: Screen[object]) -> Iterator[str]:
    """Keys, as they are now, with what they do; of the bindings that the focus can hear."""
    keys: dict[str, str] = {}
    for key, (_, binding, enabled, _) in screen.active_bindings.items():
        if binding.id and enabled:
            keys.setdefault(binding.id, key)
    for name, word in _HINTS:
        if name in keys:
            yield f"{key_words(keys[name])} {word}"
