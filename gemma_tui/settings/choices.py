"""The values of settings that have only a few, each with its words."""

from __future__ import annotations

from typing import Final

_AUTO: Final = ("auto", "auto, by what is in it")
BUDGETS: Final = (_AUTO, *((n, f"{n} tokens") for n in (70, 140, 280, 560, 1120)))
RATES: Final = (
    *(("2", "2 a second"), ("1", "1 a second"), ("1/2", "1 in 2 seconds")),
    *(("1/5", "1 in 5 seconds"), ("1/10", "1 in 10 seconds")),
)
OVERFLOWS: Final = (("refuse", "refuse"), ("drop_oldest", "leave out the oldest turns"))
THEMES: Final = (
    ("dark", "dark"),
    ("light", "light"),
    ("contrast-dark", "high contrast, dark"),
    ("contrast-light", "high contrast, light"),
    ("terminal", "those of the terminal"),
)
PREVIEWS: Final = (("half_blocks", "half blocks"), ("kitty", "pixels"))
NOTIFICATIONS: Final = (
    ("off", "off"),
    ("bell", "the bell"),
    ("title", "the window's title"),
    ("both", "the bell and the window's title"),
)
SEND_KEYS: Final = (("enter", "Enter"), ("ctrl+s", "Ctrl+S"))
