"""Our own JSON: what was exported and imported is exported again, byte for byte."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Conversation,
    Draft,
    Message,
    MessageState,
    TextPart,
)
from gemma_tui.errors import ExchangeError
from gemma_tui.storage.trees import Tree
from tests.exchange.conftest import Place
from tests.exchange.strategies import trees

if TYPE_CHECKING:
    from tests.exchange.conftest import Known


@settings(max_examples=25)
@given(st.lists(trees(), max_size=4))
def test_export_import_export_is_identical(known: Known) -> None:
    async def run(folder: Path) -> None:
        here = await Place.open(folder / "here")
        there = await Place.open(folder / "there")
        try:
            await here.fill(known)
            await there.store.create("makes the rows' numbers differ")
            first = await here.as_json()
            file = folder / "export.json"
            file.write_bytes(first)
            report = await there.importer.import_file(file)
            assert report.conversations == len(known)
            assert not report.skipped
            pieces = there.exporter.pieces(report.ids, "json")
            assert b"".join([piece async for piece in pieces]) == first
            json.loads(first)  # any parser reads it
        finally:
            await here.database.close()
            await there.database.close()

    with tempfile.TemporaryDirectory() as name:
        asyncio.run(run(Path(name)))


async def test_what_is_imported_is_what_was_there(here: Place, there: Place) -> None:
    conversation = await here.store.create("Birds", "Be brief.")
    picture = here.folder / "robin.png"
    picture.write_bytes(b"picture of a robin")
    blob = await here.blobs.add_file(picture)
    robin = Attachment(blob.sha256, "image", "robin.png", "image/png", 18, 18, 2, 0, 560)
    question = await here.store.add_message(
        conversation.id, None, "user", (AttachmentPart(robin), TextPart("What is it?"))
    )
    await here.store.add_message(conversation.id, question.id, "model", (TextPart("A wren."),))
    await here.store.add_message(conversation.id, question.id, "model", (TextPart("A robin."),))
    await here.store.save_draft(conversation.id, Draft("And this?", (robin,)))
    file = here.folder / "export.json"
    assert await here.exporter.export_conversation(conversation.id, "json", file) == file

    report = await there.importer.import_file(file)

    (new,) = await there.store.list()
    assert (new.title, new.system_prompt) == ("Birds", "Be brief.")
    assert (new.created_at, new.updated_at) != (0, 0)
    shown = await there.store.messages(new.id)
    assert [message.text for message in shown] == ["What is it?", "A robin."]
    assert shown[0].attachments == (robin,)
    assert there.blobs.path_of(robin.sha256).read_bytes() == b"picture of a robin"
    assert await there.store.load_draft(new.id) == Draft("And this?", (robin,))
    assert len((await there.trees.read(new.id)).messages) == 3
    assert (report.conversations, report.messages, report.attachments) == (1, 3, 1)


async def test_a_reply_that_is_being_written_is_exported_as_interrupted(
    here: Place, there: Place
) -> None:
    conversation = await here.store.create("")
    _, reply = await here.store.add_turn(conversation.id, None, (TextPart("Go"),), "Go")
    await here.store.update_streaming(reply.id, (TextPart("Once upon"),), (5, 6))
    first = await here.as_json()
    file = here.folder / "export.json"
    file.write_bytes(first)
    await there.importer.import_file(file)
    last = (await there.store.messages((await there.store.list())[0].id))[-1]
    assert (last.state, last.text, last.token_ids) == (
        MessageState.INTERRUPTED,
        "Once upon",
        (5, 6),
    )
    assert await there.as_json() == first


async def test_what_was_deleted_is_not_exported(here: Place, there: Place) -> None:
    conversation = await here.store.create("Birds")
    question = await here.store.add_message(conversation.id, None, "user", (TextPart("Which?"),))
    wren = (TextPart("A wren."),)
    gone = await here.store.add_message(conversation.id, question.id, "model", wren)
    await here.store.add_message(conversation.id, question.id, "model", (TextPart("A robin."),))
    await here.store.delete_message(gone.id)
    await here.store.delete((await here.store.create("Gone")).id)
    file = here.folder / "export.json"
    file.write_bytes(await here.as_json())
    (row_id,) = (await there.importer.import_file(file)).ids
    texts = [message.text for message in (await there.trees.read(row_id)).messages]
    assert texts == ["Which?", "A robin."]


async def test_what_is_imported_is_found_and_what_is_refused_is_not(
    here: Place, there: Place
) -> None:
    conversation = await here.store.create("Birds")
    await here.store.add_message(conversation.id, None, "user", (TextPart("A goldcrest?"),))
    content = await here.as_json()
    file = here.folder / "export.json"
    file.write_bytes(content[:-5])
    with pytest.raises(ExchangeError):
        await there.importer.import_file(file)
    assert (await there.store.search("goldcrest")).hits == ()
    file.write_bytes(content)
    await there.importer.import_file(file)
    (hit,) = (await there.store.search("goldcrest")).hits
    assert hit.conversation.title == "Birds"
    check = "INSERT INTO search (search) VALUES ('integrity-check')"
    await there.database.write(lambda c: c.execute(check))  # raises if the index is not true


async def test_a_large_attachment_is_written_and_read_in_pieces(here: Place, there: Place) -> None:
    content = b"picture" + bytes(range(256)) * 12_000  # 3 MB: four pieces
    file = here.folder / "large.png"
    file.write_bytes(content)
    blob = await here.blobs.add_file(file)
    large = Attachment(
        blob.sha256, "image", "large.png", "image/png", len(content), len(content), 2
    )
    conversation = await here.store.create("Large")
    await here.store.add_message(conversation.id, None, "user", (AttachmentPart(large),))
    export = here.folder / "export.json"
    await here.exporter.export_conversation(conversation.id, "json", export)
    assert len(json.loads(export.read_bytes())["files"]) == 4
    await there.importer.import_file(export)
    assert there.blobs.path_of(blob.sha256).read_bytes() == content


async def create(place: Place, title: str, at: float) -> None:
    conversation = await place.store.create(title)
    place_in_time = (at, conversation.id)
    await place.database.write(
        lambda c: c.execute("UPDATE conversation SET updated_at = ? WHERE id = ?", place_in_time)
    )


async def test_imported_conversations_take_their_place_by_time(here: Place, there: Place) -> None:
    for title, at in (("old", 15.0), ("new", 25.0)):
        await create(here, title, at)
    for title, at in (("first", 10.0), ("second", 20.0), ("third", 30.0)):
        await create(there, title, at)
    file = here.folder / "export.json"
    file.write_bytes(await here.as_json())
    await there.importer.import_file(file)
    titles = [conversation.title for conversation in await there.store.list()]
    assert titles == ["third", "new", "second", "old", "first"]


async def test_a_file_is_never_replaced_unless_told_so(here: Place) -> None:
    conversation = await here.store.create("Birds")
    file = here.folder / "notes.json"
    file.write_text("mine")
    with pytest.raises(ExchangeError, match="is there already"):
        await here.exporter.export_conversation(conversation.id, "json", file)
    assert file.read_text() == "mine"
    await here.exporter.export_conversation(conversation.id, "json", file, overwrite=True)
    assert json.loads(file.read_text())["format"] == "gemma-tui conversations"
    assert {path.name for path in here.folder.iterdir()} >= {"notes.json"}
    assert not list(here.folder.glob(".*part*"))


async def test_only_settings_that_are_known_and_in_bounds_come_in(
    here: Place, there: Place
) -> None:
    conversation = await here.store.create("Birds")
    stored = {
        "thinking": True,
        "model": "/elsewhere/model",  # a name, which the app does not load: see test_models
        "temperature": 1e9,
        "max_tokens": "many",
        "theme": "gemma-light",
        "known_models": ["/elsewhere"],
        "run_at_start": "command",
    }
    await here.store.set_settings(conversation.id, json.dumps(stored))
    file = here.folder / "export.json"
    await here.exporter.export_conversation(conversation.id, "json", file)

    report = await there.importer.import_file(file)

    (new,) = await there.store.list()
    assert json.loads(new.settings) == {"thinking": True, "model": "/elsewhere/model"}
    (sentence,) = report.sentences
    assert sentence.startswith("Settings of “Birds” that are unknown or out of bounds: ")
    for name in ("temperature", "max_tokens", "theme", "known_models", "run_at_start"):
        assert f"“{name}”" in sentence
    assert "“thinking”" not in sentence
    assert (report.conversations, report.skipped) == (1, 1)


async def test_no_file_chooses_a_server(here: Place, there: Place) -> None:
    conversation = await here.store.create("Birds")
    stored = {"thinking": True, "model": "server:studio"}
    await here.store.set_settings(conversation.id, json.dumps(stored))
    file = here.folder / "export.json"
    await here.exporter.export_conversation(conversation.id, "json", file)

    report = await there.importer.import_file(file)

    (new,) = await there.store.list()
    assert json.loads(new.settings) == {"thinking": True}
    assert report.sentences == ["“Birds” was answered by a server, which is not chosen again."]


async def test_settings_of_which_none_is_known_leave_nothing(here: Place, there: Place) -> None:
    conversation = await here.store.create("Birds")
    names = {f"key {number}": number for number in range(30)}
    await here.store.set_settings(conversation.id, json.dumps(names))
    file = here.folder / "export.json"
    await here.exporter.export_conversation(conversation.id, "json", file)
    report = await there.importer.import_file(file)
    assert [known.settings for known in await there.store.list()] == [""]
    assert report.sentences[0].endswith("“key 9” and 20 more.")


async def filled(place: Place) -> tuple[int, Path]:
    """A conversation with a branch, and the file it was exported to."""
    conversation = await place.store.create("Birds")
    question = await place.store.add_message(conversation.id, None, "user", (TextPart("Who?"),))
    await place.store.add_message(conversation.id, question.id, "model", (TextPart("A wren."),))
    file = place.folder / "export.json"
    await place.exporter.export_conversation(conversation.id, "json", file)
    return conversation.id, file


async def test_what_is_here_already_is_not_copied(here: Place, there: Place) -> None:
    conversation_id, file = await filled(here)
    for place, count in ((here, 0), (there, 1), (there, 0)):
        report = await place.importer.import_file(file)
        assert (report.conversations, report.present, report.skipped) == (
            count,
            1 - count,
            1 - count,
        )
    assert report.sentences == ["“Birds” is here already."]
    (found,) = await here.store.list()
    last = (await here.store.messages(found.id))[-1]
    await here.store.add_message(conversation_id, last.id, "user", (TextPart("And now?"),))
    await here.store.rename(conversation_id, "Wrens")
    assert (await here.importer.import_file(file)).present == 1  # it went on here
    assert (await here.importer.import_file(file, copies=True)).conversations == 1
    assert sorted(known.title for known in await here.store.list()) == ["Birds", "Wrens"]


async def test_what_went_on_elsewhere_is_imported(here: Place, there: Place) -> None:
    conversation_id, file = await filled(here)
    await there.importer.import_file(file)
    last = (await here.store.messages(conversation_id))[-1]
    await here.store.save_draft(conversation_id, Draft("And"))
    file.unlink()
    await here.exporter.export_conversation(conversation_id, "json", file)
    assert (await there.importer.import_file(file)).conversations == 1  # for what waits in it
    await here.store.add_message(conversation_id, last.id, "user", (TextPart("And now?"),))
    file.unlink()
    await here.exporter.export_conversation(conversation_id, "json", file)
    assert (await there.importer.import_file(file)).conversations == 1
    assert (await there.importer.import_file(file)).present == 1


async def test_many_that_began_at_once_are_told_apart(here: Place, there: Place) -> None:
    known: Known = []
    for number in range(20):
        message = Message(1, 0, None, "user", (TextPart(f"{number}?"),), MessageState.COMPLETE, 0.0)
        conversation = Conversation(0, f"{number}", 0.0, 0.0, leaf_id=1)
        known.append((Tree(conversation, (message,), Draft()), {}))
    await here.fill(known)
    await there.fill(known[:12])
    file = here.folder / "export.json"
    file.write_bytes(await here.as_json())
    report = await there.importer.import_file(file)
    assert (report.conversations, report.present) == (8, 12)
    assert len(await there.trees.ids()) == 20


async def test_what_was_deleted_here_is_imported_again(here: Place) -> None:
    conversation_id, file = await filled(here)
    await here.store.delete(conversation_id)
    assert (await here.importer.import_file(file)).conversations == 1
