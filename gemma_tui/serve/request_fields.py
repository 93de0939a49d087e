"""Fields of a request's JSON, taken out with their types checked; what is wrong is named.

Every field is either read or refused: what has no effect here, and would have one elsewhere, must
not be ignored quietly. A field that is null counts as absent.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from gemma_tui.errors import ApiRequestError
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from gemma_tui.tool_call import JsonObject, JsonValue


def wrong(name: str, problem: str, hint: str = "") -> ApiRequestError:
    """The error for a field: `problem` continues a sentence that begins with its name."""
    return ApiRequestError(f"“{sanitize_line(name)}” {problem}.", hint, parameter=name)


class Fields:
    """An object of a request, whose fields are taken one by one.

    Args:
        value: What the request has there.
        name: What the object is called in messages; empty for the request itself.

    Raises:
        ApiRequestError: It is no object.
    """

    def __init__(self, value: JsonValue, name: str = "") -> None:
        if not isinstance(value, dict):
            raise wrong(name or "the request", "is no object")
        self._name = name
        self._left: JsonObject = {key: item for key, item in value.items() if item is not None}

    def path(self, key: str) -> str:
        """The full name of a field, such as `messages[0].content`."""
        return f"{self._name}.{key}" if self._name else key

    def take(self, key: str) -> JsonValue:
        """The value of a field; None if it is absent."""
        return self._left.pop(key, None)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it has to be there."""
        value = self._left.pop(key, default)
        if not isinstance(value, str):
            raise wrong(self.path(key), "is no text" if value is not None else "is missing")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._left.pop(key, default)
        if not isinstance(value, bool):
            raise wrong(self.path(key), "is neither true nor false")
        return value

    def number(self, key: str, low: float, high: float) -> float | None:
        """A number within bounds, if it is there."""
        value = self._left.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise wrong(self.path(key), "is no number")
        if not low <= value <= high:
            raise wrong(self.path(key), f"is {value:g}, and may be {low:g} to {high:g}")
        return float(value)

    def whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number within bounds, if it is there."""
        value = self._left.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise wrong(self.path(key), "is no whole number")
        number = self.number(key, low, high)
        return None if number is None else int(value)  # type: ignore[arg-type]  # as it was exact

    def items(self, key: str) -> list[JsonValue]:
        """A list; empty if it is absent."""
        value = self._left.pop(key, None)
        if value is not None and not isinstance(value, list):
            raise wrong(self.path(key), "is no list")
        return value or []

    def only(self, key: str, *allowed: JsonValue, why: str) -> None:
        """Refuse a field unless it has a value that changes nothing."""
        value = self._left.pop(key, None)
        if value is not None and value not in allowed:
            raise wrong(self.path(key), f"is not supported here: {why}", "Leave it out.")

    def end(self) -> None:
        """Refuse what was not taken."""
        for key in self._left:
            raise wrong(self.path(key), "is not supported by this server", "Leave it out.")
