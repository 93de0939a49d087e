"""The tree of a conversation: branches beside each other, switched, cut off and brought back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_tui.conversation import Message, MessageState, TextPart
from gemma_tui.errors import StorageError, UsageError
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.rows import insert_message

if TYPE_CHECKING:
    import sqlite3

    from gemma_tui.conversation import Conversation
    from gemma_tui.paths import Paths


class Grown:
    """A conversation whose messages are named; a name stands below what it is added to."""

    def __init__(self, store: ConversationStore, conversation: Conversation) -> None:
        self.store = store
        self.id = conversation.id
        self.ids: dict[str, int] = {}

    async def add(self, name: str, above: str | None = None) -> Message:
        parent_id = self.ids[above] if above else None
        role = "user" if name[0] == "q" else "model"
        made = await self.store.add_message(self.id, parent_id, role, (TextPart(name),))  # type: ignore[arg-type]
        self.ids[name] = made.id
        return made

    async def shown(self, leaf: str | None = None) -> list[str]:
        leaf_id = self.ids[leaf] if leaf else None
        return [m.text for m in await self.store.messages(self.id, leaf_id)]

    async def places(self, leaf: str | None = None) -> dict[str, tuple[list[str], list[str]]]:
        names = {row_id: name for name, row_id in self.ids.items()}
        leaf_id = self.ids[leaf] if leaf else None
        return {
            names[s.message_id]: ([names[i] for i in s.ids], [names[i] for i in s.leaf_ids])
            for s in await self.store.siblings(self.id, leaf_id)
        }


async def grown(store: ConversationStore) -> Grown:
    r"""Two questions at the root; the first has two answers, one of them goes on.

    q1 ── a1 ── q3 ── a3
       \─ a2
    q2 (an edit of q1) ── b1
    """
    tree = Grown(store, await store.create("tree"))
    for name, above in (
        *(("q1", None), ("a1", "q1"), ("q3", "a1"), ("a3", "q3")),
        *(("a2", "q1"), ("q2", None), ("b1", "q2")),
    ):
        await tree.add(name, above)
    return tree


async def test_each_message_of_a_branch_knows_who_stands_beside_it(
    store: ConversationStore,
) -> None:
    tree = await grown(store)
    assert await tree.places() == {"q2": (["q1", "q2"], ["a2", "b1"]), "b1": (["b1"], ["b1"])}
    assert await tree.places("a3") == {
        "q1": (["q1", "q2"], ["a2", "b1"]),
        "a1": (["a1", "a2"], ["a3", "a2"]),
        "q3": (["q3"], ["a3"]),
        "a3": (["a3"], ["a3"]),
    }
    first, second = (await store.siblings(tree.id, tree.ids["a3"]))[:2]
    assert (first.index, first.previous_id, first.next_id) == (0, None, tree.ids["q2"])
    assert (second.index, second.next_id) == (0, tree.ids["a2"])
    (last, _) = await store.siblings(tree.id)
    assert (last.index, last.previous_id, last.next_id) == (1, tree.ids["q1"], None)


async def test_a_branch_that_was_chosen_is_shown_after_a_restart(paths: Paths) -> None:
    database = await Database.open(paths.database)
    tree = await grown(ConversationStore(database))
    conversation = await tree.store.set_leaf(tree.id, tree.ids["a1"])
    assert conversation.leaf_id == tree.ids["a3"]
    await database.close()
    database = await Database.open(paths.database)
    tree.store = ConversationStore(database)
    assert await tree.shown() == ["q1", "a1", "q3", "a3"]
    await tree.store.set_leaf(tree.id, tree.ids["q1"])
    assert await tree.shown() == ["q1", "a2"], "the newest below it"
    await database.close()


async def test_looking_at_a_branch_changes_no_order(store: ConversationStore) -> None:
    tree = await grown(store)
    before = await store.get(tree.id)
    other = await store.create("newer")
    after = await store.set_leaf(tree.id, tree.ids["a3"])
    assert after == replace(before, leaf_id=tree.ids["a3"])
    assert [c.id for c in await store.list()] == [other.id, tree.id]


async def test_an_edited_question_stands_beside_the_first(store: ConversationStore) -> None:
    tree = Grown(store, await store.create("x"))
    await tree.add("q1")
    await tree.add("a1", "q1")
    last = await tree.add("q2", "a1")
    edited, reply = await store.add_turn(tree.id, last.parent_id, (TextPart("edited"),), "")
    assert edited is not None
    (_, _, place, _) = await store.siblings(tree.id)
    assert (place.message_id, place.ids) == (edited.id, (last.id, edited.id))
    assert place.leaf_ids == (last.id, reply.id)
    assert await tree.shown() == ["q1", "a1", "edited", ""]
    first, _ = await store.add_turn(tree.id, None, (TextPart("edited first"),), "")
    assert first is not None
    (place, _) = await store.siblings(tree.id)
    assert place.ids == (tree.ids["q1"], first.id)


async def test_deleting_a_message_takes_what_follows_and_shows_what_is_left(
    store: ConversationStore,
) -> None:
    tree = await grown(store)
    await store.set_leaf(tree.id, tree.ids["a3"])
    await store.delete_message(tree.ids["a1"])
    assert await tree.shown() == ["q1", "a2"]
    assert (await tree.places())["a2"] == (["a2"], ["a2"])
    await store.delete_message(tree.ids["a2"])
    assert await tree.shown() == ["q1"]
    await store.delete_message(tree.ids["q1"])
    assert await tree.shown() == ["q2", "b1"]
    conversation = await store.delete_message(tree.ids["q2"])
    assert conversation.leaf_id is None
    assert (await tree.shown(), await tree.places()) == ([], {})
    assert [c.id for c in await store.list()] == [tree.id], "the conversation stays"


async def test_deleting_what_is_not_shown_changes_nothing_shown(store: ConversationStore) -> None:
    tree = await grown(store)
    await store.delete_message(tree.ids["a1"])
    assert await tree.shown() == ["q2", "b1"]
    assert (await tree.places("a2"))["a2"] == (["a2"], ["a2"])
    with pytest.raises(StorageError, match="The message is not there any more"):
        await store.set_leaf(tree.id, tree.ids["q3"])


async def test_deleting_a_message_can_be_undone(store: ConversationStore) -> None:
    tree = await grown(store)
    await store.set_leaf(tree.id, tree.ids["a3"])
    before = await tree.places()
    await store.delete_message(tree.ids["q3"])
    await store.delete_message(tree.ids["a1"])
    await store.restore_message(tree.ids["a1"])
    assert await tree.shown() == ["q1", "a1"], "what was deleted before stays deleted"
    conversation = await store.restore_message(tree.ids["q3"])
    assert conversation.leaf_id == tree.ids["a3"]
    assert await tree.places() == before


async def test_what_is_below_a_deleted_message_comes_back_with_it(
    store: ConversationStore,
) -> None:
    tree = await grown(store)
    await store.set_leaf(tree.id, tree.ids["a3"])
    await store.delete_message(tree.ids["q3"])
    await store.delete_message(tree.ids["a1"])
    await store.restore_message(tree.ids["q3"])
    assert await tree.shown() == ["q1", "a2"], "there is no place for it"
    await store.restore_message(tree.ids["a1"])
    assert await tree.shown() == ["q1", "a1", "q3", "a3"]


@pytest.mark.parametrize("name", ["q3", "a1"])
async def test_what_is_written_below_a_deleted_message_brings_it_back(
    store: ConversationStore, name: str
) -> None:
    tree = await grown(store)
    await store.delete_message(tree.ids["q3"])
    if name == "a1":
        await store.delete_message(tree.ids["a1"])
    await tree.add("q9", "a3")
    assert await tree.shown() == ["q1", "a1", "q3", "a3", "q9"]
    assert "q3" in await tree.places()


async def test_a_reply_that_goes_on_comes_back(store: ConversationStore) -> None:
    tree = await grown(store)
    _, reply = await store.add_turn(tree.id, tree.ids["q3"], (), "")
    said = replace(reply, parts=(TextPart("half"),), state=MessageState.CANCELLED)
    await store.finish(said)
    await store.delete_message(reply.id)
    await store.resume(reply.id)
    assert (await tree.shown())[-1] == "half"


async def test_what_is_being_written_cannot_be_deleted(store: ConversationStore) -> None:
    tree = await grown(store)
    _, reply = await store.add_turn(tree.id, tree.ids["a3"], (TextPart("q4"),), "")
    for name in ("a1", "q1"):
        with pytest.raises(UsageError, match="being written"):
            await store.delete_message(tree.ids[name])
    await store.delete_message(tree.ids["a2"])
    await store.finish(replace(reply, state=MessageState.CANCELLED))
    await store.delete_message(tree.ids["a1"])
    assert await tree.shown() == ["q1"]


async def test_deleted_messages_are_removed_at_the_next_start(paths: Paths) -> None:
    database = await Database.open(paths.database)
    tree = await grown(ConversationStore(database))
    await tree.store.delete_message(tree.ids["q3"])
    await tree.store.delete_message(tree.ids["a1"])
    assert await tree.store.purge() == 0, "the process that deleted them may still undo that"
    await database.close()
    database = await Database.open(paths.database)
    tree.store = ConversationStore(database)
    assert await tree.store.purge() == 2
    count = "SELECT count(*) FROM message"
    assert await database.read(lambda c: c.execute(count).fetchone()[0]) == 4
    for gone in ("q3", "a1"):
        with pytest.raises(StorageError, match="not there any more"):
            await tree.store.restore_message(tree.ids[gone])
    assert await tree.shown() == ["q2", "b1"]
    await database.close()


async def test_messages_that_are_not_there_are_a_sentence(store: ConversationStore) -> None:
    tree = await grown(store)
    other = await store.create("other")
    for use in (
        store.delete_message(99),
        store.restore_message(99),
        store.restore_message(tree.ids["q1"]),
        store.set_leaf(tree.id, 99),
        store.set_leaf(other.id, tree.ids["q1"]),
    ):
        with pytest.raises(StorageError, match="The message is not there any more"):
            await use
    assert await store.siblings(tree.id, 99) == ()
    assert await store.siblings(other.id) == ()
    assert await store.siblings(other.id, tree.ids["q1"]) == ()


async def test_a_very_long_branch_with_many_siblings(
    database: Database, store: ConversationStore
) -> None:
    tree = Grown(store, await store.create("x"))
    root = await tree.add("q1")

    def lengthen(connection: sqlite3.Connection) -> int:
        above = root.id
        for _ in range(3000):  # deeper than any recursion
            below = replace(root, parent_id=above, parts=())
            for _ in range(2):
                last = insert_message(connection, below, "")
            above = last
        return above

    leaf = await database.write(lengthen)
    assert len(await store.siblings(tree.id, leaf)) == 3001
    assert (await store.set_leaf(tree.id, root.id)).leaf_id == leaf
    assert (await store.delete_message(root.id)).leaf_id is None
    assert (await store.restore_message(root.id)).leaf_id == leaf


def parents_of(choices: list[int]) -> list[int | None]:
    """A tree: the parent of each message is one before it, or none."""
    return [
        None if (above := choice % (i + 1) - 1) < 0 else above for i, choice in enumerate(choices)
    ]


def below(parents: list[int | None], top: int) -> set[int]:
    """A message and all that follow it."""
    found = {top}
    for i, above in enumerate(parents):
        if above in found:
            found.add(i)
    return found


@settings(max_examples=40, deadline=None)
@given(
    choices=st.lists(st.integers(0, 40), min_size=1, max_size=14),
    cuts=st.lists(st.integers(0, 13), max_size=4),
)
def test_any_tree_reads_as_it_was_made(choices: list[int], cuts: list[int]) -> None:
    parents = parents_of(choices)

    async def work() -> None:
        database = await Database.open(None)
        store = ConversationStore(database)
        conversation = await store.create("x")
        ids: list[int] = []
        for above in parents:
            parent_id = None if above is None else ids[above]
            made = await store.add_message(conversation.id, parent_id, "user")
            ids.append(made.id)
        alive, undo = set(range(len(ids))), []
        for cut in cuts:
            if cut in alive:
                await store.delete_message(ids[cut])
                undo.append((cut, alive))
                alive = alive - below(parents, cut)
                await check(store, conversation.id, ids, alive)
        for cut, before in reversed(undo):
            shown = await store.restore_message(ids[cut])
            assert shown.leaf_id == ids[max(below(parents, cut) & before)]
            await check(store, conversation.id, ids, before)
        await database.close()

    async def check(
        store: ConversationStore, conversation_id: int, ids: list[int], alive: set[int]
    ) -> None:
        leaf_id = (await store.get(conversation_id)).leaf_id
        assert (leaf_id is None) == (not alive)
        assert leaf_id is None or leaf_id in {ids[i] for i in alive}
        for i in alive:
            places = await store.siblings(conversation_id, ids[i])
            branch = await store.messages(conversation_id, ids[i])
            assert [p.message_id for p in places] == [m.id for m in branch]
            beside = [j for j in sorted(alive) if parents[j] == parents[i]]
            assert places[-1].ids == tuple(ids[j] for j in beside)
            assert places[-1].leaf_ids == tuple(ids[max(below(parents, j) & alive)] for j in beside)
            assert ids[i] == places[-1].ids[places[-1].index]

    asyncio.run(work())
