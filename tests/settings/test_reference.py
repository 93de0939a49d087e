"""The documentation says what the schema says."""

from __future__ import annotations

from gemma_tui.settings.schema import SCHEMA
from tests.settings.reference import DOCUMENT, rewritten


def test_the_document_follows_the_schema() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert rewritten(text) == text, "run: python -m tests.settings.reference"
    assert all(f"`{key}`" in text for key in SCHEMA)
