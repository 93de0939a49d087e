"""Reads the zip that ChatGPT exports: the conversations, and the pictures they refer to.

Nothing is unpacked by the names in it. Its directory is bounded before it is read; a file in it is
read only as far as it says it goes, and not if it grows more than 200 times.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import DamagedExportError, ExportLimitError, UnknownFormatError
from gemma_tui.exchange.chatgpt_json import read_chatgpt_json
from gemma_tui.exchange.found import MediaFile, Skipped
from gemma_tui.exchange.json_stream import JsonStream
from gemma_tui.exchange.watched_file import WatchedFile
from gemma_tui.storage.blobs import MAX_BLOB_BYTES
from gemma_tui.storage.faults import storage_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from gemma_tui.exchange.found import Found

MAX_DIRECTORY_BYTES: Final = 16 << 20
"""Some 100,000 files; the objects that Python makes of them take ten times as much memory."""

MAX_RATIO: Final = 200
"""Text of this kind shrinks 5 to 20 times; deflate could do 1030."""

_UNSUSPECTED_BYTES: Final = 1 << 20
_CONVERSATIONS: Final = re.compile(r"conversations(-\d+)?\.json")
_MEDIA: Final = re.compile(r"(file[-_][A-Za-z0-9]{4,80})(?:-(.+))?")
_FAULTS: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
_ENCRYPTED: Final = 1
_CHUNK_BYTES: Final = 1 << 20


@contextmanager
def open_archive(file: BinaryIO, name: str) -> Iterator[zipfile.ZipFile]:
    """The archive, checked.

    Raises:
        DamagedExportError: It is broken, or encrypted.
        ExportLimitError: It has too many files, or one grows too much.
        UnknownFormatError: It holds no conversations, or names that lead out of it.
    """
    try:
        archive = zipfile.ZipFile(_Bounded(file, name))
    except (*_FAULTS, ValueError, OverflowError) as error:
        raise _damaged(name, str(error)) from error
    with archive:
        _check(archive, name)
        yield archive


def read_archive(
    archive: zipfile.ZipFile, name: str, folder: Path, progress: Callable[[float], None]
) -> Iterator[Found]:
    """What the archive yields.

    Args:
        archive: From `open_archive`.
        name: What it is called in sentences.
        folder: For the bytes of attachments, one file at a time.
        progress: Told how far the conversations are read, 0 to 1.

    Raises:
        DamagedExportError: Its conversations are broken.
        ExportLimitError: One of them is too large.
    """
    media = _Media(archive, folder)
    members = sorted(_conversations(archive), key=lambda member: member.filename)
    for number, member in enumerate(members):
        done = number / len(members)
        share = _part_of(progress, done, 1 / len(members))
        try:
            with archive.open(member) as file:
                stream = JsonStream(WatchedFile(file, member.file_size, share), name)
                yield from read_chatgpt_json(stream, name, media.take)
        except _FAULTS as error:
            raise _damaged(name, str(error)) from error
    yield from media.problems


def _part_of(
    progress: Callable[[float], None], done: float, share: float
) -> Callable[[float], None]:
    return lambda fraction: progress(done + share * fraction)


class _Bounded(io.RawIOBase):
    """The file as `zipfile` sees it; refuses to read a directory of any size in one go."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name

    def read(self, size: int = -1, /) -> bytes:
        most = MAX_DIRECTORY_BYTES + 1
        chunk = self._file.read(min(size, most) if size >= 0 else most)
        if len(chunk) > MAX_DIRECTORY_BYTES:
            raise ExportLimitError(
                f"“{self._name}” was not imported: it holds too many files.",
                "Unpack it and import its conversations.json.",
            )
        return chunk

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _check(archive: zipfile.ZipFile, name: str) -> None:
    for member in archive.infolist():
        place = PurePosixPath(member.filename.replace("\\", "/"))
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if place.is_absolute() or ".." in place.parts or ":" in place.parts[:1] or is_link:
            raise UnknownFormatError(
                f"“{name}” was not imported: a name in it leads out of it"
                f" (“{member.filename[:60]}”).",
                "Choose the zip as ChatGPT made it.",
            )
    conversations = _conversations(archive)
    if not conversations:
        raise UnknownFormatError(
            f"“{name}” holds no conversations.json, so it is no export of ChatGPT.",
            "Choose another file.",
        )
    if len({member.filename for member in conversations}) < len(conversations):
        raise _damaged(name, "a name is there twice")
    for member in conversations:
        if member.flag_bits & _ENCRYPTED:
            raise _damaged(name, "it is encrypted")
        if _grows_too_much(member):
            raise ExportLimitError(
                f"“{name}” was not imported: what is in it grows more than {MAX_RATIO} times.",
                "Unpack it and import its conversations.json.",
            )


def _conversations(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [
        member
        for member in archive.infolist()
        if _CONVERSATIONS.fullmatch(PurePosixPath(member.filename).name)
    ]


def _grows_too_much(member: zipfile.ZipInfo) -> bool:
    return member.file_size > max(_UNSUSPECTED_BYTES, MAX_RATIO * member.compress_size)


class _Media:
    """The pictures and sounds of an archive, by the id that messages refer to."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path) -> None:
        self.problems: list[Skipped] = []
        self._archive = archive
        self._path = folder / "file"
        self._members: dict[str, tuple[zipfile.ZipInfo, str]] = {}
        for member in archive.infolist():
            base = PurePosixPath(member.filename).name
            if found := _MEDIA.match(base):
                self._members.setdefault(found[1], (member, found[2] or base))

    def take(self, key: str) -> MediaFile | None:
        """The bytes as a file, if they are there and can be read."""
        if key not in self._members:
            return None
        member, name = self._members[key]
        if member.flag_bits & _ENCRYPTED or member.file_size > MAX_BLOB_BYTES:
            return None
        if _grows_too_much(member):
            self.problems.append(Skipped(f"“{name}” was left out: it is too large."))
            return None
        try:
            with (
                self._archive.open(member) as source,
                storage_faults(self._path),
                self._path.open("wb") as target,
            ):
                while chunk := source.read(_CHUNK_BYTES):
                    target.write(chunk)
        except _FAULTS as error:
            self.problems.append(Skipped(f"“{name}” was left out: it is broken ({error})."))
            return None
        return MediaFile(key, self._path, name)


def _damaged(name: str, reason: str) -> DamagedExportError:
    return DamagedExportError(
        f"“{name}” was not imported: the archive is broken ({reason}).", "Download it again."
    )
