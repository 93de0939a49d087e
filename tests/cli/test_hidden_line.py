"""A line that cannot be read is told in a sentence, and nobody waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import GemmaError, LockedDocumentError
from gemma_tui.plain import hidden_line
from gemma_tui.plain.daemon_thread import in_daemon_thread

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (UnicodeDecodeError("utf-8", b"\xe4", 0, 1, "invalid"), "is not UTF-8"),
        (OSError(5, "Input/output error"), r"cannot be read \(Input/output error\)"),
        (ValueError("I/O operation on closed file"), r"cannot be read \(I/O operation"),
        (RuntimeError(), r"cannot be read \(RuntimeError\)"),
    ],
)
async def test_whatever_keeps_a_line_from_being_read_is_told(
    failure: Exception, sentence: str
) -> None:
    def read() -> str:
        raise failure

    with pytest.raises(GemmaError, match=sentence):
        await asyncio.wait_for(in_daemon_thread(read), 60)


@pytest.mark.parametrize("is_there", [False, True])
async def test_without_a_terminal_a_password_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    path = tmp_path / "no terminal"
    if is_there:
        path.touch()
    monkeypatch.setattr(hidden_line, "TERMINAL", str(path))
    with pytest.raises(LockedDocumentError, match="Set GEMMA_TUI_PDF_PASSWORD to it"):
        await hidden_line.hidden_line("Password: ")
