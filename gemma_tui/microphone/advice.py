"""What to do when a microphone is silent, faint or too loud: by system and terminal. Pure.

On macOS a denied permission is no error: exact zeros arrive. It belongs to the terminal, which is
named from its environment; in tmux to whichever terminal started the server. Silence may also be
a muted microphone, so both are said.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gemma_tui.microphone.take import Fault

_TERMINALS: Final = {
    "Apple_Terminal": "Terminal",
    "iTerm.app": "iTerm",
    "vscode": "Visual Studio Code",
    "ghostty": "Ghostty",
    "WezTerm": "WezTerm",
    "WarpTerminal": "Warp",
    "Hyper": "Hyper",
    "Tabby": "Tabby",
    "rio": "Rio",
}
"""Names in the privacy settings by `TERM_PROGRAM`."""

_BY_VARIABLE: Final = {
    "KITTY_WINDOW_ID": "kitty",
    "ALACRITTY_WINDOW_ID": "Alacritty",
    "TERMINAL_EMULATOR": "the IDE",
}
"""Terminals that do not set it."""


def terminal_app(environ: Mapping[str, str]) -> str:
    """The app that runs this terminal, as the privacy settings call it."""
    program = environ.get("TERM_PROGRAM", "")
    if program in {"tmux", "screen"} or environ.get("TMUX"):
        return "the terminal that tmux was started in"
    if program in _TERMINALS:
        return _TERMINALS[program]
    known = (name for variable, name in _BY_VARIABLE.items() if environ.get(variable))
    return next(known, sanitize_line(program) or "your terminal")


def advice(
    fault: Fault,
    device: str,
    environ: Mapping[str, str],
    platform: str = sys.platform,
    *,
    has_keys: bool = True,
) -> str:
    """What is wrong with the sound and what to do, in at most three sentences; or nothing.

    Args:
        fault: What is wrong.
        device: The microphone; whoever shows this sanitises it.
        environ: Of this process.
        platform: As `sys.platform`.
        has_keys: Whether keys of the recorder help; else options of the command line do.
    """
    match fault:
        case "clipping":
            return (
                "Too loud: the sound is cut off. Speak from farther away, or turn the input down."
            )
        case "faint":
            return "Very faint. Come closer, or turn the input volume up."
        case "silent" if platform == "darwin":
            app = terminal_app(environ)
            pane = "O opens" if has_keys else "Look into"
            return (
                f"Only silence arrives: “{device}” is muted, or {app} may not use the microphone."
                f" {pane} Privacy & Security → Microphone: switch {app} on, then restart it."
            )
        case "silent":
            others = "D" if has_keys else "--list"
            return (
                f"Only silence arrives: “{device}” is muted, or it is not the one you speak into."
                f" {others} shows the others; pavucontrol, wpctl status or alsamixer (F4) show why."
            )
    return ""
