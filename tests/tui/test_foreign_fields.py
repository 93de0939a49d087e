"""Foreign text in every field of a dialogue, and in what is said of it then.

As in `test_foreign_text`: the real program in a real pty, and every byte it writes is held to
`terminal_grammar`.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.tui.foreign_text import ESC, Program, numbered, short
from tests.tui.naughty_strings import ACTING, HIDING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CTRL_B, CTRL_F, CTRL_L, CTRL_O, CTRL_P, CTRL_S = "\x02", "\x06", "\x0c", "\x0f", "\x10", "\x13"
F2, F3, F6, F7, ALT_A = "\x1bOQ", "\x1bOR", "\x1b[17~", "\x1b[18~", "\x1ba"
DOWN = "\x1b[B"

FOREIGN: Final = [
    " ".join(text.text.splitlines()).encode(errors="replace").decode()
    for text in short(numbered(ACTING + HIDING))
]
"""On one line each, as a file system and a database take them."""

PADDING: Final = "." * 120
"""Terminals do not agree how wide foreign text is: what is looked for stands away from it."""


@dataclass(frozen=True)
class Field:
    """A place where text can be pasted.

    Args:
        ways: Keys that lead there from the chat, and what is on the screen behind each.
        use: Keys behind the text.
        told: What is on the screen then, if it is always the same.
        back: Keys that lead back to the chat.
        gone: What is not on the screen then; what was shown last, unless told.
        follows: Whether the end of a long text is seen there.
    """

    ways: tuple[tuple[str, str], ...]
    use: str = "\r"
    told: str = ""
    back: str = ""
    gone: str = ""
    follows: bool = True


LIST: Final = ((CTRL_B, "Ask Gemma"), (CTRL_B, "Enter open"))
SETTINGS: Final = (F2, "Type to find a setting")
FIELDS: Final = (
    Field(((CTRL_O, "Enter attaches"),), told="There is no file"),
    Field(((CTRL_F, "in this conversation"),), told="not found", back=ESC, gone="not found"),
    Field(
        ((F3, "Search all conversations"),), told="Nothing found", back=ESC, gone="Nothing found"
    ),
    Field((SETTINGS, ("xyz", "No setting has")), use="", back=F2),
    Field(
        (SETTINGS, (DOWN, "offered by"), ("\r", "─ Models folder ─")),
        told="There is no folder",
        back=F2,
    ),
    Field(
        ((CTRL_L, "owner/name on the hub"), ("\t", ""), ("q", "│ q")),
        told="scripted",
        back=ESC,
        gone="─ Models",
    ),
    Field(  # Textual's own
        ((CTRL_P, "Search for commands"),),
        use="",
        told="No matches",
        back=ESC,
        gone="No matches",
        follows=False,
    ),
    Field((("/system\r", "Tab goes to the presets"),), use="", back=CTRL_S),
    Field(
        (("/system\r", "Tab goes to the presets"), (F6, "Name of the preset")),
        told="Saved as",
        back=CTRL_S,
    ),
    Field((("/export\r", "Enter exports"),)),
    Field((("/import\r", "Enter imports"),)),
    Field(((ALT_A, "1 attachment"), ("s", "Enter saves")), back=ESC),
    Field((*LIST, ("r", "● ready  F1")), told="Enter open", back=ESC, gone="Enter open"),
    Field((*LIST, ("t", "Tags, with commas")), told="Enter open", back=ESC, gone="Enter open"),
    Field((*LIST, ("/", "Filter: words")), told="Nothing fits", back=ESC, gone="Nothing fits"),
)


def press(program: Program, keys: str, shown: str) -> None:
    """Press keys until something is shown; a letter again if nothing took it yet."""
    program.type(keys)
    for _ in range(30 if keys.isalpha() else 0):
        if shown in program.text or (program.read(1) and shown in program.text):
            break
        program.type(keys)
    program.shows(shown)


def fill(program: Program, field: Field, words: str, number: int) -> None:
    """Paste into a field until its end is seen, use it, and go back."""
    for keys, shown in field.ways:
        press(program, keys, shown)
    program.paste(f"{words} {PADDING}<{number}|")
    if field.follows:
        program.shows(f"<{number}|")
    program.type(field.use)
    if field.told:
        program.shows(field.told)
    program.type(field.back)
    program.lacks(field.gone or field.ways[-1][1])


def fill_all(home: Path, words: str) -> None:
    """Paste into every field there is, and look at what was told of it."""
    picture = home.parent / "a picture.png"
    picture.write_bytes(b"picture")
    with closing(Program(home, size=(120, 50))) as program:
        program.shows("● ready")
        program.paste(f"{picture}")
        program.shows("a picture.png")
        program.send("hello")
        for number, field in enumerate(FIELDS, 200):
            fill(program, field, words, number)
        program.type(F7)
        program.shows("Told before")
        program.leave()
        assert program.foreign() == []


@settings(max_examples=1, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=60))
def test_every_field(tmp_path_factory: pytest.TempPathFactory, drawn: list[str]) -> None:
    lines = [*FOREIGN, *(" ".join(text.splitlines()) for text in drawn)]
    fill_all(tmp_path_factory.mktemp("fields") / "home", " ".join(lines))
