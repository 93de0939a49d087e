"""The two colour themes. Every widget takes its colours from these names, none has its own."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = "gemma-dark"
LIGHT: Final = "gemma-light"


def themes() -> tuple[Theme, ...]:
    """Dark first. Text on background has a contrast of at least 7:1 in both."""
    dark = Theme(
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
        variables=_scrollbars("#131314", "#3c4043"),
    )
    light = Theme(
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
        variables=_scrollbars("#ffffff", "#c4c7c5"),
    )
    return dark, light


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
