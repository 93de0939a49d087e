"""What is being written down is found again by the next program, and only then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.transcription.clip_text import ClipText
from gemma_tui.transcription.folder import TranscriptFolder, Undertaking

if TYPE_CHECKING:
    from pathlib import Path

WORK = Undertaking("ab" * 32, "talk [b]\x1b.mp3", "German", "English", ("ab", "model", "prompt"))
CLIP = ClipText(0, 10, 10, text="one")


def begun(folder: Path, *, clips: int = 1) -> TranscriptFolder:
    """A program that has written so many clips down."""
    found = TranscriptFolder(folder)
    found.begin(WORK)
    for number in range(clips):
        found.journal(WORK.key).add(ClipText(10 * number, 10 * number + 10, 10, text="one"))
    return found


def test_what_was_left_is_told_once(tmp_path: Path) -> None:
    first = begun(tmp_path / "t", clips=2)
    assert TranscriptFolder(tmp_path / "t").left() == ()  # it is being written
    first.leave(WORK)
    later = TranscriptFolder(tmp_path / "t")
    (found,) = later.left()
    assert found == replace(WORK, clips=2)
    assert later.left() == ()
    assert set(later.journal(WORK.key).read()) == {0, 10}  # what is finished stays


def test_what_was_stopped_or_finished_is_told_no_more(tmp_path: Path) -> None:
    begun(tmp_path / "t").stop(WORK)
    assert TranscriptFolder(tmp_path / "t").left() == ()
    assert TranscriptFolder(tmp_path / "t").journal(WORK.key).read()
    begun(tmp_path / "t").finish(WORK)
    assert TranscriptFolder(tmp_path / "t").left() == ()
    assert not TranscriptFolder(tmp_path / "t").journal(WORK.key).read()
    assert not list((tmp_path / "t").iterdir())


def test_without_a_finished_clip_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    begun(tmp_path / "t", clips=0).leave(WORK)
    assert TranscriptFolder(tmp_path / "t").left() == ()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"sha256": 1}', b"\xff" * 100_000])
def test_a_damaged_note_says_nothing(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "t"
    begun(folder).leave(WORK)
    (note,) = folder.glob("*.begun")
    assert note.stat().st_mode & 0o777 == 0o600
    note.write_bytes(content)
    assert TranscriptFolder(folder).left() == ()


def test_without_a_folder_it_lasts_as_long_as_the_program() -> None:
    found = TranscriptFolder()
    found.begin(WORK)
    found.journal(WORK.key).add(CLIP)
    found.leave(WORK)
    assert found.left() == ()
    assert found.journal(WORK.key).read() == {0: CLIP}
    found.finish(WORK)
    assert not found.journal(WORK.key).read()
