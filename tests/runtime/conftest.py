"""Vocabularies for tests of the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer as Backend

from gemma_tui.runtime.tokenizer import Tokenizer
from tests.runtime.vocabulary import gemma_like

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session", params=["built-in", "Gemma-like", "Gemma-like, not flagged"])
def vocabulary(request: pytest.FixtureRequest, tiny_model: Path) -> str:
    """The content of a `tokenizer.json`, of several kinds one after the other."""
    match request.param:
        case "built-in":
            return (tiny_model / "tokenizer.json").read_text("utf-8")
        case kind:
            return gemma_like(flagged=kind == "Gemma-like").to_str()


@pytest.fixture(scope="session")
def tokenizer(vocabulary: str) -> Tokenizer:
    """What is tested."""
    return Tokenizer(Backend.from_str(vocabulary))


@pytest.fixture(scope="session")
def reference(vocabulary: str) -> Backend:
    """The same vocabulary as its own library uses it: control tokens in a text are recognised."""
    return Backend.from_str(vocabulary)
