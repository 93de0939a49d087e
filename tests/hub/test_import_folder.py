"""Importing a model folder: what is copied, what an interruption costs, what is refused."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import DiskFullError, DownloadError, ModelError, UsageError
from gemma_tui.hub import import_folder as importing
from gemma_tui.hub.import_folder import Imported, ImportProgress, import_folder
from gemma_tui.hub.imported import imported_models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def disk(tmp_path: Path, tiny_model: Path) -> Path:
    return shutil.copytree(tiny_model, tmp_path / "usb" / "tiny")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_BLOCK", 500_000)
    monkeypatch.setattr(importing, "_DISTRUSTED_BYTES", 1_000_000)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def interrupted(events: Iterator[ImportProgress | Imported], after: int) -> None:
    """Close an import once so many bytes are copied."""
    for event in events:
        if isinstance(event, ImportProgress) and event.done_bytes >= after:
            break
    events.close()  # type: ignore[attr-defined]


def test_the_copy_is_the_model(disk: Path, library: Path) -> None:
    *progress, last = import_folder(disk, library)
    assert last == Imported(library / "tiny")
    assert content_of(library / "tiny") == content_of(disk)
    final = progress[-1]
    assert isinstance(final, ImportProgress)
    assert final.done_bytes == final.total_bytes == sum(map(len, content_of(disk).values()))
    check = subprocess.run(
        ["sha256sum", "-c", "../tiny.sha256"],
        cwd=library / "tiny",
        capture_output=True,
        check=False,
    )
    assert check.returncode == 0
    with pytest.raises(UsageError, match="already there"):
        next(import_folder(disk, library))


@pytest.mark.usefixtures("small_blocks")
def test_an_interrupted_import_goes_on(
    disk: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(import_folder(disk, library), 5_000_000)
    assert imported_models(library) == ()
    partial = library / ".tiny.partial" / "model.safetensors"
    before = partial.stat().st_size
    assert before > 4_000_000
    with partial.open("r+b") as file:
        file.seek(before - 900_000)
        file.write(b"lost by a disk that lost its power")
    events = import_folder(disk, library)
    next(events)
    interrupted(events, 3_600_000)
    assert partial.stat().st_size < before  # the end of it was not trusted
    list(import_folder(disk, library))
    assert content_of(library / "tiny") == content_of(disk)
    assert sorted(path.name for path in library.iterdir()) == ["tiny", "tiny.sha256"]


@pytest.mark.usefixtures("small_blocks")
def test_another_disk_of_the_same_name_begins_anew(disk: Path, library: Path) -> None:
    interrupted(import_folder(disk, library), 5_000_000)
    text = (disk / "README.md").read_text()
    (disk / "README.md").write_text(text + "changed")
    list(import_folder(disk, library))
    assert content_of(library / "tiny") == content_of(disk)


def test_two_imports_do_not_meet(disk: Path, library: Path) -> None:
    first = import_folder(disk, library)
    next(first)
    with pytest.raises(DownloadError, match="being copied by another"):
        list(import_folder(disk, library))
    assert list(first)[-1] == Imported(library / "tiny")


def test_only_what_a_model_needs_is_copied(disk: Path, library: Path) -> None:
    wanted = content_of(disk)
    (disk / "photo.png").write_bytes(b"\x89PNG")
    (disk / "sub").mkdir()
    list(import_folder(disk, library))
    assert content_of(library / "tiny") == wanted


def test_a_snapshot_of_a_cache_is_called_as_its_repository(
    disk: Path, library: Path, tmp_path: Path
) -> None:
    repo = tmp_path / "usb" / "models--me--my-tune"
    shutil.copytree(disk, repo / "snapshots" / ("a" * 40))
    assert list(import_folder(repo, library))[-1] == Imported(library / "my-tune")
    shutil.copytree(disk, repo / "snapshots" / ("b" * 40))
    with pytest.raises(ModelError, match="2 snapshots"):
        next(import_folder(repo, library))


def test_what_is_no_model_is_refused(disk: Path, library: Path, tmp_path: Path) -> None:
    for name, content, sentence in (
        ("config.json", '{"model_type": "llama"}', "not a Gemma 4"),
        ("config.json", '{"model_type": "gemma4", "auto_map": {}}', "auto_map"),
        ("evil.bin", "x", "can carry code"),
    ):
        folder = shutil.copytree(disk, tmp_path / "broken")
        (folder / name).write_text(content)
        with pytest.raises(ModelError, match=sentence):
            next(import_folder(folder, library))
        shutil.rmtree(folder)
    with pytest.raises(ModelError, match="not a folder"):
        next(import_folder(tmp_path / "absent", library))
    assert not library.exists()


def test_a_full_disk_is_known_before(
    disk: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(disk)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DiskFullError, match="tiny needs"):
        next(import_folder(disk, library))
