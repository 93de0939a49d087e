"""docs/keys.md, made from bindings and the registry: `python -m tests.tui.keys_reference`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gemma_tui.frontend.commands import COMMANDS
from gemma_tui.plain.commands import PLAIN_COMMANDS
from gemma_tui.tui.keys import key_groups, key_words

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "keys.md"

INTRODUCTION: Final = """# Keys and commands

This page is made from the program by `python -m tests.tui.keys_reference`. F1 shows the same in the app, with your own keys.

## Other keys

The table `[keys]` of the settings file (`gemma-tui config path`) gives what has an id other keys; `gemma-tui config keys` prints them all:

```toml
[keys]
"chat.new" = "f11"
"message.copy" = "c,ctrl+shift+c"
```

A key is written as Textual names it: `ctrl+y`, `alt+x`, `f11`, `shift+f11`, `pageup`, `question_mark`. An id or a key that does not exist, a key that
something else heard in the same place has already, that is typed there, or that terminals cannot tell from another one is said at the
start, and the default stays. Sentences on the screen that name a key name the default one; help, the status line and the palette have yours.
"""


def cell(text: str) -> str:
    """Text for a table."""
    return text.replace("|", "\\|")


def page() -> str:
    """The whole document."""
    lines = [INTRODUCTION]
    for group in key_groups():
        lines += [f"## {group.title}", "", "| Keys | What they do | id |", "|---|---|---|"]
        lines += [f"| {cell(keys)} | {cell(meaning)} | |" for keys, meaning in group.others]
        lines += [
            f"| {cell(key_words(binding.key))} | {cell(binding.tooltip or binding.description)} | `{binding.id}` |"
            for binding in group.bindings
        ]
        lines.append("")
    lines += ["## Commands", "", "| Command | What it does | Also |", "|---|---|---|"]
    for command in COMMANDS:
        also = ", ".join((*(f"`/{alias}`" for alias in command.aliases), command.key)).strip(", ")
        lines.append(f"| `{command.usage}` | {cell(command.title)} | {cell(also)} |")
    lines += ["", "## Commands of plain mode", "", "| Command | What it does |", "|---|---|"]
    lines += [f"| `{command.usage}` | {cell(command.title)} |" for command in PLAIN_COMMANDS]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(page(), "utf-8")
