"""Typed reading of a JSON object, with sentences that name the field when something is wrong.

Refuses to guess: a field of the wrong type is an error, never a default.
"""

from __future__ import annotations

from typing import Any

from gemma_tui.errors import ModelError

_HINT = "Download the model again, or choose another folder."


class Fields:
    """One JSON object of a model folder.

    Args:
        content: The parsed object.
        place: Where it stands, for error sentences, for example `config.json`.
    """

    def __init__(self, content: dict[str, Any], place: str) -> None:
        self._content = content
        self._place = place

    def has(self, name: str) -> bool:
        """The field is there and not null."""
        return self._content.get(name) is not None

    def is_given(self, name: str) -> bool:
        """The field is there, if only as null."""
        return name in self._content

    def section(self, name: str) -> Fields | None:
        """An object inside this one; None when absent or null."""
        if not self.has(name):
            return None
        value = self._content[name]
        if not isinstance(value, dict):
            raise self.impossible(name, value)
        return Fields(value, f"{self._place}, {name}")

    def integer(self, name: str, *, default: int | None = None) -> int:
        """A whole number."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.impossible(name, value)
        return value

    def optional_integer(self, name: str) -> int | None:
        """A whole number, or None when absent or null."""
        return self.integer(name) if self.has(name) else None

    def positive(self, name: str, *, default: int | None = None) -> int:
        """A whole number above zero."""
        value = self.integer(name, default=default)
        if value <= 0:
            raise self.impossible(name, value)
        return value

    def number(self, name: str, *, default: float | None = None) -> float:
        """Any number."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.impossible(name, value)
        return float(value)

    def optional_number(self, name: str) -> float | None:
        """Any number, or None when absent or null."""
        return self.number(name) if self.has(name) else None

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self.impossible(name, value)
        return value

    def text(self, name: str, *, default: str | None = None) -> str:
        """A string."""
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self.impossible(name, value)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._get(name, None)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.impossible(name, value)
        return tuple(value)

    def integers(self, name: str, *, default: tuple[int, ...]) -> tuple[int, ...]:
        """A list of whole numbers; a single one counts as a list of one."""
        value = self._get(name, list(default))
        items = value if isinstance(value, list) else [value]
        if any(isinstance(item, bool) or not isinstance(item, int) for item in items):
            raise self.impossible(name, value)
        return tuple(items)

    def require(self, name: str, expected: object, *, default: object = None) -> None:
        """The field, if there, must have this one value; if absent, `default` counts as its value.

        Raises:
            ModelError: It has another value.
        """
        value = self._content.get(name)
        if value is None:
            value = expected if default is None else default
        if value != expected:
            raise self.impossible(name, value)

    def impossible(self, name: str, value: object) -> ModelError:
        """The error for a value no Gemma 4 this program runs can have."""
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        return ModelError(f"{self._place} says {name} = {shown}, which cannot be used.", _HINT)

    def _get(self, name: str, default: object) -> Any:  # noqa: ANN401  # JSON is any of these
        value = self._content.get(name)
        if value is not None:
            return value
        if default is None:
            raise ModelError(f'{self._place} lacks "{name}".', _HINT)
        return default
