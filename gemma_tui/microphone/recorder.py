"""What it takes to record in the app: something that hears, and a place for what it heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gemma_tui.microphone.folder import RecordingFolder
    from gemma_tui.microphone.interface import Microphone


@dataclass(frozen=True, slots=True)
class Recorder:
    """A microphone and the folder of its recordings."""

    microphone: Microphone
    folder: RecordingFolder
