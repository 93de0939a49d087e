"""The colour themes. Every widget takes its colours from these names, none has its own.

Text on its background has a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3), with high contrast 7:1
(1.4.6). The theme `TERMINAL` names the terminal's own colours, so what they look like is up to it;
there, and without colours, what is chosen is shown in reverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App

DARK: Final = "gemma-dark"
LIGHT: Final = "gemma-light"
CONTRAST_DARK: Final = "gemma-contrast-dark"
CONTRAST_LIGHT: Final = "gemma-contrast-light"
TERMINAL: Final = "gemma-terminal"

PREFIX: Final = "gemma-"
"""What Textual's names of the themes have before those that settings and commands use."""

MIN_CONTRAST: Final = {DARK: 4.5, LIGHT: 4.5, CONTRAST_DARK: 7.0, CONTRAST_LIGHT: 7.0}
"""What text has at least, in the themes whose colours are known."""


def themes() -> tuple[Theme, ...]:
    """All of them, the default first."""
    return (_dark(), _light(), _contrast_dark(), _contrast_light(), _terminal())


def chosen_style(app: App[object]) -> str:
    """What the keys act on, in text that a widget draws itself."""
    return "bold reverse" if app.native_ansi_color else "bold $foreground on $primary 40%"


def _dark() -> Theme:
    return Theme(
        name=DARK,
        primary="#8ab4f8",
        secondary="#c58af9",
        accent="#c58af9",
        foreground="#e3e3e3",
        background="#131314",
        surface="#1e1f20",
        panel="#282a2c",
        success="#6dd58c",
        warning="#fcc934",
        error="#f28b82",
        dark=True,
        variables={**_scrollbars("#131314", "#3c4043"), **_quiet("#55585c", "#a8a8a8")},
    )


def _light() -> Theme:
    return Theme(
        name=LIGHT,
        primary="#0b57d0",
        secondary="#7b1fa2",
        accent="#7b1fa2",
        foreground="#1f1f1f",
        background="#ffffff",
        surface="#f0f4f9",
        panel="#e3e8ef",
        success="#146c2e",
        warning="#8a5300",
        error="#b3261e",
        dark=False,
        variables={**_scrollbars("#ffffff", "#c4c7c5"), **_quiet("#a8acb3", "#55585c")},
    )


def _contrast_dark() -> Theme:
    return Theme(
        name=CONTRAST_DARK,
        primary="#9fd0ff",
        secondary="#e7b8ff",
        accent="#e7b8ff",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#141414",
        success="#7dffa0",
        warning="#ffdd55",
        error="#ffb3ad",
        dark=True,
        variables={**_scrollbars("#000000", "#9a9a9a"), **_quiet("#ffffff", "#d0d0d0")},
    )


def _contrast_light() -> Theme:
    return Theme(
        name=CONTRAST_LIGHT,
        primary="#003a94",
        secondary="#560079",
        accent="#560079",
        foreground="#000000",
        background="#ffffff",
        surface="#ffffff",
        panel="#f2f2f2",
        success="#00441a",
        warning="#573400",
        error="#7d0f0a",
        dark=False,
        variables={**_scrollbars("#ffffff", "#5f5f5f"), **_quiet("#000000", "#333333")},
    )


def _terminal() -> Theme:
    """Only colours that are legible on black and on white in common palettes: magenta and red."""
    return Theme(
        name=TERMINAL,
        primary="ansi_magenta",
        secondary="ansi_magenta",
        accent="ansi_magenta",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        success="ansi_default",
        warning="ansi_magenta",
        error="ansi_red",
        ansi=True,
        variables={
            **_scrollbars("ansi_default", "ansi_magenta"),
            **_quiet("ansi_default", "ansi_default"),
            "ansi-background": "ansi_default",
            "ansi-foreground": "ansi_default",
            "block-cursor-foreground": "ansi_default",
            "block-cursor-background": "ansi_default",
            "block-cursor-text-style": "reverse",
            "input-cursor-background": "ansi_default",
            "input-cursor-foreground": "ansi_default",
            "input-cursor-text-style": "reverse",
            "input-selection-background": "ansi_magenta",
            "input-selection-foreground": "ansi_bright_white",
            "screen-selection-background": "ansi_magenta",
            "screen-selection-foreground": "ansi_bright_white",
        },
    )


def _quiet(edge: str, text: str) -> dict[str, str]:
    """Frames of what has no focus, and words that need not be read."""
    return {"border-blurred": edge, "text-muted": text, "text-disabled": text}


def _scrollbars(background: str, bar: str) -> dict[str, str]:
    """Scrollbars as quiet as the rest."""
    return {
        "scrollbar": bar,
        "scrollbar-hover": bar,
        "scrollbar-active": bar,
        "scrollbar-background": background,
        "scrollbar-background-hover": background,
        "scrollbar-background-active": background,
        "scrollbar-corner-color": background,
    }
