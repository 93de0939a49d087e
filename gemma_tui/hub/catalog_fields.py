"""What may stand in a catalogue: every field of a size and of a variant, and what it must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from gemma_tui.hub.variant import MEMORY_CLASSES, QuantisationKind

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 1 << 50
"""No number of a model is larger: a petabyte, or as many parameters."""

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number within bounds."""

    low: int = 1
    high: int = MOST

    def problem(self, value: object) -> str:
        """What is wrong with a value; empty: nothing is."""
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        ):
            return ""
        return f"must be a whole number from {self.low:,} to {self.high:,}"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def problem(self, value: object) -> str:
        """What is wrong with a value; empty: nothing is."""
        return "" if isinstance(value, bool) else "must be true or false"


@dataclass(frozen=True, slots=True)
class Text:
    """A text of one line."""

    pattern: str = r"[^\x00-\x1f\x7f]{1,200}"
    words: str = "must be a text of one line, at most 200 characters"

    def problem(self, value: object) -> str:
        """What is wrong with a value; empty: nothing is."""
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return ""
        return self.words


@dataclass(frozen=True, slots=True)
class Repository:
    """`owner/name` on the hub; it becomes a folder's name, so nothing in it may lead elsewhere."""

    def problem(self, value: object) -> str:
        """What is wrong with a value; empty: nothing is."""
        if isinstance(value, str) and ".." not in value and re.fullmatch(f"{_NAME}/{_NAME}", value):
            return ""
        return "must be owner/name, of letters, digits, dots, dashes and underscores"


@dataclass(frozen=True, slots=True)
class Classes:
    """Some of `MEMORY_CLASSES`."""

    def problem(self, value: object) -> str:
        """What is wrong with a value; empty: nothing is."""
        if isinstance(value, list) and all(item in MEMORY_CLASSES for item in value):
            return ""
        return f"must be a list of some of {', '.join(map(str, MEMORY_CLASSES))}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of numbers, all of which must be there."""

    names: tuple[str, ...]

    def problem(self, value: object) -> str:
        """What is wrong with a value; empty: nothing is."""
        if isinstance(value, dict) and set(value) == set(self.names):
            wrong = [name for name, number in value.items() if Count().problem(number)]
            return f"has no whole number for “{wrong[0]}”" if wrong else ""
        return f"must be a table with {', '.join(self.names)}"


Field = Count | Flag | Text | Repository | Classes | Table

NUMBERS: Final = (
    *("decoder_parameters", "active_parameters", "vocabulary", "hidden_size"),
    *("intermediate_size", "layers", "attention_heads", "head_dim", "global_head_dim"),
    *("sliding_layers", "global_layers", "key_heads", "global_key_heads", "window"),
    "context_length",
)
"""Fields of a size that must be there and at least 1."""

SIZE: Final[Mapping[str, Field]] = {
    "good_for": Text(),
    "hears": Flag(),
    **dict.fromkeys(NUMBERS, Count()),
    "tower_parameters": Count(0),
    "per_layer_input": Count(0),
    "active_experts": Count(0),
    "expert_size": Count(0),
    "ends_global": Flag(),
    "keeps_pictures_whole": Flag(),
    "vision": Table(("hidden_size", "intermediate_size", "attention_heads", "head_dim")),
    "embedder": Table(("hidden_size",)),
}
"""Fields of `[sizes.NAME]`."""

VARIANT: Final[Mapping[str, Field]] = {
    "size": Text(),
    "repo": Repository(),
    "revision": Text(r"([0-9a-f]{40})?", "must be a commit: 40 hexadecimal digits, or empty"),
    "kind": Text("|".join(get_args(QuantisationKind)), "must be full, affine, qat or mixed"),
    "bits": Count(2, 16),
    "size_bytes": Count(1024),
    "good_for": Text(),
    "recommended_gb": Classes(),
}
"""Fields of `[variants.NAME]`."""

OPTIONAL: Final = frozenset(
    (
        *("tower_parameters", "per_layer_input", "active_experts", "expert_size"),
        *(
            "ends_global",
            "keeps_pictures_whole",
            "vision",
            "embedder",
            "revision",
            "recommended_gb",
            "good_for",
        ),
    )
)
"""What may be left out of a new entry."""

NAME: Final = Text(_NAME, "must be letters, digits, dots, dashes and underscores")
"""What a size or a variant may be called."""
