"""Values out of a TOML text, the environment, and a conversation's JSON. Whatever is wrong is said.

Pure functions: a wrong value is left out, so that the one below it holds, and becomes a sentence.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import SettingsError
from gemma_tui.server_name import SERVERS
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.settings.sections import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gemma_tui.settings.servers import Server
    from gemma_tui.settings.setting import Value

PRESETS: Final = "presets"
"""Table of the file with named system prompts."""

KEYS: Final = "keys"
"""Table of the file with other keys for what has an id."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings that one place has an opinion on."""

    values: Mapping[str, Value] = field(default_factory=dict)
    presets: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys by the id of what they do; whether there is such a thing, the screen knows."""
    servers: Mapping[str, Server] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """What could not be understood, one sentence each."""
    is_broken: bool = False
    """Whether nothing could be read at all, so nothing may be written there."""
    unknown: Mapping[str, object] = field(default_factory=dict)
    """What a conversation says that this version does not know; it is written back."""


def read_toml(text: str, place: str) -> Layer:
    """What a settings file says.

    Args:
        text: All of it.
        place: Its name, for the sentences.
    """
    if not text.strip():
        return Layer()
    import tomllib  # noqa: PLC0415  # not before there is a file: it costs the first paint 10 ms

    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        sentence = (
            f"{place} is not valid TOML ({error}), so nothing in it is used and nothing is written"
            " to it. Correct it, then open the settings (F2)."
        )
        return Layer(problems=(sentence,), is_broken=True)
    values: dict[str, Value] = {}
    problems: list[str] = []
    for section, table in content.items():
        if section in {PRESETS, KEYS, SERVERS}:
            continue
        where = _line(text, section, "")
        if section not in SECTIONS:
            problems.append(f"{place}{where}: “{section}” is unknown. It is kept, and not used.")
        elif not isinstance(table, dict):
            problems.append(f"{place}{where}: “{section}” must be a table, [{section}].")
        else:
            problems += _read_table(text, place, section, table, values)
    presets, wrong = _read_presets(content.get(PRESETS, {}))
    keys, unusable = _read_keys(content.get(KEYS, {}))
    servers, unfit = _read_servers(content.get(SERVERS))
    problems += [f"{place}: {sentence}" for sentence in (*wrong, *unusable, *unfit)]
    return Layer(values, presets, keys, servers, tuple(problems))


def read_environment(environ: Mapping[str, str]) -> Layer:
    """What the environment says; an empty variable says nothing."""
    values: dict[str, Value] = {}
    problems: list[str] = []
    for key, setting in SCHEMA.items():
        word = environ.get(setting.variable, "")
        if not word.strip():
            continue
        try:
            values[key] = setting.parse(word)
        except SettingsError as error:
            problems.append(f"{setting.variable}: {error.message} It is ignored.")
    return Layer(values, problems=tuple(problems))


def read_overrides(text: str) -> Layer:
    """What a conversation says, out of its JSON; an empty text says nothing."""
    try:
        content = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        sentence = "The settings of this conversation are damaged, so the general ones hold."
        return Layer(problems=(sentence,), is_broken=True)
    values: dict[str, Value] = {}
    problems: list[str] = []
    unknown: dict[str, object] = {}
    for key, raw in content.items():
        setting = SCHEMA.get(key)
        if setting is None or setting.about.is_global:
            unknown[key] = raw
            continue
        try:
            values[key] = setting.check(raw)
        except SettingsError as error:
            problems.append(f"In this conversation {error.message} It is ignored.")
    return Layer(values, problems=tuple(problems), unknown=unknown)


def overrides_text(values: Mapping[str, Value], unknown: Mapping[str, object]) -> str:
    """The JSON that `read_overrides` reads; empty if there is nothing to say."""
    content = {**unknown, **values}
    return json.dumps(content, ensure_ascii=False, sort_keys=True) if content else ""


def _read_table(
    text: str, place: str, section: str, table: Mapping[str, object], values: dict[str, Value]
) -> Iterator[str]:
    """Put a table's values into `values`, and yield what is wrong with the others."""
    for key, raw in table.items():
        where = f"{place}{_line(text, section, key)}"
        setting = SCHEMA.get(key)
        if setting is None or setting.about.section != section:
            yield f"{where}: “{key}” in [{section}] is unknown. It is kept, and not used."
            continue
        try:
            values[key] = setting.check(raw)
        except SettingsError as error:
            used = setting.words(setting.default)
            yield f"{where}: {error.message} Instead “{used}” is used."


def _read_presets(table: object) -> tuple[dict[str, str], list[str]]:
    if not isinstance(table, dict):
        return {}, [f"“{PRESETS}” must be a table, [{PRESETS}]."]
    found = {name: text for name, text in table.items() if isinstance(text, str) and name.strip()}
    wrong = [f"the preset “{name}” is not a text." for name in table if name not in found]
    return found, wrong


def _read_keys(table: object) -> tuple[dict[str, str], list[str]]:
    """Ids have a dot, so TOML reads `chat.new = "f9"` as a table in the table: both are taken."""
    if not isinstance(table, dict):
        return {}, [f"“{KEYS}” must be a table, [{KEYS}]."]
    found: dict[str, object] = {}
    for name, keys in table.items():
        inner = keys.items() if isinstance(keys, dict) else ()
        found.update({f"{name}.{key}": value for key, value in inner} if inner else {name: keys})
    keys = {name: value for name, value in found.items() if isinstance(value, str) and value}
    return keys, [f"the keys of “{name}” are no text." for name in found if name not in keys]


def _read_servers(table: object) -> tuple[Mapping[str, Server], list[str]]:
    if table is None:
        return {}, []
    from gemma_tui.settings.servers import read_servers  # noqa: PLC0415  # few have any

    return read_servers(table)


def _line(text: str, section: str, key: str) -> str:
    """`, line 3` of a key or, if that is empty, of its table; empty where it is not obvious."""
    is_there = False
    own = rf"\s*[\"']?{re.escape(key)}[\"']?\s*="
    outside = rf"\s*{re.escape(section)}(\s*\.\s*{re.escape(key)})?\s*="
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            is_there = header[1] == section
            is_found = is_there and not key
        else:
            is_found = bool(re.match(own if is_there and key else outside, line))
        if is_found:
            return f", line {number}"
    return ""
