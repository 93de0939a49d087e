"""Conversations as the app sees them, on a real file."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Draft,
    Message,
    MessageState,
    Part,
    Segment,
    TextPart,
    ThoughtPart,
    Usage,
)
from gemma_tui.errors import StorageError
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.rows import insert_message
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.paths import Paths
    from gemma_tui.tool_call import JsonValue

PICTURE = Attachment("aa" * 32, "image", "a.png", "image/png", 10, 4, 3, 0, 280)
SOUND = Attachment(
    *("bb" * 32, "audio", "b.wav", "audio/wav", 20, 0, 0, 16_000),
    segments=(Segment("audio", 0, 9_600), Segment("audio", 9_600, 6_400, label="00:00")),
)


def attachments() -> st.SearchStrategy[Attachment]:
    def build(sha256: str, name: str, budget: int) -> Attachment:
        # What is true of the bytes follows from the bytes: here, from their first digit.
        if sha256[0] in "01234567":
            number = int(sha256[0]) + 1
            return Attachment(sha256, "image", name, "image/png", 9, number, 2, 0, budget)
        if sha256[0] in "89ab":
            return Attachment(sha256, "text", name, "text/plain", 9)
        return Attachment(sha256, "audio", name, "audio/wav", 9, 0, 0, 320)

    digits = st.text("0123456789abcdef", min_size=64, max_size=64)
    return st.builds(build, digits, st.text(), st.sampled_from([70, 280, 1120]))


def json_values() -> st.SearchStrategy[JsonValue]:
    leaf = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    return st.recursive(leaf, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=5)


def parts() -> st.SearchStrategy[Part]:
    return st.one_of(
        st.builds(ToolCall, st.text(), st.dictionaries(st.text(), json_values(), max_size=3)),
        st.builds(MalformedToolCall, st.text(), st.text()),
        st.builds(ToolResult, st.text(), json_values()),
        st.builds(TextPart, st.text()),
        st.builds(ThoughtPart, st.text()),
        st.builds(AttachmentPart, attachments()),
    )


async def chain(store: ConversationStore, count: int) -> tuple[int, list[Message]]:
    """A conversation of `count` messages in one branch."""
    conversation = await store.create("chain")
    made: list[Message] = []
    for number in range(count):
        above = made[-1].id if made else None
        role = "model" if number % 2 else "user"
        text = TextPart(f"message {number}")
        made.append(await store.add_message(conversation.id, above, role, (text,)))  # type: ignore[arg-type]
    return conversation.id, made


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.lists(parts(), max_size=6), title=st.text(), system=st.text())
def test_what_is_stored_comes_back_after_a_restart(
    paths: Paths, content: list[Part], title: str, system: str
) -> None:
    async def write() -> tuple[int, Message]:
        database = await Database.open(paths.database)
        store = ConversationStore(database)
        conversation = await store.create(title, system)
        message = await store.add_message(conversation.id, None, "user", content)
        await database.close()
        return conversation.id, message

    async def read(conversation_id: int) -> tuple[str, str, tuple[Message, ...]]:
        database = await Database.open(paths.database)
        store = ConversationStore(database)
        conversation = await store.get(conversation_id)
        messages = await store.messages(conversation_id)
        await database.close()
        return conversation.title, conversation.system_prompt, messages

    conversation_id, written = asyncio.run(write())
    assert written.parts == tuple(content)
    assert asyncio.run(read(conversation_id)) == (title, system, (written,))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(), items=st.lists(attachments(), max_size=4), new=st.booleans())
def test_a_draft_comes_back_after_a_restart(
    tmp_path: Path, text: str, items: list[Attachment], new: bool
) -> None:
    draft = Draft(text, tuple(items))
    # A folder for each example: an empty draft would take over what an earlier example left.
    file = Path(tempfile.mkdtemp(dir=tmp_path)) / "conversations.db"

    async def work() -> Draft:
        database = await Database.open(file)
        store = ConversationStore(database)
        place = None if new else (await store.create("x")).id
        await store.save_draft(place, draft)
        await database.close()
        database = await Database.open(file)
        found = await ConversationStore(database).load_draft(place)
        await database.close()
        return found

    assert asyncio.run(work()) == draft


async def test_drafts_of_different_places_do_not_mix(store: ConversationStore) -> None:
    first, second = await store.create("1"), await store.create("2")
    await store.save_draft(None, Draft("new", (PICTURE,)))
    await store.save_draft(first.id, Draft("first", (SOUND, PICTURE)))
    assert await store.load_draft(None) == Draft("new", (PICTURE,))
    assert await store.load_draft(first.id) == Draft("first", (SOUND, PICTURE))
    assert await store.load_draft(second.id) == Draft()
    await store.save_draft(None, Draft())
    assert await store.load_draft(None) == Draft()
    assert await store.load_draft(first.id) == Draft("first", (SOUND, PICTURE))


async def test_windows_do_not_write_over_each_others_new_draft(paths: Paths) -> None:
    first, second = [await Database.open(paths.database) for _ in range(2)]
    one, two = ConversationStore(first), ConversationStore(second)
    await one.save_draft(None, Draft("one", (PICTURE,)))
    assert await two.load_draft(None) == Draft(), "its window is still open"
    await two.save_draft(None, Draft("two"))
    assert await one.load_draft(None) == Draft("one", (PICTURE,))
    await first.close()
    await second.close()

    database = await Database.open(paths.database)
    later = ConversationStore(database)
    assert await later.load_draft(None) == Draft("two")
    await later.save_draft(None, Draft())
    assert await later.load_draft(None) == Draft("one", (PICTURE,)), "the next one that is left"
    await later.save_draft(None, Draft())
    assert await later.load_draft(None) == Draft()
    await database.close()


async def test_a_name_that_is_not_unicode_is_kept_readable(store: ConversationStore) -> None:
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    await store.save_draft(None, Draft("", (replace(PICTURE, name=name),)))
    (item,) = (await store.load_draft(None)).attachments
    assert item.name == "caf\ufffd.png"


async def test_the_conversation_changed_last_comes_first_whatever_the_clock_says(
    database: Database,
) -> None:
    times = iter([300.0, 200.0, 100.0, 50.0, 40.0])
    store = ConversationStore(database, clock=lambda: next(times))
    first, second = await store.create("first"), await store.create("second")
    third = await store.create("third")
    assert [c.id for c in await store.list()] == [third.id, second.id, first.id]
    await store.add_message(first.id, None, "user", (TextPart("again"),))
    assert [c.id for c in await store.list()] == [first.id, third.id, second.id]
    renamed = await store.rename(second.id, "other")
    assert renamed.title == "other"
    assert [c.id for c in await store.list()] == [first.id, third.id, second.id]


async def test_branches_share_their_trunk(store: ConversationStore) -> None:
    conversation_id, (question, answer) = await chain(store, 2)
    again = await store.add_message(conversation_id, question.id, "model", (TextPart("other"),))
    follow_up = await store.add_message(conversation_id, answer.id, "user", (TextPart("and?"),))
    branch = await store.messages(conversation_id, again.id)
    assert [m.id for m in branch] == [question.id, again.id]
    assert [m.id for m in await store.messages(conversation_id)] == [
        *(question.id, answer.id, follow_up.id)
    ]
    assert (await store.get(conversation_id)).leaf_id == follow_up.id


async def test_a_message_cannot_hang_below_another_conversation(store: ConversationStore) -> None:
    conversation_id, (message,) = await chain(store, 1)
    other = await store.create("other")

    with pytest.raises(sqlite3.IntegrityError):
        await store.add_message(other.id, message.id, "user", (TextPart("?"),))
    assert await store.messages(other.id) == ()
    assert await store.messages(other.id, message.id) == ()
    assert len(await store.messages(conversation_id)) == 1


async def test_a_turn_is_stored_whole_and_names_the_conversation(store: ConversationStore) -> None:
    conversation = await store.create("")
    await store.save_draft(conversation.id, Draft("why?", (PICTURE,)))
    parts = (AttachmentPart(PICTURE), TextPart("why?"))
    question, reply = await store.add_turn(conversation.id, None, parts, "why?")
    assert question is not None
    assert (question.parts, question.state) == (parts, MessageState.COMPLETE)
    assert (reply.parent_id, reply.role, reply.state) == (
        *(question.id, "model"),
        MessageState.STREAMING,
    )
    assert (await store.get(conversation.id)).title == "why?"
    assert await store.load_draft(conversation.id) == Draft()
    _, again = await store.add_turn(conversation.id, question.id, (), "never a title")
    assert again.parent_id == question.id
    assert (await store.get(conversation.id)).title == "why?"


async def test_finishing_stores_every_value(store: ConversationStore) -> None:
    conversation = await store.create("x")
    _, reply = await store.add_turn(conversation.id, None, (TextPart("q"),), "")
    await store.update_streaming(reply.id, (ThoughtPart("hm"), TextPart("so f")))
    (_, streaming) = await store.messages(conversation.id)
    assert (streaming.thought, streaming.text) == ("hm", "so f")
    last = replace(
        reply,
        parts=(TextPart("so far"),),
        state=MessageState.FAILED,
        model="Gemma",
        finish_reason="error",
        usage=Usage(1, 2, 3, 0.5, 0.25, 7),
        error="It broke.",
    )
    assert await store.finish(last) == last
    assert (await store.messages(conversation.id))[1] == last


async def test_a_flush_that_comes_late_changes_nothing(store: ConversationStore) -> None:
    conversation = await store.create("x")
    _, reply = await store.add_turn(conversation.id, None, (TextPart("q"),), "")
    last = replace(reply, parts=(TextPart("all"),), state=MessageState.COMPLETE)
    await store.finish(last)
    await store.update_streaming(reply.id, (TextPart("al"),), (1, 2))
    assert (await store.messages(conversation.id))[1] == last


async def test_deleting_can_be_undone_until_the_next_start(
    paths: Paths, store: ConversationStore, database: Database
) -> None:
    conversation_id, messages = await chain(store, 3)
    kept = await store.create("kept")
    await store.save_draft(conversation_id, Draft("unsent", (PICTURE,)))
    assert (await store.delete(conversation_id)).deleted
    assert [c.id for c in await store.list()] == [kept.id]
    assert await store.purge() == 0, "the process that deleted it may still undo that"
    assert not (await store.restore(conversation_id)).deleted
    assert await store.messages(conversation_id) == tuple(messages)
    assert await store.load_draft(conversation_id) == Draft("unsent", (PICTURE,))

    await store.delete(conversation_id)
    await database.close()
    later = await Database.open(paths.database)
    assert await ConversationStore(later).purge() == 1
    assert await ConversationStore(later).used_blobs() == frozenset()
    with pytest.raises(StorageError, match="not there any more"):
        await ConversationStore(later).get(conversation_id)
    await later.close()


async def test_what_another_window_writes_is_not_purged(paths: Paths) -> None:
    first, second = [await Database.open(paths.database) for _ in range(2)]
    one, two = ConversationStore(first), ConversationStore(second)
    streaming, talking = await one.create("streaming"), await one.create("talking")
    _, reply = await two.add_turn(streaming.id, None, (TextPart("q"),), "")
    for conversation in (streaming, talking):
        await one.delete(conversation.id)
    await two.add_message(talking.id, None, "user", (TextPart("still here"),))
    await first.close()
    assert await two.purge() == 0, "one is being written, the other came back"
    assert [c.id for c in await two.list()] == [talking.id]
    await two.finish(replace(reply, state=MessageState.COMPLETE))
    assert await two.purge() == 1
    await second.close()


async def test_what_was_purged_is_not_readable_in_the_file(paths: Paths) -> None:
    first = await Database.open(paths.database)
    store = ConversationStore(first)
    conversation = await store.create("x")
    secret = "the cat sat on the secret mat" * 20
    await store.add_message(conversation.id, None, "user", (TextPart(secret),))
    await store.delete(conversation.id)
    await first.close()
    assert b"secret mat" in paths.database.read_bytes()
    later = await Database.open(paths.database)
    await ConversationStore(later).purge()
    await later.close()
    assert b"secret mat" not in paths.database.read_bytes()


async def test_a_very_long_branch_can_be_read_and_removed(paths: Paths) -> None:
    database = await Database.open(paths.database)
    store = ConversationStore(database)
    conversation_id, (root,) = await chain(store, 1)

    def lengthen(connection: sqlite3.Connection) -> int:
        above = root.id
        for number in range(1500):  # deeper than the 1000 levels SQLite lets a deletion cascade
            message = replace(root, parent_id=above, parts=(TextPart(str(number)),))
            above = insert_message(connection, message, "")
        return above

    leaf = await database.write(lengthen)
    messages = await store.messages(conversation_id, leaf)
    assert [m.text for m in messages] == ["message 0", *map(str, range(1500))]
    await store.delete(conversation_id)
    await database.close()
    later = await Database.open(paths.database)
    assert await ConversationStore(later).purge() == 1
    await later.close()


async def test_used_blobs_are_those_of_messages_and_drafts(store: ConversationStore) -> None:
    conversation = await store.create("x")
    await store.add_message(conversation.id, None, "user", (AttachmentPart(PICTURE),))
    await store.save_draft(None, Draft("", (SOUND,)))
    assert await store.used_blobs() == {PICTURE.sha256, SOUND.sha256}
    await store.save_draft(None, Draft())
    await store.purge()
    assert await store.used_blobs() == {PICTURE.sha256}


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.get(99),
        lambda store: store.messages(99),
        lambda store: store.rename(99, "x"),
        lambda store: store.delete(99),
        lambda store: store.save_draft(99, Draft("x")),
        lambda store: store.add_message(99, None, "user"),
        lambda store: store.add_turn(99, None, (TextPart("x"),), ""),
    ],
)
async def test_a_conversation_that_is_gone_is_a_sentence(
    store: ConversationStore, use: Callable[[ConversationStore], object]
) -> None:
    with pytest.raises(StorageError, match="Conversation 99 is not there any more"):
        await use(store)  # type: ignore[misc]
