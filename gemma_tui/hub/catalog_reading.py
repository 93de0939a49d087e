"""From the text of a catalogue to sizes and variants. What is wrong is said, and the rest holds.

Pure: knows no files. A later text adds to an earlier one, or overrides single fields of it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.hub.catalog_fields import NAME, OPTIONAL, SIZE, VARIANT
from gemma_tui.hub.variant import ModelSize, Variant
from gemma_tui.network_shape import EmbedderShape, NetworkShape, TowerShape
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gemma_tui.hub.catalog_fields import Field

MAX_PROBLEMS: Final = 20
"""More of them say no more; a file that is something else altogether would give thousands."""

MAX_LETTERS: Final = 500
"""Of a sentence: names in a file may be of any length."""

_SHAPE_FIELDS: Final = frozenset(field.name for field in fields(NetworkShape)) - {"vision"}


class CatalogReader:
    """Collects what texts say, one after the other."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        """One sentence for everything that was left out, with its place."""
        self._sizes: dict[str, dict[str, Any]] = {}
        self._variants: dict[str, dict[str, Any]] = {}

    def read(self, text: str, place: str) -> None:
        """Take up what a text says.

        Args:
            text: TOML.
            place: What it is called, for the sentences.
        """
        source = _Source(text, place)
        try:
            content = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            self._say(source, "", f"not valid TOML ({error}), so nothing in it is used.")
            return
        sections = {"sizes": (SIZE, self._sizes), "variants": (VARIANT, self._variants)}
        for section in (*sections, *(content.keys() - sections)):  # sizes first, variants name them
            if section not in sections:
                self._say(source, section, f"“{section}” is unknown, and not used.")
            elif section in content:
                self._take(source, section, content[section], *sections[section])

    def variants(self) -> tuple[Variant, ...]:
        """All variants, those of a size together, the smallest first."""
        sizes = {name: _size(name, table) for name, table in self._sizes.items()}
        order = list(sizes)
        found = [_variant(name, table, sizes) for name, table in self._variants.items()]
        return tuple(sorted(found, key=lambda v: (order.index(v.size.name), v.size_bytes, v.name)))

    def _take(
        self,
        source: _Source,
        section: str,
        entries: object,
        allowed: Mapping[str, Field],
        known: dict[str, dict[str, Any]],
    ) -> None:
        """Add the tables of a section to what is known."""
        if not isinstance(entries, dict):
            self._say(source, section, f"“{section}” must be tables, [{section}.NAME].")
            return
        for name, table in entries.items():
            place = f"{section}.{name}"
            if NAME.problem(name) or not isinstance(table, dict):
                sentence = f"“{name}” is no table, or its name {NAME.words}. It is left out."
                self._say(source, place, sentence)
                continue
            merged = known.get(name, {}) | self._checked(source, place, table, allowed)
            missing = [key for key in allowed if key not in merged and key not in OPTIONAL]
            if missing:
                sentence = f"“{name}” lacks {', '.join(missing)}, so it is left out."
                self._say(source, place, sentence)
            else:
                known[name] = merged

    def _checked(
        self,
        source: _Source,
        place: str,
        table: Mapping[str, object],
        allowed: Mapping[str, Field],
    ) -> dict[str, object]:
        """The fields of a table that can be used."""
        good: dict[str, object] = {}
        for key, value in table.items():
            field = allowed.get(key)
            problem = "is unknown" if field is None else field.problem(value)
            if key == "size" and not problem and value not in self._sizes:
                problem = f"must be one of {', '.join(self._sizes)}"
            if problem:
                name = place.partition(".")[2]
                sentence = f"“{key}” of “{name}” {problem}. It is not used."
                self._say(source, place, sentence, key=key)
            else:
                good[key] = value
        return good

    def _say(self, source: _Source, table: str, sentence: str, *, key: str = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:  # looking for the place goes through the whole text
            where = source.line(table, key)
            self.problems.append(sanitize_line(f"{where}: {sentence}"[:MAX_LETTERS]))


class _Source:
    """Where in a text something stands."""

    def __init__(self, text: str, place: str) -> None:
        self._lines = text.splitlines()
        self._place = place

    def line(self, table: str, key: str = "") -> str:
        """`FILE, line 3` of a table, or of a key in it; only the file where it is not obvious."""
        is_there = False
        if not table:
            return self._place
        for number, line in enumerate(self._lines, 1):
            if header := re.match(r"\s*\[\s*([^\]]*?)\s*\]", line):
                is_there = header[1].replace('"', "") == table
                if is_there and not key:
                    return f"{self._place}, line {number}"
            elif is_there and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return f"{self._place}, line {number}"
        return self._place


def _size(name: str, table: Mapping[str, Any]) -> ModelSize:
    vision: TowerShape | EmbedderShape | None = None
    if "vision" in table:
        vision = TowerShape(**table["vision"])
    elif "embedder" in table:
        vision = EmbedderShape(**table["embedder"])
    numbers = {key: value for key, value in table.items() if key in _SHAPE_FIELDS}
    return ModelSize(
        name=name,
        shape=NetworkShape(**{"per_layer_input": 0} | numbers, vision=vision),
        can_hear=table["hears"],
        decoder_parameters=table["decoder_parameters"],
        active_parameters=table["active_parameters"],
        tower_parameters=table.get("tower_parameters", 0),
        good_for=table.get("good_for", ""),
    )


def _variant(name: str, table: Mapping[str, Any], sizes: Mapping[str, ModelSize]) -> Variant:
    return Variant(
        name=name,
        size=sizes[table["size"]],
        repo=table["repo"],
        revision=table.get("revision", ""),
        kind=table["kind"],
        bits=table["bits"],
        size_bytes=table["size_bytes"],
        good_for=table.get("good_for", ""),
        recommended_gb=tuple(table.get("recommended_gb", ())),
    )
