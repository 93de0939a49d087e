"""Every claim in docs/comparison.md names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TABLE = (TESTS.parent / "docs" / "comparison.md").read_text("utf-8")
NAMED = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", TABLE)
ROWS = [line.split("|")[1:-1] for line in TABLE.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize(("file", "name"), [pair for pair in NAMED if pair[0][:6] != "tests/"])
def test_what_shows_it_exists(file: str, name: str) -> None:
    text = (TESTS / file).read_text("utf-8")
    assert not name or re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_nothing_is_claimed_without_a_test() -> None:
    features = [[cell.strip() for cell in row] for row in ROWS if len(row) == 9]
    claimed = [row for row in features[1:] if row[1] and row[7] != "no"]
    assert len(claimed) > 40
    assert [row[0] for row in claimed if not row[8]] == []
    assert [row[0] for row in features[1:] if row[7] == "no" and row[8]] == []
