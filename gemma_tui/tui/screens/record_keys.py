"""The keys of the recorder."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

RECORD_KEYS: Final[list[BindingType]] = [
    Binding("enter,f9", "attach", "Stop, and attach the recording", id="record.attach"),
    Binding("space", "stop", "Stop, and decide later", id="record.stop"),
    Binding("p", "play", "Play the recording, or be quiet", id="record.play"),
    Binding("d", "choose_device", "Record from another device", id="record.device"),
    Binding("r", "try_again", "Try again", id="record.again"),
    Binding("o", "open_privacy", "Open the privacy settings (macOS)", id="record.privacy"),
    Binding("escape", "discard", "Discard; asks once", id="record.discard"),
]
