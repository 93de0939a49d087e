"""The next number when a key asks for a little more or less. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from gemma_tui.options import GEMMA_SAMPLING, SamplingOptions

if TYPE_CHECKING:
    from gemma_tui.settings.setting import Setting, Value

_SAMPLING = {item.name for item in fields(SamplingOptions)}


def stepped(setting: Setting, value: Value, step: int) -> Value:
    """A number one step on, within bounds; from none it begins where Gemma 4 stands.

    Args:
        setting: Has a minimum, a maximum and a step.
        value: The present one.
        step: 1 or -1.
    """
    about = setting.about
    assert about.minimum is not None
    assert about.maximum is not None
    if value is None and setting.key in _SAMPLING:
        value = getattr(GEMMA_SAMPLING, setting.key)
    if not isinstance(value, int | float):
        value = about.step if about.minimum < about.step else about.minimum
        return int(value) if setting.kind == "integer" else value
    lowest = about.minimum + about.step if about.excludes_minimum else about.minimum
    moved = round(min(about.maximum, max(lowest, value + step * about.step)), 6)
    return int(moved) if setting.kind == "integer" else moved
