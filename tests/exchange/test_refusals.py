"""Files that are broken or hostile: each is refused with a sentence, and nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import stat
import struct
import tempfile
import zipfile
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_tui.conversation import Attachment, Conversation, Message, Usage
from gemma_tui.errors import (
    DamagedExportError,
    ExchangeError,
    ExportLimitError,
    UnknownFormatError,
)
from gemma_tui.exchange.json_format import FORMAT
from gemma_tui.exchange.json_stream import MAX_DEPTH, JsonStream
from tests.exchange.conftest import Place
from tests.exchange.strategies import trees

if TYPE_CHECKING:
    from gemma_tui.tool_call import JsonObject
    from tests.exchange.conftest import Known

MESSAGE: JsonObject = {
    "parent": None,
    "role": "user",
    "state": "complete",
    "created_at": 1.0,
    "model": "",
    "thinking": False,
    "finish_reason": "",
    "error": "",
    "usage": None,
    "token_ids": None,
    "parts": [{"type": "text", "text": "Hello"}],
}
CONVERSATION: JsonObject = {
    "title": "Fine",
    "title_origin": "user",
    "system_prompt": "",
    "created_at": 1.0,
    "updated_at": 2.0,
    "is_pinned": False,
    "is_archived": False,
    "tags": [],
    "settings": "",
    "leaf": 1,
    "draft": None,
    "messages": [MESSAGE],
}


def own(conversation: str, head: str = "") -> bytes:
    """Our JSON with a good conversation before the one that is tried."""
    start = head or f'{{"format":"{FORMAT}","version":1,'
    return (
        f'{start}"files":[],"conversations":[{json.dumps(CONVERSATION)},{conversation}]}}'.encode()
    )


def changed(**values: object) -> str:
    return json.dumps({**CONVERSATION, **values})


def with_message(**values: object) -> str:
    return changed(messages=[{**MESSAGE, **values}])


def with_part(**values: object) -> str:
    return with_message(parts=[values])


PICTURE = {
    "type": "attachment",
    "sha256": "aa" * 32,
    "kind": "image",
    "name": "a.png",
    "media_type": "image/png",
    "size_bytes": 1,
    "width": 1,
    "height": 1,
    "sample_count": 0,
    "token_budget": 280,
    "segments": [],
}

REFUSED: dict[str, tuple[bytes, type[ExchangeError], str]] = {
    "empty": (b"", UnknownFormatError, "is no export"),
    "white space": (b" \n ", UnknownFormatError, "is no export"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), UnknownFormatError, "is no export"),
    "another program's": (b'{"name": "package", "version": 3}', UnknownFormatError, "is no export"),
    "another format": (b'{"format": "x"}', UnknownFormatError, "is no export"),
    "newer": (own("{}", f'{{"format":"{FORMAT}","version":2,'), UnknownFormatError, "newer"),
    "version of no kind": (
        own("{}", f'{{"format":"{FORMAT}","version":true,'),
        DamagedExportError,
        "version",
    ),
    "no version": (own(changed(), f'{{"format":"{FORMAT}",'), DamagedExportError, "not expected"),
    "cut off": (own(changed())[:-40], DamagedExportError, "too early"),
    "more behind it": (own(changed()) + b"[]", DamagedExportError, "follows"),
    "not UTF-8": (own(changed()).replace(b"Hello", b"\xff\xfe"), DamagedExportError, "UTF-8"),
    "surrogates as bytes": (
        own(changed()).replace(b"Hello", b"\xed\xa0\x80"),
        DamagedExportError,
        "UTF-8",
    ),
    "NaN": (own(changed(created_at=float("nan"))), DamagedExportError, "NaN"),
    "Infinity": (own(changed(created_at=float("inf"))), DamagedExportError, "Infinity"),
    "1e999": (own(changed().replace("2.0", "1e999")), DamagedExportError, "too large"),
    "a number of 5000 digits": (
        own(changed().replace("2.0", "9" * 5000)),
        DamagedExportError,
        "digits",
    ),
    "a number of 400 digits": (
        own(changed().replace("2.0", "9" * 400)),
        DamagedExportError,
        "too large",
    ),
    "a key twice": (own(changed().replace('"leaf"', '"title"')), DamagedExportError, "twice"),
    "an outer key twice": (
        own(changed(), f'{{"format":"{FORMAT}","format":"x",'),
        DamagedExportError,
        "twice",
    ),
    "too deep": (
        own("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)),
        ExportLimitError,
        "levels deep",
    ),
    "very deep": (own("[" * 100_000), ExportLimitError, "levels deep"),
    "very deep objects": (own('{"a":' * 100_000), ExportLimitError, "levels deep"),
    "no object": (own("7"), DamagedExportError, "no object"),
    "a leaf that is not there": (own(changed(leaf=2)), DamagedExportError, "leaf"),
    "a leaf below zero": (own(changed(leaf=-1)), DamagedExportError, "leaf"),
    "a message that follows itself": (own(with_message(parent=1)), DamagedExportError, "parent"),
    "a role of no kind": (own(with_message(role="system")), DamagedExportError, "role"),
    "a state of no kind": (own(with_message(state="streaming")), DamagedExportError, "state"),
    "a flag that is a number": (own(with_message(thinking=1)), DamagedExportError, "thinking"),
    "usage that is text": (own(with_message(usage="much")), DamagedExportError, "usage"),
    "tokens that are none": (own(with_message(token_ids="AAA")), DamagedExportError, "token_ids"),
    "tokens that are cut off": (
        own(with_message(token_ids="AAAA")),
        DamagedExportError,
        "token_ids",
    ),
    "a part of no kind": (own(with_part(type="video")), DamagedExportError, "video"),
    "a text that is none": (own(with_part(type="text", text=None)), DamagedExportError, "text"),
    "a name as digest": (
        own(with_part(**{**PICTURE, "sha256": "../../x"})),
        DamagedExportError,
        "sha256",
    ),
    "a script as type": (
        own(with_part(**{**PICTURE, "media_type": 'a"><script>'})),
        DamagedExportError,
        "media_type",
    ),
    "a budget of no kind": (
        own(with_part(**{**PICTURE, "token_budget": 281})),
        DamagedExportError,
        "budget",
    ),
    "a size of 2**64": (
        own(with_part(**{**PICTURE, "size_bytes": 2**64})),
        DamagedExportError,
        "size_bytes",
    ),
    "settings that are a list": (own(changed(settings="[1]")), DamagedExportError, "settings"),
    "a tag that is a number": (own(changed(tags=[1])), DamagedExportError, "tag"),
    "data that is none": (
        f'{{"format":"{FORMAT}","version":1,"files":[{{"sha256":"{"aa" * 32}","data":"!"}}]}}'.encode(),
        DamagedExportError,
        "base64",
    ),
    "data of another digest": (
        f'{{"format":"{FORMAT}","version":1,"files":[{{"sha256":"{"aa" * 32}","data":"AAAA"}}],"conversations":[]}}'.encode(),
        DamagedExportError,
        "changed since",
    ),
    "an array of no conversations": (b'["x", 1, null]', DamagedExportError, "no conversation"),
    "ChatGPT, then garbage": (b'[{"mapping":{}}] x', DamagedExportError, "follows"),
    "no database": (b"SQLite format 3\0" + bytes(200), DamagedExportError, "SQLite"),
    "no archive": (b"PK\x03\x04" + bytes(200), DamagedExportError, "archive is broken"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_broken_file_is_refused_and_leaves_nothing(here: Place, case: str) -> None:
    content, error, sentence = REFUSED[case]
    file = here.folder / "file"
    file.write_bytes(content)
    with pytest.raises(error, match=sentence):
        await here.importer.import_file(file)
    assert await here.rows() == 0
    assert here.blob_files == []


async def test_the_file_of_these_tests_is_fine_without_its_faults(here: Place) -> None:
    file = here.folder / "file"
    file.write_bytes(b"\xef\xbb\xbf" + own(with_part(**PICTURE)))
    report = await here.importer.import_file(file)
    assert (report.conversations, report.messages, report.skipped) == (2, 2, 1)
    tree = await here.trees.read(report.ids[1])
    assert tree.messages[0].text == "[a.png: its bytes are not in the file.]"


async def test_bytes_that_are_here_already_need_not_be_in_the_file(here: Place) -> None:
    file = here.folder / "a.png"
    file.write_bytes(b"picture")
    sha256 = (await here.blobs.add_file(file)).sha256
    export = here.folder / "file"
    export.write_bytes(
        own(with_part(**{**PICTURE, "sha256": sha256, "kind": "audio", "width": 999}))
    )
    report = await here.importer.import_file(export)
    (found,) = (await here.trees.read(report.ids[1])).messages[0].attachments
    assert (found.kind, found.width, found.token_budget) == ("image", 7, 280)


@pytest.mark.parametrize("kind", ["missing", "a folder", "a pipe"])
async def test_what_is_no_file_is_refused_at_once(here: Place, kind: str) -> None:
    import os

    path = here.folder / "it"
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    with pytest.raises(ExchangeError):
        await here.importer.import_file(path)


def read_elements(stream: JsonStream) -> list[object]:
    return [stream.value() for _ in stream.elements()]


class Endless:
    """A file that never ends; counts what was read."""

    def __init__(self, start: bytes, pattern: bytes) -> None:
        self._start = start
        self._pattern = pattern
        self.count = 0

    def read(self, size: int, /) -> bytes:
        chunk = (self._start + self._pattern * (size // len(self._pattern) + 1))[:size]
        self._start = b""
        self.count += size
        return chunk


@pytest.mark.parametrize(
    ("start", "pattern"),
    [
        (b'["', b"a"),
        (b'["', b"\\n"),
        (b"[[", b"0,"),
        (b"[[", b"{},"),
        (b'[{"', b"k"),
        (b"[", b"9"),
        (b"[[", b'"a",'),
    ],
)
def test_no_value_is_read_beyond_the_limit(start: bytes, pattern: bytes) -> None:
    limit = 4 << 20
    file = Endless(start, pattern)
    stream = JsonStream(file, "endless.json", max_value_bytes=limit)
    with pytest.raises(ExportLimitError):
        read_elements(stream)
    assert file.count <= 4 * limit


def test_lists_and_objects_of_one_value_are_counted() -> None:
    stream = JsonStream(BytesIO(b"[[" + b"{}," * 1_100_000), "many.json")
    with pytest.raises(ExportLimitError, match="too many lists"):
        read_elements(stream)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_the_stream_reads_what_the_standard_parser_reads(value: object) -> None:
    text = json.dumps([value, value], ensure_ascii=True, indent=1)
    stream = JsonStream(Slow(text.encode()), "slow.json")
    assert read_elements(stream) == [value, value]
    stream.finish()


class Slow:
    """Gives one byte at a time, so that everything is cut everywhere."""

    def __init__(self, content: bytes) -> None:
        self._file = BytesIO(content)

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(1, size))


@settings(max_examples=60)
@given(st.lists(trees(), min_size=1, max_size=2), st.data())
def test_a_file_that_was_damaged_anywhere_is_imported_whole_or_not_at_all(
    known: Known, data: st.DataObject
) -> None:
    async def run(folder: Path) -> None:
        here, there = await Place.open(folder / "here"), await Place.open(folder / "there")
        try:
            await here.fill(known)
            content = bytearray(await here.as_json())
            at = data.draw(st.integers(0, len(content) - 1))
            removed = data.draw(st.integers(0, 3))
            content[at : at + removed] = data.draw(st.sampled_from(DAMAGE) | st.binary(max_size=3))
            file = folder / "damaged.json"
            file.write_bytes(content)
            try:
                report = await there.importer.import_file(file)
            except ExchangeError:
                assert await there.rows() == 0
                assert there.blob_files == []
            else:
                assert await there.rows() == report.conversations
                await there.as_json()
        finally:
            await here.database.close()
            await there.database.close()

    with tempfile.TemporaryDirectory() as name:
        asyncio.run(run(Path(name)))


DAMAGE = [
    b"",
    b'"',
    b"\\",
    b"{",
    b"]",
    b",",
    b"null",
    b"-1",
    b"\\ud800",
    b"\x00",
    b"1e400",
    b"\xff",
]


def zip_of(**members: bytes | tuple[zipfile.ZipInfo, bytes]) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if isinstance(content, tuple):
                archive.writestr(*content)
            else:
                archive.writestr(name, content)
    return target.getvalue()


def named(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename = name
    info.external_attr = mode << 16
    return info


CONVERSATIONS = {"conversations.json": b'[{"mapping":{}}]'}
ARCHIVES: dict[str, tuple[bytes, type[ExchangeError], str]] = {
    "no conversations": (zip_of(readme=b"hello"), UnknownFormatError, "holds no conversations"),
    "a name that leads up": (
        zip_of(**CONVERSATIONS, x=(named("../../.bashrc"), b"x")),
        UnknownFormatError,
        "leads out",
    ),
    "a name that leads up on Windows": (
        zip_of(**CONVERSATIONS, x=(named("a\\..\\..\\x"), b"x")),
        UnknownFormatError,
        "leads out",
    ),
    "an absolute name": (
        zip_of(**CONVERSATIONS, x=(named("/etc/passwd"), b"x")),
        UnknownFormatError,
        "leads out",
    ),
    "a link": (
        zip_of(**CONVERSATIONS, x=(named("file-abcd", stat.S_IFLNK | 0o777), b"/etc/passwd")),
        UnknownFormatError,
        "leads out",
    ),
    "a bomb": (
        zip_of(**{"conversations.json": b"[" + b" " * 20_000_000}),
        ExportLimitError,
        "grows",
    ),
    "cut off": (zip_of(**CONVERSATIONS)[:-30], DamagedExportError, "broken"),
    "a checksum that is wrong": (
        zip_of(**CONVERSATIONS).replace(
            struct.pack("<I", zipfile.ZipFile(BytesIO(zip_of(**CONVERSATIONS))).infolist()[0].CRC),
            b"\1\2\3\4",
        ),
        DamagedExportError,
        "broken",
    ),
    "a directory of 20 MB": (
        b"PK\x03\x04"
        + bytes(20 << 20)
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, 0, 0, 20 << 20, 4, 0),
        ExportLimitError,
        "too many files",
    ),
}


@pytest.mark.parametrize("case", ARCHIVES)
async def test_a_hostile_archive_is_refused_and_leaves_nothing(here: Place, case: str) -> None:
    content, error, sentence = ARCHIVES[case]
    file = here.folder / "export.zip"
    file.write_bytes(content)
    with pytest.raises(error, match=sentence):
        await here.importer.import_file(file)
    assert await here.rows() == 0
    assert here.blob_files == []


async def test_two_lists_of_conversations_of_one_name_are_refused(here: Place) -> None:
    file = here.folder / "export.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("conversations.json", b"[]")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("conversations.json", b"[]")
    with pytest.raises(DamagedExportError, match="twice"):
        await here.importer.import_file(file)


async def test_an_encrypted_archive_is_refused(here: Place) -> None:
    content = bytearray(zip_of(**CONVERSATIONS))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    file = here.folder / "export.zip"
    file.write_bytes(content)
    with pytest.raises(DamagedExportError, match="encrypted"):
        await here.importer.import_file(file)


async def test_a_process_that_dies_while_it_imports_leaves_nothing(
    here: Place, tmp_path: Path
) -> None:
    from gemma_tui.exchange.json_format import from_json

    hidden = await here.trees.insert_hidden(from_json(CONVERSATION))
    assert await here.store.list() == ()
    await here.database.close()  # as far as the next start can tell, it was killed
    again = await Place.open(here.folder)
    try:
        assert await again.rows() == 1
        assert await again.store.purge() == 1
        assert await again.rows() == 0
        assert hidden not in await again.trees.ids()
    finally:
        await again.database.close()


def test_nothing_of_a_conversation_is_forgotten() -> None:
    """A field that is added to the values has to be exported as well."""
    renamed = {"id", "conversation_id", "deleted", "leaf_id", "parent_id"}
    names = {field.name for field in fields(Conversation)} - renamed
    assert names | {"leaf", "draft", "messages"} == set(CONVERSATION)
    names = {field.name for field in fields(Message)} - renamed
    assert names | {"parent"} == set(MESSAGE)
    assert {field.name for field in fields(Attachment)} | {"type"} == set(PICTURE)
    assert len(fields(Usage)) == 6
