"""The microphones, as far as the system tells without recording."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gemma_tui.doctor.finding import Finding, State
from gemma_tui.errors import MicrophoneError
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from gemma_tui.microphone.interface import Microphone


async def microphone(microphone: Microphone, system: str = sys.platform) -> Finding:
    """Which microphones there are."""
    topic = "microphone"
    try:
        devices = await microphone.devices()
    except MicrophoneError as error:
        return Finding(topic, State.NOTE, error.message, error.hint)
    if not devices:
        return Finding(
            topic, State.NOTE, "none is connected", "Files can be attached all the same."
        )
    names = ", ".join(
        f"{sanitize_line(device.name)}{' (default)' if device.is_default else ''}"
        for device in devices
    )
    advice = ""
    if system == "darwin":
        advice = (
            "If only silence is recorded: System Settings, Privacy & Security, Microphone, and"
            " allow it for your terminal."
        )
    return Finding(topic, State.OK, names, advice)
