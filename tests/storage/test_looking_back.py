"""Earlier questions and measured speeds, as the store has them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.conversation import MessageState, TextPart, Usage

if TYPE_CHECKING:
    from gemma_tui.storage.conversations import ConversationStore


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
