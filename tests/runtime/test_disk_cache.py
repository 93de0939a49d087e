"""What is read was written whole under that name; what is too much, too old or damaged goes."""

from __future__ import annotations

import logging
import os
import stat
import time
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np

from gemma_tui.runtime.array_bits import restored, stored
from gemma_tui.runtime.disk_cache import DiskCache, StoredArray

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LOG = logging.getLogger("test")
BITS = StoredArray("F32", np.arange(6, dtype="<f4").reshape(2, 3))


def disk_of(folder: Path, *, max_bytes: int = 1 << 20, max_age: float = 1e6) -> DiskCache:
    return DiskCache(folder, LOG, max_bytes=max_bytes, max_age=max_age, least_free=0)


def write(disk: DiskCache, *names: str) -> None:
    for name in names:
        disk.write(name, {"a": BITS})
    disk.flush()


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = [
        mx.random.normal((1, 2, 3, 4)).astype(kind)
        for kind in (mx.float32, mx.bfloat16, mx.float16)
    ]
    disk = disk_of(tmp_path / "cache")
    disk.write("kv", {str(n): bits for n, bits in enumerate(stored(arrays))})
    disk.flush()
    content = disk_of(tmp_path / "cache").read("kv")
    assert content is not None
    for number, array in enumerate(arrays):
        back = restored(content[str(number)])
        assert back.dtype == array.dtype
        assert mx.array_equal(back, array)
    assert disk.shape("kv", "1") == (1, 2, 3, 4)
    assert disk.shape("kv", "9") is None
    assert disk.shape("other", "1") is None
    assert disk.read("other") is None


def test_only_their_owner_may_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "engine"
    disk = disk_of(folder)
    assert not folder.exists()
    write(disk, "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_any_damage_is_noticed(tmp_path: Path) -> None:
    write(disk_of(tmp_path), "a")
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    disk = disk_of(tmp_path)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        assert disk.read("a") is None, place
        assert not path.exists()
    for length in (0, 7, 8, 40, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert disk.read("a") is None
    path.write_bytes(whole + b"x")
    assert disk.read("a") is None
    path.write_bytes(whole)
    assert disk.read("a") is not None


def test_a_file_is_not_taken_for_another(tmp_path: Path) -> None:
    disk = disk_of(tmp_path)
    write(disk, "a")
    (tmp_path / "a.safetensors").rename(tmp_path / "b.safetensors")
    assert disk.read("b") is None


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    size = file_size(tmp_path / "probe")
    folder = tmp_path / "cache"
    disk = disk_of(folder, max_bytes=3 * size)
    write(disk, "a", "b", "c")
    for age, name in enumerate(("c", "b", "a")):
        os.utime(folder / f"{name}.safetensors", (1e9 - age, 1e9 - age))
    disk.used(["a"])
    write(disk_of(folder, max_bytes=3 * size, max_age=1e12), "d")
    assert names(folder) == {"a", "c", "d"}


def test_what_is_needed_first_goes_last(tmp_path: Path) -> None:
    size = file_size(tmp_path / "probe")
    folder = tmp_path / "cache"
    disk = disk_of(folder, max_bytes=3 * size)
    write(disk, "a", "b", "c")
    disk.used(["a", "b", "c"])
    write(disk, "d")
    assert names(folder) == {"a", "b", "d"}


def test_what_is_too_old_goes_at_the_next_start(tmp_path: Path) -> None:
    write(disk_of(tmp_path), "old", "young")
    (tmp_path / "new-1-1").write_bytes(b"half a file")
    past = time.time() - 100_000
    for name in ("old.safetensors", "new-1-1"):
        os.utime(tmp_path / name, (past, past))
    disk = disk_of(tmp_path, max_age=50_000)
    write(disk, "next")
    assert {path.name for path in tmp_path.iterdir()} == {"young.safetensors", "next.safetensors"}


def test_the_disk_is_not_filled(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, LOG, least_free=1 << 60)
    write(disk, "a")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_cache(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    disk = disk_of(tmp_path / "file" / "cache")
    write(disk, "a")
    assert disk.read("a") is None
    assert "a is not kept" in caplog.text
    write(disk, "b")
    assert "b is not kept" in caplog.text


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    disk = disk_of(tmp_path)
    write(disk, "a")
    before = (tmp_path / "a.safetensors").stat().st_ino
    write(disk, "a")
    assert (tmp_path / "a.safetensors").stat().st_ino == before
    disk.close(10)
    assert disk.flush(10)


def file_size(folder: Path) -> int:
    write(disk_of(folder), "a")
    return sum(path.stat().st_size for path in folder.iterdir())


def names(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir()}
