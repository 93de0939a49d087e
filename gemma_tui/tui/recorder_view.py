"""How a recording looks while it grows: time, clip, meter. Pure: from values to text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from textual.content import Content

from gemma_tui.microphone.level import SILENCE_DB
from gemma_tui.microphone.take import Take, time_words
from gemma_tui.sanitize import sanitize_line

Phase: TypeAlias = Literal["starting", "recording", "review", "failed"]
"""Waiting for the device; recording; stopped with something recorded; stopped with nothing."""

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_ZONES: Final = ((-12.0, "$success"), (-3.0, "$warning"), (0.0, "$error"))
"""Up to which level, in dBFS, a meter has which colour."""


@dataclass(frozen=True, slots=True)
class RecorderView:
    """What is shown of a recording."""

    phase: Phase = "starting"
    take: Take = field(default_factory=Take)
    device: str = ""
    rate: int = 0
    """Samples a second."""
    played: float | None = None
    """How far playing is, in seconds."""
    is_left: bool = False
    """Whether it was left by a program that ended too early."""

    @property
    def title(self) -> str:
        """What is going on."""
        if self.phase == "review":
            return "Recorded, and not attached yet" if self.is_left else "Recorded"
        return {"starting": "Microphone", "recording": "Recording", "failed": "No recording"}[
            self.phase
        ]

    @property
    def keys(self) -> str:
        """What can be pressed."""
        match self.phase:
            case "recording":
                return "Enter attach · Space stop · D device · Esc discard"
            case "review":
                playing = "P stop playing" if self.played is not None else "P play"
                return f"Enter attach · {playing} · Esc discard"
            case "failed":
                return "R try again · D device · Esc close"
        return "D device · Esc close"


def recorder_lines(view: RecorderView, width: int) -> Content:
    """Time and clip, the meter, what it says in numbers, the device: four lines.

    Args:
        view: What is known.
        width: Columns there are.
    """
    take = view.take
    clock = time_words(take.seconds)
    match view.phase:
        case "recording":
            clip = f"  clip {take.clip}, the next in {take.clip_left:.0f} s"
            first = Content.assemble(("● ", "$error"), (clock, "bold"), (clip, "$foreground 75%"))
        case "review" if view.played is not None:
            first = Content.assemble(
                ("▶ ", "$success"), (time_words(view.played), "bold"), f" of {clock}"
            )
        case "review":
            clips = f"  {take.clip} clips" if take.clip > 1 else ""
            first = Content.assemble(("■ ", ""), (clock, "bold"), (clips, "$foreground 75%"))
        case "failed":
            first = Content("■ Nothing was recorded.")
        case _:
            first = Content("… Waiting for the microphone.")
    if view.phase != "recording":
        return Content("\n").join((first, Content(), Content(), _device(view)))
    numbers = f"loudness {_decibels(take.loudness)} · peak {_decibels(take.peak)}"
    return Content("\n").join(
        (first, meter(take, width), Content(numbers).stylize("$foreground 75%"), _device(view))
    )


def meter(take: Take, width: int) -> Content:
    """A bar as long as the sound is loud, and a line where its peak was; 0 dBFS is the right end.

    Args:
        take: Whose levels.
        width: Columns.
    """
    columns = max(width - 2, 4)
    eighths = round(_place(take.loudness) * columns * 8)
    full, part = divmod(eighths, 8)
    cells = list("█" * full + (_EIGHTHS[part] if part else ""))
    cells = (cells + [" "] * columns)[:columns]
    mark = min(round(_place(take.peak) * columns), columns - 1)
    if take.peak > SILENCE_DB and mark >= full:
        cells[mark] = "│"
    text = Content("".join(cells))
    start = 0
    for limit, colour in _ZONES:
        end = round(_place(limit) * columns)
        text = text.stylize(colour, start, end)
        start = end
    return Content.assemble(("▕", "$foreground 75%"), text, ("▏", "$foreground 75%"))


def _place(decibels: float) -> float:
    """Where a level is on the meter, from 0 to 1."""
    return 1 - decibels / SILENCE_DB


def _decibels(level: float) -> str:
    return f"{level:.0f} dB".replace("-", "−") if level > SILENCE_DB else "—"


def _device(view: RecorderView) -> Content:
    if not view.device:
        return Content()
    rate = f"{view.rate / 1000:g} kHz" if view.rate else ""
    words = " · ".join(filter(None, (sanitize_line(view.device), rate)))
    return Content(words).stylize("$foreground 75%")
