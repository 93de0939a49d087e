"""What was finished survives; damage, strangers and growth do no harm."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from gemma_tui.transcription.clip_text import ClipText
from gemma_tui.transcription.journal import MOST_FILES, Journal, model_key

if TYPE_CHECKING:
    from pathlib import Path

ONE = ClipText(0, 10, 10, "one “1”")
TWO = ClipText(10, 30, 25, "two", "zwei", "It is short.")
THREE = ClipText(25, 40)


def test_clips_come_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "folder", ("a", "b"))
    assert journal.read() == {}
    for clip in (ONE, TWO, THREE):
        journal.add(clip)
    again = Journal(tmp_path / "new" / "folder", ("a", "b"))
    assert again.read() == {0: ONE, 10: TWO, 25: THREE}
    again.add(ClipText(10, 30, 25, "better"))
    assert journal.read()[10].text == "better"
    assert Journal(tmp_path / "new" / "folder", ("a", "c")).read() == {}
    journal.remove()
    assert again.read() == {}
    again.remove()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    Journal(tmp_path / "f", ("a",)).add(ONE)
    (file,) = (tmp_path / "f").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o700


def test_a_torn_line_costs_one_clip(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ("a",))
    journal.add(ONE)
    journal.add(TWO)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    assert journal.read() == {0: ONE}
    journal.add(THREE)
    assert journal.read() == {0: ONE, 25: THREE}
    file.write_bytes(b'[1,2]\n{"a":1}\n\xff\xfe\n["x",1,2]\n7\n' + file.read_bytes())
    assert journal.read() == {0: ONE, 25: THREE, 1: ClipText(1, 2)}


def test_only_the_latest_sounds_are_kept(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 3):
        Journal(tmp_path, (str(number),)).add(ONE)
    assert len(list(tmp_path.iterdir())) == MOST_FILES
    assert Journal(tmp_path, (str(MOST_FILES + 2),)).read() == {0: ONE}


def test_another_state_of_a_model_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"12")
    before = model_key(tmp_path)
    assert model_key(tmp_path) == before
    (tmp_path / "model.safetensors").write_bytes(b"123")
    assert model_key(tmp_path) != before
