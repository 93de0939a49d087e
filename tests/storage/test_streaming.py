"""Text on its way into the database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Message, MessageState, Part, TextPart, ThoughtPart
from gemma_tui.errors import DiskFullError
from gemma_tui.generation import TextDelta, ThoughtDelta
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.streaming import StreamingReply
from gemma_tui.tool_call import MalformedToolCall, ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.storage.database import Database


class FullDisk(ConversationStore):
    """A store whose disk is full for the first writes."""

    def __init__(self, database: Database, failures: int) -> None:
        super().__init__(database)
        self.failures = failures
        self.tries = 0

    async def update_streaming(
        self, message_id: int, parts: Sequence[Part], token_ids: Sequence[int] = ()
    ) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise DiskFullError("There is no space left.")
        await super().update_streaming(message_id, parts, token_ids)


async def begun(store: ConversationStore) -> Message:
    conversation = await store.create("x")
    _, reply = await store.add_turn(conversation.id, None, (TextPart("q"),), "")
    return reply


async def until_stored(store: ConversationStore, reply: Message, text: str) -> None:
    async with asyncio.timeout(20):
        while (await store.messages(reply.conversation_id))[-1].text != text:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_text_is_stored_although_nothing_follows(store: ConversationStore) -> None:
    reply = await begun(store)
    async with StreamingReply(store, reply) as row:
        row.add(TextPart("one"))
        await until_stored(store, reply, "one")
        row.add(TextPart(" two"))
        await until_stored(store, reply, "one two")


async def test_parts_keep_the_order_in_which_they_came(store: ConversationStore) -> None:
    reply = await begun(store)
    async with StreamingReply(store, reply) as row:
        for piece in (ThoughtPart("a"), ThoughtPart("b"), TextPart(""), TextPart("c")):
            row.add(piece)
        row.add(ThoughtPart("d"))
        row.add(TextPart("e"))
    parts = (ThoughtPart("ab"), TextPart("c"), ThoughtPart("d"), TextPart("e"))
    assert row.parts == parts
    done = await row.finish(replace(reply, state=MessageState.COMPLETE))
    assert (done.parts, done.state) == (parts, MessageState.COMPLETE)
    assert (await store.messages(reply.conversation_id))[-1] == done


async def test_tool_calls_are_stored_where_they_came(store: ConversationStore) -> None:
    reply = await begun(store)
    call = ToolCall("look_up", {"word": "Täg", "deep": [1, {"x": None}]})
    broken = MalformedToolCall("call:look_up{", "it does not end")
    async with StreamingReply(store, reply) as row:
        assert row.keep(ThoughtDelta("hm", (1,)))
        assert row.keep(call)
        assert row.keep(call)
        assert row.keep(broken)
        assert row.keep(TextDelta("so ", 3, (2,)))
        assert row.keep(TextDelta("far", 4, (3,)))
        done = await row.finish(replace(reply, state=MessageState.CANCELLED))
    assert done.parts == (ThoughtPart("hm"), call, call, broken, TextPart("so far"))
    assert (await store.messages(reply.conversation_id))[-1] == done
    assert not done.is_cut_off, "it goes on with the results of its calls"
    assert (done.text, done.token_ids) == ("so far", ())


async def test_a_disk_that_is_full_for_a_while_costs_nothing(database: Database) -> None:
    store = FullDisk(database, failures=3)
    reply = await begun(store)
    async with StreamingReply(store, reply) as row:
        row.add(TextPart("kept"))
        await until_stored(store, reply, "kept")
    assert store.tries == 4


async def test_many_pieces_make_few_writes(database: Database) -> None:
    store = FullDisk(database, failures=0)
    reply = await begun(store)
    async with StreamingReply(store, reply) as row:
        for _ in range(2000):
            row.add(TextPart("word "))
        await until_stored(store, reply, "word " * 2000)
    assert store.tries <= 2


async def test_a_disk_that_stays_full_is_told_at_the_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FullDisk(database, failures=10**9)
    reply = await begun(store)

    async def full(_message: Message) -> Message:
        raise DiskFullError("There is no space left.")

    monkeypatch.setattr(store, "finish", full)
    async with StreamingReply(store, reply) as row:
        row.add(TextPart("lost on disk, not in memory"))
        with pytest.raises(DiskFullError):
            await row.finish(reply)
    assert row.parts == (TextPart("lost on disk, not in memory"),)


async def test_a_fault_in_the_background_is_not_hidden(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = await begun(store)
    broken = asyncio.Event()

    async def faulty(_message_id: int, _parts: Sequence[Part], _ids: Sequence[int]) -> None:
        broken.set()
        raise ZeroDivisionError

    monkeypatch.setattr(store, "update_streaming", faulty)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with StreamingReply(store, reply) as row:
            row.add(TextPart("kept"))
            await broken.wait()
            done = await row.finish(replace(reply, state=MessageState.COMPLETE))
    assert done.text == "kept"


async def test_tokens_are_stored_with_the_text_they_say(store: ConversationStore) -> None:
    reply = await begun(store)
    async with StreamingReply(store, reply) as row:
        row.add(TextPart("so"), (7, 8))
        await until_stored(store, reply, "so")
        assert (await store.messages(reply.conversation_id))[-1].token_ids == (7, 8)
        row.add_tokens((9,))
        done = await row.finish(replace(reply, state=MessageState.CANCELLED))
    assert (done.parts, done.token_ids) == ((TextPart("so"),), (7, 8, 9))


async def test_a_complete_reply_needs_no_tokens(store: ConversationStore) -> None:
    reply = await begun(store)
    async with StreamingReply(store, reply) as row:
        row.add(TextPart("so"), (7, 8))
        await until_stored(store, reply, "so")
        last = replace(reply, state=MessageState.COMPLETE, finish_reason="stop")
        assert (await row.finish(last)).token_ids == ()


async def test_a_reply_starts_from_what_it_says(store: ConversationStore) -> None:
    reply = await begun(store)
    said = replace(reply, parts=(ThoughtPart("hm"), TextPart("so f")), token_ids=(1, 2))
    async with StreamingReply(store, said) as row:
        assert row.parts == said.parts
        row.start_from((ThoughtPart("hm"), TextPart("so ")), (1, 2, 3))
        await until_stored(store, reply, "so ")
        row.add(TextPart("far"), (4,))
        done = await row.finish(replace(reply, state=MessageState.CANCELLED))
    assert done.parts == (ThoughtPart("hm"), TextPart("so far"))
    assert done.token_ids == (1, 2, 3, 4)
