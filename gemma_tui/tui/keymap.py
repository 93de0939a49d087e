"""Other keys for what has an id: checks what the settings file wants; a mistake changes nothing."""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from gemma_tui.tui.keys import editing_keys, key_groups, key_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.binding import Binding

    from gemma_tui.tui.keys import KeyGroup

_MODIFIER: Final = re.compile(r"(?:(?:ctrl|alt|shift|super|meta|hyper)\+)*")
_SAME_AS: Final = {
    "ctrl+i": "Tab",
    "ctrl+m": "Enter",
    "ctrl+h": "Backspace",
    "ctrl+left_square_bracket": "Esc",
    "ctrl+[": "Esc",
}
"""What terminals send the same bytes for."""

_PAGE: Final = frozenset(("chat", "tabs"))
_ON_PAGE: Final = frozenset(("composer", "chips", "message", "find", "list"))
_TAKES_LETTERS: Final = frozenset(
    ("chips", "message", "list", "settings", "gallery", "menu", "tour", "help")
)
"""Where nothing is typed, so that a letter can be a key."""


def check_keymap(
    wanted: Mapping[str, str], groups: Iterable[KeyGroup] | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What of the wanted keys can be had.

    Args:
        wanted: Keys, separated by commas, by the id of a binding.
        groups: Every binding; None finds them.

    Returns:
        The keys that hold, by id, and one sentence for each that does not: the default stays.
    """
    known = {
        binding.id: (group.area, binding)
        for group in (groups if groups is not None else key_groups())
        for binding in group.bindings
        if binding.id is not None
    }
    accepted: dict[str, str] = {}
    problems: list[str] = []
    for name, keys in wanted.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = (
                f" Did you mean “{near[0]}”?" if near else " gemma-tui config keys lists them all."
            )
            problems.append(f"[keys] “{name}” is no id of a key.{hint}")
            continue
        area, binding = known[name]
        listed = [key.strip() for key in keys.split(",")]
        others = {other: place for other, place in known.items() if other != name}
        reasons = [_refusal(key, area) for key in listed]
        reasons += [_taken(key, area, others, accepted) for key in listed]
        reason = next(filter(None, reasons), "")
        if reason:
            problems.append(f"[keys] {name}: {reason} {key_words(binding.key)} stays.")
        else:
            accepted[name] = ",".join(listed)
    return accepted, tuple(problems)


def _refusal(key: str, area: str) -> str:
    """Why a key cannot be bound in an area at all; empty if it can."""
    modifiers = _MODIFIER.match(key)
    base = key[modifiers.end() :] if modifiers else key
    if not _is_key(base):
        return f"“{key}” is no key."
    if key in _SAME_AS:
        return f"Terminals cannot tell {key_words(key)} from {_SAME_AS[key]}."
    is_letter = len(base) == 1 or base in KEY_NAME_REPLACEMENTS.values()
    has_modifier = any(f"{word}+" in key for word in ("ctrl", "alt", "super", "meta", "hyper"))
    if is_letter and not has_modifier and area not in _TAKES_LETTERS:
        return f"“{key}” is typed there."
    if area in {"app", "composer", *_PAGE} and key in editing_keys():
        return f"{key_words(key)} edits the text in the composer."
    return ""


def _is_key(base: str) -> bool:
    if len(base) == 1 or base in {key.value for key in Keys}:
        return True
    if base in KEY_NAME_REPLACEMENTS.values():
        return True
    try:
        return bool(base) and bool(unicodedata.lookup(base.replace("_", " ")))
    except KeyError:
        return False


def _taken(
    key: str, area: str, known: Mapping[str, tuple[str, Binding]], accepted: Mapping[str, str]
) -> str:
    """Which other binding that is heard in the same place has the key; empty if none has."""
    for name, (other_area, binding) in known.items():
        if _meet(area, other_area):
            keys = accepted.get(name, binding.key).split(",")
            if key in {other.strip() for other in keys}:
                return f"{key_words(key)} is “{binding.description}” ({name})."
    return ""


def _meet(one: str, other: str) -> bool:
    """Whether keys of both areas can be heard at the same time."""
    areas = {one, other}
    if one == other or "app" in areas:
        return True
    return bool(areas & _PAGE) and areas <= _PAGE | _ON_PAGE
