"""Earlier questions and measured speeds, as the store has them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    MessageState,
    TextPart,
    Usage,
)
from gemma_tui.storage.conversations import ConversationStore

if TYPE_CHECKING:
    from gemma_tui.storage.database import Database


async def ask(store: ConversationStore, text: str, usage: Usage | None, model: str = "m") -> int:
    conversation = await store.create(text)
    _, reply = await store.add_turn(conversation.id, None, [TextPart(text)], text)
    done = replace(reply, state=MessageState.COMPLETE, model=model, usage=usage)
    await store.finish(done)
    return conversation.id


async def test_questions_of_all_conversations_the_latest_first(store: ConversationStore) -> None:
    for text in ("first", "second", "third"):
        last = await ask(store, text, None)
    await store.delete(last)
    rows = await store.questions(limit=1)
    assert [text for _, text in rows] == ["second"]
    assert [text for _, text in await store.questions(rows[0][0])] == ["first"]
    await store.delete_message(rows[0][0])
    assert [text for _, text in await store.questions()] == ["first"]


async def test_the_speed_is_the_median_of_long_prompts_of_that_model(
    store: ConversationStore,
) -> None:
    assert await store.prefill_speed("m") == 0
    for tokens, cached, seconds in ((1000, 0, 10.0), (1100, 100, 1.0), (400, 0, 2.0)):
        usage = Usage(prompt_tokens=tokens, cached_tokens=cached, prefill_seconds=seconds)
        await ask(store, "q", usage)
    await ask(store, "short", Usage(prompt_tokens=70, cached_tokens=30, prefill_seconds=0.001))
    await ask(store, "other", Usage(prompt_tokens=900, prefill_seconds=0.1), model="n")
    assert await store.prefill_speed("m") == 200


async def test_before_the_first_reply_the_speed_is_what_was_measured_otherwise(
    database: Database,
) -> None:
    store = ConversationStore(database, measured={"m": 321.0}.__getitem__)
    assert await store.prefill_speed("m") == 321
    await ask(store, "q", Usage(prompt_tokens=1000, prefill_seconds=10.0))
    assert await store.prefill_speed("m") == 100


async def test_media_are_found_in_every_branch_with_what_was_asked_and_how_fast_it_was_read(
    store: ConversationStore,
) -> None:
    conversation = await store.create("t")
    picture = Attachment("a" * 64, "image", "a.png", "image/png", 9, 640, 480, token_budget=280)
    sound = Attachment("b" * 64, "audio", "b.wav", "audio/wav", 9, sample_count=16_000)
    parts = (AttachmentPart(picture), TextPart("what?"), AttachmentPart(sound))
    asked, reply = await store.add_turn(conversation.id, None, parts, "t")
    assert asked is not None
    usage = Usage(prompt_tokens=500, cached_tokens=100, prefill_seconds=4.0)
    await store.finish(replace(reply, state=MessageState.COMPLETE, usage=usage))
    other = replace(picture, token_budget=70)
    await store.add_turn(conversation.id, None, [AttachmentPart(other)], "t")
    uses = await store.media_uses(conversation.id)
    assert [use.attachment for use in uses] == [picture, sound, other]
    assert [use.question for use in uses] == ["what?", "what?", ""]
    assert [use.seconds(200) for use in uses] == [2.0, 2.0, 0.0]
    assert uses[0].message_id == asked.id
    await store.delete_message(asked.id)
    assert [use.attachment for use in await store.media_uses(conversation.id)] == [other]
