"""The tables of docs/settings.md, made from the schema: `python -m tests.settings.reference` rewrites them."""

from __future__ import annotations

import re
from pathlib import Path

from gemma_tui.settings.schema import SCHEMA
from gemma_tui.settings.sections import SECTIONS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
KINDS = {"folder": "a folder", "folders": "a list of folders", "text": "a text"}
_TABLES = re.compile(r"(<!-- from the schema -->\n).*(<!-- to here -->)", re.DOTALL)


def tables() -> str:
    """One table for each section of the file."""
    parts = []
    for section, heading in SECTIONS.items():
        parts += [f"\n### `[{section}]`: {heading}\n", "| Key | Default | Can be | What it does |"]
        parts.append("|---|---|---|---|")
        for setting in SCHEMA.values():
            if setting.about.section == section:
                can_be = setting.bounds or (
                    "a list of folders" if setting.kind == "folders" else "a text"
                )
                scope = " The same in every conversation." if setting.about.is_global else ""
                what = f"{setting.about.help}{scope}"
                parts.append(
                    f"| `{setting.key}` | {setting.words(setting.default)} | {can_be} | {what} |"
                )
    return "\n".join(parts) + "\n\n"


def rewritten(text: str) -> str:
    """A document with the tables as the schema has them."""
    return _TABLES.sub(lambda found: found[1] + tables() + found[2], text)


if __name__ == "__main__":
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text("utf-8")), "utf-8")
