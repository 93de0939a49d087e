"""What an examination finds, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    NOTE = "note"
    """Something is missing that one can do without, or could not be found out."""
    PROBLEM = "problem"
    """Something does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    topic: str
    state: State
    sentence: str
    """What there is, or what is wrong and why."""
    advice: str = ""
    """What to do about it."""
