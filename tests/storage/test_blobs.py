"""The blob store: what goes in, what is refused without waiting, what is collected."""

# ruff: noqa: ASYNC240  # nothing else runs on the loop while a test prepares its files

from __future__ import annotations

import errno
import hashlib
import os
import socket
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.errors import AttachmentError, DiskFullError, LimitError, NotAFileError
from gemma_tui.storage.blobs import BlobStore

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"picture" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", limit_bytes=100_000)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(CONTENT)
    return path


def stored(tmp_path: Path) -> list[str]:
    return sorted(str(p.relative_to(tmp_path / "blobs")) for p in (tmp_path / "blobs").rglob("*"))


async def test_a_copy_outlives_its_original(blobs: BlobStore, picture: Path) -> None:
    blob = await blobs.add_file(picture)
    picture.unlink()
    assert (blob.sha256, blob.size_bytes, blob.is_new) == (SHA256, len(CONTENT), True)
    assert blobs.path_of(SHA256).read_bytes() == CONTENT
    assert blobs.path_of(SHA256).parts[-2:] == (SHA256[:2], SHA256[2:])


async def test_the_same_bytes_are_kept_once(
    blobs: BlobStore, picture: Path, tmp_path: Path
) -> None:
    await blobs.add_file(picture)
    other = tmp_path / "b.jpg"
    other.write_bytes(CONTENT)
    assert (await blobs.add_file(other)).is_new is False
    assert stored(tmp_path) == [SHA256[:2], f"{SHA256[:2]}/{SHA256[2:]}"]


async def test_a_damaged_copy_is_replaced(blobs: BlobStore, picture: Path) -> None:
    await blobs.add_file(picture)
    blobs.path_of(SHA256).write_bytes(b"cut off")
    assert (await blobs.add_file(picture)).is_new
    assert blobs.path_of(SHA256).read_bytes() == CONTENT


async def test_blobs_are_private_under_any_umask(blobs: BlobStore, picture: Path) -> None:
    before = os.umask(0)
    try:
        await blobs.add_file(picture)
    finally:
        os.umask(before)
    path = blobs.path_of(SHA256)
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


async def test_a_link_to_a_file_is_followed(blobs: BlobStore, picture: Path) -> None:
    link = picture.with_name("link.png")
    link.symlink_to(picture)
    assert (await blobs.add_file(link)).sha256 == SHA256


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _dangling(path: Path) -> None:
    path.symlink_to(path.with_name("gone"))


def _nothing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_folder, "“it.png” is a folder"),
        (_pipe, "“it.png” is a pipe or a device"),
        (_socket, "“it.png” is a socket or a device"),
        (_loop, "“it.png” is a link that leads back to itself"),
        (_device, "“it.png” is a pipe or a device"),
        (_dangling, "There is no file"),
        (_nothing, "There is no file"),
    ],
)
async def test_what_is_no_file_is_refused_without_waiting(
    blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "it.png")
    with pytest.raises(NotAFileError, match=sentence):
        await blobs.add_file(tmp_path / "it.png")
    assert stored(tmp_path) == []


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 300, "a.png/b.png"])
async def test_an_impossible_name_is_refused(blobs: BlobStore, picture: Path, name: str) -> None:
    with pytest.raises(NotAFileError):
        await blobs.add_file(picture.parent / name)


async def test_a_large_file_is_refused_before_it_is_copied(
    blobs: BlobStore, tmp_path: Path
) -> None:
    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate(100_001)
    with pytest.raises(LimitError, match=r"“large\.wav” is larger than"):
        await blobs.add_file(large)
    assert not (tmp_path / "blobs").exists()


async def test_a_file_that_grows_while_it_is_copied_is_refused(
    blobs: BlobStore, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "read", lambda _descriptor, _size: b"x" * 60_000)
    with pytest.raises(LimitError):
        await blobs.add_file(picture)
    assert stored(tmp_path) == []


@pytest.mark.parametrize("call", ["write", "fsync"])
async def test_a_full_disk_leaves_nothing_half_written(
    blobs: BlobStore, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(DiskFullError, match="no space left"):
        await blobs.add_file(picture)
    monkeypatch.undo()
    assert stored(tmp_path) == []
    assert (await blobs.add_file(picture)).is_new


async def test_a_file_that_breaks_off_is_the_files_fault(
    blobs: BlobStore, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int, _size: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", broken)
    with pytest.raises(AttachmentError, match="could not be read to its end"):
        await blobs.add_file(picture)
    assert stored(tmp_path) == []


async def test_only_old_unused_blobs_are_collected(
    blobs: BlobStore, picture: Path, tmp_path: Path
) -> None:
    used = await blobs.add_file(picture)
    picture.write_bytes(b"unused and old")
    old = await blobs.add_file(picture)
    picture.write_bytes(b"unused and young")
    young = await blobs.add_file(picture)
    left_over = tmp_path / "blobs" / "new-1-1"
    left_over.touch()
    yesterday = time.time() - 25 * 3600
    for path in (blobs.path_of(used.sha256), blobs.path_of(old.sha256), left_over):
        os.utime(path, (yesterday, yesterday))
    assert await blobs.collect({used.sha256}) == 1
    there = [blobs.path_of(b.sha256).exists() for b in (used, old, young)]
    assert there == [True, False, True]
    assert not left_over.exists()


async def test_adding_again_protects_from_collection(blobs: BlobStore, picture: Path) -> None:
    await blobs.add_file(picture)
    os.utime(blobs.path_of(SHA256), (0, 0))
    await blobs.add_file(picture)
    assert await blobs.collect(()) == 0
    assert blobs.path_of(SHA256).exists()


async def test_nothing_to_collect_before_the_first_blob(blobs: BlobStore) -> None:
    assert await blobs.collect(()) == 0
    await blobs.discard(SHA256)
