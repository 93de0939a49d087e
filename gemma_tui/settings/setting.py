"""What there is to know about one setting, and whether a value can be its.

Values only: which settings there are, `schema` says; where values come from, other modules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from gemma_tui.errors import SettingsError

Value: TypeAlias = bool | int | float | str | tuple[str, ...] | None
"""What a setting can be."""

Kind: TypeAlias = Literal["switch", "integer", "number", "choice", "text", "folder", "folders"]

VARIABLE_PREFIX: Final = "GEMMA_TUI_"
"""A setting's environment variable is this and its key in capitals."""


@dataclass(frozen=True, slots=True)
class About:
    """What a type does not say about a setting."""

    section: str
    """Table of the file."""
    label: str
    help: str
    """One or two sentences."""
    minimum: float | None = None
    maximum: float | None = None
    excludes_minimum: bool = False
    step: float = 1
    """By how much a key changes a number."""
    unit: str = ""
    unset: str = ""
    """What no value means, in words; only for settings that may have none."""
    choices: tuple[tuple[str | int, str], ...] = ()
    """Values and their words, where there are only these."""
    prefix: str = ""
    """What may stand before each choice, as older files have it."""
    is_prose: bool = False
    """Whether it is a text of several lines."""
    is_global: bool = False
    """Whether it is the same in every conversation."""
    is_listed: bool = True
    """Whether the panel has a row for it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as everything but its readers sees it."""

    key: str
    kind: Kind
    default: Value
    is_optional: bool
    """Whether None is a value, with the meaning `about.unset`."""
    about: About

    @property
    def path(self) -> str:
        """Its place in the file."""
        return f"{self.about.section}.{self.key}"

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return VARIABLE_PREFIX + self.key.upper()

    @property
    def bounds(self) -> str:
        """What it can be, in words; empty if anything."""
        about = self.about
        if about.choices:
            *most, last = [str(value) for value, _ in about.choices]
            return f"{', '.join(most)} or {last}"
        if self.kind == "switch":
            return "true or false"
        what = "a whole number" if self.kind == "integer" else "a number"
        low, high = about.minimum, about.maximum
        if low is None or high is None:
            return ""
        if about.excludes_minimum:
            return f"{what} above {low:g} and at most {high:g}"
        return f"{what} of {low:g} or more" if high >= 1e6 else f"{what} from {low:g} to {high:g}"

    def check(self, raw: object) -> Value:
        """The value that `raw` stands for.

        Args:
            raw: As TOML or JSON has it.

        Raises:
            SettingsError: It is of another type, or out of bounds.
        """
        if raw is None and self.is_optional:
            return None
        if self.kind == "choice" and isinstance(raw, str):
            raw = raw.removeprefix(self.about.prefix)
        match self.kind:
            case "switch":
                is_right = isinstance(raw, bool)
            case "integer":
                is_right = isinstance(raw, int) and not isinstance(raw, bool)
            case "number":
                is_right = isinstance(raw, int | float) and not isinstance(raw, bool)
            case "choice":
                is_right = any(raw == value and type(raw) is type(value) for value in self._values)
            case "text" | "folder":
                is_right = isinstance(raw, str) and len(raw) <= MAX_TEXT_LENGTH
            case "folders":
                is_right = isinstance(raw, list | tuple) and all(isinstance(p, str) for p in raw)
        if not is_right:
            raise self._wrong(raw)
        return self._bounded(raw)

    def parse(self, text: str) -> Value:
        """The value that a person wrote; nothing stands for None where that is a value.

        Raises:
            SettingsError: It is none of this setting's.
        """
        word = text.strip()
        if not word and self.is_optional:
            return None
        raw: object = word
        match self.kind:
            case "switch":
                raw = _SWITCHES.get(word.lower(), word)
            case "integer" | "number":
                raw = _number(word, whole=self.kind == "integer")
            case "choice":
                lower = word.lower().removeprefix(self.about.prefix)
                raw = next((v for v in self._values if str(v) == lower), word)
            case "folders":
                raw = [part for part in word.split(":") if part]
            case "text":
                raw = text
        return self.check(raw)

    def words(self, value: Value) -> str:
        """A value for people; a text as it is, so whoever shows it sanitises it."""
        about = self.about
        if value is None or value in {"", ()}:
            return about.unset or "empty"
        match self.kind:
            case "switch":
                return "on" if value else "off"
            case "choice":
                return next((word for known, word in about.choices if known == value), str(value))
            case "folders" if isinstance(value, tuple):
                return ", ".join(value)
        number = f"{value:g}" if isinstance(value, float) else str(value)
        return f"{number} {about.unit}".rstrip()

    @property
    def _values(self) -> list[str | int]:
        return [value for value, _ in self.about.choices]

    def _bounded(self, value: object) -> Value:
        if isinstance(value, bool | str):
            return value
        if isinstance(value, list | tuple):
            return tuple(value)
        assert isinstance(value, int | float)
        low, high = self.about.minimum, self.about.maximum
        is_low = low is not None and (value <= low if self.about.excludes_minimum else value < low)
        if is_low or (high is not None and value > high) or not math.isfinite(value):
            raise self._wrong(value)
        return float(value) if self.kind == "number" else value

    def _wrong(self, raw: object) -> SettingsError:
        shown = repr(raw) if len(repr(raw)) <= 40 else f"{repr(raw)[:39]}…"
        wanted = self.bounds or ("a list of folders" if self.kind == "folders" else "a text")
        return SettingsError(f"“{self.key}” cannot be {shown}: it is {wanted}.")


MAX_TEXT_LENGTH: Final = 100_000
"""Characters of a text; no system prompt comes near that."""

_SWITCHES: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def _number(word: str, *, whole: bool) -> object:
    """A number, or the word itself if it is none."""
    try:
        return int(word) if whole else float(word)
    except ValueError:
        return word
