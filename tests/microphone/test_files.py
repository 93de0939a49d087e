"""Files of recordings: right at every moment, found again after a crash."""

from __future__ import annotations

import subprocess
import sys
import wave
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import StorageError
from gemma_tui.microphone import wave_writer
from gemma_tui.microphone.advice import advice, terminal_app
from gemma_tui.microphone.folder import RecordingFolder, seconds_of
from gemma_tui.microphone.privacy import can_open_privacy, open_privacy
from gemma_tui.microphone.wave_writer import WaveWriter

if TYPE_CHECKING:
    from pathlib import Path


def sound(count: int) -> bytes:
    return b"".join((n % 30000).to_bytes(2, "little") for n in range(count))


def test_a_file_is_whole_after_every_write(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with WaveWriter(path, 8000, 2) as file:
        for number in range(1, 4):
            file.write(sound(800))
            with wave.open(str(path), "rb") as read:
                assert read.getparams()[:4] == (2, 2, 8000, 400 * number)
                assert read.readframes(10**6) == sound(800) * number
        assert file.seconds == pytest.approx(0.15)
        assert not file.is_full
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_says_when_its_header_can_count_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wave_writer, "MAX_SOUND_BYTES", 32000)
    with WaveWriter(tmp_path / "a.wav", 8000, 1) as file:
        file.write(bytes(15998))
        assert not file.is_full
        file.write(bytes(4))
        assert file.is_full


def test_what_another_process_left_is_found_and_what_it_makes_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from gemma_tui.microphone.folder import RecordingFolder\n"
        "from gemma_tui.microphone.wave_writer import WaveWriter\n"
        "kept = RecordingFolder(pathlib.Path(sys.argv[1])).begin()\n"
        "WaveWriter(kept.path, 8000, 1).write(bytes(16000))\n"
        "print(kept.path, flush=True); sys.stdin.read()"
    )
    folder = RecordingFolder(tmp_path / "recordings")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "recordings")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        path = process.stdout.readline().strip()
        assert folder.left() == ()
        process.kill()
    (left,) = folder.left()
    assert str(left.path) == path
    assert left.seconds == 1.0
    assert folder.left() == ()  # nobody else is offered it
    left.remove()
    assert list((tmp_path / "recordings").iterdir()) == []


def test_slips_of_the_finger_are_not_offered(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path / "recordings")
    kept = folder.begin()
    second = folder.begin()
    assert kept.path != second.path
    with WaveWriter(kept.path, 8000, 1) as file:
        file.write(bytes(1600))
    kept.release()
    second.release()
    assert folder.left() == ()
    assert not kept.path.exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        RecordingFolder(tmp_path / "file" / "recordings").begin()
    assert RecordingFolder(tmp_path / "missing").left() == ()


def test_seconds_of_something_else_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF of no kind")
    assert seconds_of(path) == 0.0


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"TERM_PROGRAM": "Apple_Terminal"}, "Terminal"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iTerm"),
        ({"TERM_PROGRAM": "vscode"}, "Visual Studio Code"),
        ({"TERM_PROGRAM": "iTerm.app", "TMUX": "/x"}, "the terminal that tmux was started in"),
        ({"TERM_PROGRAM": "tmux"}, "the terminal that tmux was started in"),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "New\x1b[2J"}, "New␛[2J"),
        ({}, "your terminal"),
    ],
)
def test_the_app_that_needs_the_permission_is_named(environ: dict[str, str], name: str) -> None:
    assert terminal_app(environ) == name
    assert name in advice("silent", "Mic", environ, "darwin")


def test_advice_is_different_for_every_fault_and_system() -> None:
    said = {
        advice(fault, "Mic", {}, system)
        for fault in ("", "silent", "clipping", "faint")
        for system in ("darwin", "linux")
    }
    assert len(said) == 5
    assert "alsamixer" in advice("silent", "Mic", {}, "linux")
    assert "Privacy & Security" in advice("silent", "Mic", {}, "darwin")


async def test_the_privacy_pane_is_opened_by_the_system(tmp_path: Path) -> None:
    assert not can_open_privacy("linux")
    await open_privacy(("touch", str(tmp_path / "opened")))
    assert (tmp_path / "opened").exists()
    await open_privacy((str(tmp_path / "missing"),))
