"""From a dataclass whose fields are annotated with `About` to settings."""

from __future__ import annotations

from dataclasses import fields
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from gemma_tui.settings.setting import About, Kind, Setting


def derive_settings(cls: type[Any]) -> dict[str, Setting]:
    """A setting for every field, by its key and in its order.

    Args:
        cls: A dataclass whose fields have defaults and types `Annotated[type, About(…)]`.
    """
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    defaults = cls()
    for item in fields(cls):
        hint, about = get_args(hints[item.name])
        types = get_args(hint) if get_origin(hint) not in {tuple, Literal} else (hint,)
        kind = _kind(item.name, types[0] if types else hint, about)
        default = getattr(defaults, item.name)
        found[item.name] = Setting(item.name, kind, default, NoneType in types, about)
    return found


def _kind(key: str, hint: Any, about: About) -> Kind:  # noqa: ANN401  # a type, of any kind
    if about.choices:
        return "choice"
    if hint is str:
        return "folder" if key in {"model", "model_library"} else "text"
    kinds: dict[Any, Kind] = {bool: "switch", int: "integer", float: "number"}
    return kinds.get(hint, "folders")
