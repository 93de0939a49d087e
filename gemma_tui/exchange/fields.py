"""Fields of a JSON object that somebody else wrote, taken out with their types checked.

Says which field is wrong; in which file is added where it is known.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gemma_tui.tool_call import JsonObject, JsonValue

MAX_INTEGER: Final = 2**63 - 1
"""The largest number SQLite stores."""


class FieldError(ValueError):
    """A field is missing or not of its type; the text says which and why."""


def as_object(value: JsonValue, name: str) -> JsonObject:
    """`value` as an object."""
    if not isinstance(value, dict):
        raise FieldError(f"{name} is no object")
    return value


def as_list(value: JsonValue, name: str) -> list[JsonValue]:
    """`value` as a list."""
    if not isinstance(value, list):
        raise FieldError(f"{name} is no list")
    return value


def text(item: JsonObject, name: str, default: str | None = None) -> str:
    """A text; without a default it has to be there."""
    value = item.get(name, default)
    if not isinstance(value, str):
        raise FieldError(f"{name} is no text")
    return value


def integer(item: JsonObject, name: str, default: int | None = None) -> int:
    """A number that is whole, not negative, and fits into the database."""
    value = item.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INTEGER:
        raise FieldError(f"{name} is no whole number")
    return value


def number(item: JsonObject, name: str, default: float | None = None) -> float:
    """A finite number."""
    value = item.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise FieldError(f"{name} is no number")
    try:
        real = float(value)
    except OverflowError as error:
        raise FieldError(f"{name} is too large") from error
    if not isfinite(real):
        raise FieldError(f"{name} is too large")
    return real


def flag(item: JsonObject, name: str, *, default: bool | None = None) -> bool:
    """True or false."""
    value = item.get(name, default)
    if not isinstance(value, bool):
        raise FieldError(f"{name} is neither true nor false")
    return value


def one_of(item: JsonObject, name: str, choices: tuple[str, ...]) -> str:
    """A text of a fixed set."""
    value = text(item, name)
    if value not in choices:
        raise FieldError(f"{name} is “{value[:40]}”, which is unknown")
    return value
