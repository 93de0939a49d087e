"""What a conversation is called and filed under."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemma_tui.conversation import TextPart, normalize_tags, tag_key
from gemma_tui.errors import StorageError
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTION = (TextPart("why?"),)


async def titles(store: ConversationStore, *, archived: bool = False) -> list[str]:
    return [c.title for c in await store.list(archived=archived)]


async def test_a_new_conversation_is_filed_under_nothing(store: ConversationStore) -> None:
    made = await store.create("x")
    assert (made.is_pinned, made.is_archived) == (False, False)
    assert (made.tags, made.settings, made.title_origin) == ((), "", "question")


async def test_the_pinned_come_first(store: ConversationStore) -> None:
    first = await store.create("first")
    for title in ("second", "third"):
        await store.create(title)
    assert (await store.pin(first.id)).is_pinned
    assert await titles(store) == ["first", "third", "second"]
    assert not (await store.unpin(first.id)).is_pinned
    assert await titles(store) == ["third", "second", "first"]


async def test_the_archived_are_listed_apart(store: ConversationStore) -> None:
    first, _ = await store.create("first"), await store.create("second")
    assert (await store.archive(first.id)).is_archived
    assert (await titles(store), await titles(store, archived=True)) == (["second"], ["first"])
    assert not (await store.unarchive(first.id)).is_archived
    assert (await titles(store), await titles(store, archived=True)) == (["second", "first"], [])


async def test_a_new_message_brings_an_archived_conversation_back(store: ConversationStore) -> None:
    conversation = await store.archive((await store.create("x")).id)
    await store.add_message(conversation.id, None, "user", QUESTION)
    assert await titles(store) == ["x"]


async def test_a_deleted_conversation_is_in_neither_list(store: ConversationStore) -> None:
    conversation = await store.archive((await store.create("x")).id)
    await store.delete(conversation.id)
    assert await titles(store) + await titles(store, archived=True) == []
    await store.restore(conversation.id)
    assert await titles(store, archived=True) == ["x"]


async def test_tags_are_tidied_and_told_apart_by_their_letters_only(
    store: ConversationStore,
) -> None:
    conversation = await store.create("x")
    tagged = await store.set_tags(conversation.id, ["  Work ", "work", "älter\nals", "", " \t"])
    assert tagged.tags == ("Work", "älter als")
    assert (await store.list())[0].tags == tagged.tags
    assert (await store.set_tags(conversation.id, ["other"])).tags == ("other",)
    assert (await store.set_tags(conversation.id, ())).tags == ()


async def test_tags_in_use_are_counted(store: ConversationStore) -> None:
    one, two, gone = [await store.create(name) for name in "123"]
    await store.set_tags(one.id, ["b", "a"])
    await store.set_tags(two.id, ["B"])
    await store.set_tags(gone.id, ["never"])
    await store.delete(gone.id)
    assert await store.tags() == {"a": 1, "b": 2}
    assert list(await store.tags()) == ["a", "b"]


async def test_tags_go_with_their_conversation(
    database: Database, store: ConversationStore
) -> None:
    conversation = await store.create("x")
    await store.set_tags(conversation.id, ["a"])
    await database.write(lambda c: c.execute("DELETE FROM conversation"))
    assert await database.read(lambda c: c.execute("SELECT * FROM tag").fetchall()) == []


@settings(max_examples=200)
@given(names=st.lists(st.text(max_size=12), max_size=6))
def test_tags_that_are_normal_stay_as_they_are(names: list[str]) -> None:
    found = normalize_tags(names)
    keys = [tag_key(name) for name in found]
    assert normalize_tags(found) == found
    assert keys == sorted(set(keys))
    assert set(keys) == {tag_key(name) for name in names} - {""}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(), max_size=5), values=st.text(), title=st.text(min_size=1))
def test_labels_come_back_after_a_restart(
    tmp_path: Path, names: list[str], values: str, title: str
) -> None:
    file = Path(tempfile.mkdtemp(dir=tmp_path)) / "conversations.db"

    async def work() -> None:
        database = await Database.open(file)
        store = ConversationStore(database)
        conversation = await store.create("")
        for change in (store.pin, store.archive):
            await change(conversation.id)
        await store.rename(conversation.id, title)
        await store.set_settings(conversation.id, values)
        written = await store.set_tags(conversation.id, names)
        await database.close()
        database = await Database.open(file)
        (read,) = await ConversationStore(database).list(archived=True)
        await database.close()
        assert read == written
        assert read.tags == normalize_tags(names)
        assert (read.title, read.settings, read.title_origin) == (title, values, "user")
        assert read.is_pinned

    asyncio.run(work())


async def test_the_model_never_overwrites_the_users_title(store: ConversationStore) -> None:
    conversation = await store.create("")
    await store.add_turn(conversation.id, None, QUESTION, "why?")
    assert (await store.get(conversation.id)).title_origin == "question"
    suggested = await store.suggest_title(conversation.id, "Reasons")
    assert (suggested.title, suggested.title_origin) == ("Reasons", "model")
    assert (await store.suggest_title(conversation.id, "Causes")).title == "Causes"
    assert (await store.suggest_title(conversation.id, "")).title == "Causes"
    renamed = await store.rename(conversation.id, "Mine")
    assert (renamed.title, renamed.title_origin) == ("Mine", "user")
    assert await store.suggest_title(conversation.id, "Reasons") == renamed


async def test_an_emptied_title_is_given_again(store: ConversationStore) -> None:
    conversation = await store.create("first")
    await store.rename(conversation.id, "Mine")
    assert (await store.rename(conversation.id, "")).title_origin == "question"
    await store.add_turn(conversation.id, None, QUESTION, "why?")
    given_again = await store.get(conversation.id)
    assert (given_again.title, given_again.title_origin) == ("why?", "question")


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.pin(99),
        lambda store: store.unarchive(99),
        lambda store: store.set_tags(99, ["x"]),
        lambda store: store.set_settings(99, "{}"),
        lambda store: store.suggest_title(99, "x"),
    ],
)
async def test_a_conversation_that_is_gone_is_a_sentence(
    store: ConversationStore, use: Callable[[ConversationStore], object]
) -> None:
    with pytest.raises(StorageError, match="Conversation 99 is not there any more"):
        await use(store)  # type: ignore[misc]
