"""`Chat.continue_reply` and `Chat.count`: the same row grows, and nothing it said is lost."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from gemma_tui.chat import Chat
from gemma_tui.conversation import Draft, Message, MessageState, TextPart, ThoughtPart, Usage
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.interface import EngineState
from gemma_tui.errors import EngineStoppedError, ModelError, StorageError, UsageError
from gemma_tui.generation import (
    Finished,
    PrefillProgress,
    PromptSize,
    ReplySoFar,
    Resumed,
    TextDelta,
    ThoughtDelta,
)
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.turn import TurnEvent, TurnFinished, TurnStarted, with_end
from tests.scripted_engine import MODEL, USAGE, Hold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gemma_tui.paths import Paths
    from gemma_tui.turn import End
    from tests.chat.conftest import Bench
    from tests.scripted_engine import Step

FIRST: list[Step] = [ThoughtDelta("hm", (1, 2)), TextDelta("so f", 3, (3,))]
CUT: list[Step] = [*FIRST, Finished("length", USAGE, (4,))]
IDS = (1, 2, 3, 4)


async def cut_off(bench: Bench, script: list[Step] = CUT, *, thinking: bool = False) -> Message:
    """A stored reply that was cut off."""
    bench.engine.scripts.clear()
    bench.engine.scripts.extend([script, ["never"]])
    conversation = await bench.store.create("", "Be brief.")
    options = GenerationOptions(thinking=thinking)
    turn = bench.chat.reply(conversation.id, Draft("Hi"), parent_id=None, options=options)
    _ = [event async for event in turn]
    return await bench.last(conversation.id)


async def go_on(bench: Bench, reply: Message, *script: Step) -> list[TurnEvent]:
    bench.engine.scripts.clear()
    bench.engine.scripts.append(script)
    options = GenerationOptions(max_tokens=7)
    turn = bench.chat.continue_reply(reply.conversation_id, reply.id, options=options)
    return [event async for event in turn]


async def test_the_same_message_grows_to_its_end(bench: Bench) -> None:
    cut = await cut_off(bench)
    assert (cut.is_cut_off, cut.token_ids) == (True, IDS)
    parts = (ThoughtPart("hm"), TextPart("so "))
    events = await go_on(bench, cut, Resumed(parts, IDS), TextDelta("far", 5, (5,)), TextDelta("."))
    assert isinstance(events[0], TurnStarted)
    assert events[0].question is None
    assert events[0].reply == replace(
        cut, state=MessageState.STREAMING, finish_reason="", usage=USAGE
    )
    reply = await bench.last(cut.conversation_id)
    assert events[-1] == TurnFinished(reply)
    assert (reply.id, reply.parts) == (cut.id, (ThoughtPart("hm"), TextPart("so far.")))
    assert (reply.state, reply.finish_reason) == (MessageState.COMPLETE, "stop")
    assert (reply.token_ids, reply.is_cut_off) == ((), False)
    assert len(await bench.store.messages(cut.conversation_id)) == 2


async def test_the_engine_gets_the_tokens_and_the_question_alone(bench: Bench) -> None:
    cut = await cut_off(bench, thinking=True)
    await go_on(bench, cut, "…")
    asked, resumed = bench.engine.requests
    assert resumed == replace(
        asked,
        options=GenerationOptions(max_tokens=7, thinking=True),
        reply=ReplySoFar(cut.parts, IDS),  # type: ignore[arg-type]
    )


async def test_what_it_cost_is_added_up(bench: Bench) -> None:
    cut = await cut_off(bench)
    more = Usage(prompt_tokens=99, cached_tokens=98, generated_tokens=5, decode_seconds=0.5)
    await go_on(bench, cut, "…", Finished("stop", more))
    usage = (await bench.last(cut.conversation_id)).usage
    assert usage == Usage(
        prompt_tokens=12, generated_tokens=8, prefill_seconds=0.1, decode_seconds=0.8
    )


async def test_it_can_be_cut_off_again(bench: Bench) -> None:
    cut = await cut_off(bench)
    for number in range(3):
        resumed = Resumed(cut.parts, cut.token_ids)  # type: ignore[arg-type]
        end = Finished("repetition", USAGE, (20 + number,))
        await go_on(bench, cut, resumed, TextDelta("x", 5, (10 + number,)), end)
        cut = await bench.last(cut.conversation_id)
        assert (cut.state, cut.finish_reason) == (MessageState.COMPLETE, "repetition")
    assert cut.text == "so fxxx"
    assert cut.token_ids == (*IDS, 10, 20, 11, 21, 12, 22)


@pytest.mark.parametrize("told", [False, True], ids=["before", "after"])
async def test_stopped_or_failing_it_still_says_what_it_said(bench: Bench, told: bool) -> None:
    cut = await cut_off(bench)
    begin: list[Step] = [Resumed(cut.parts, IDS)] if told else []  # type: ignore[arg-type]
    with pytest.raises(EngineStoppedError):
        await go_on(bench, cut, *begin, EngineStoppedError("It died."))
    failed = await bench.last(cut.conversation_id)
    assert (failed.parts, failed.token_ids, failed.is_cut_off) == (cut.parts, IDS, True)
    if told:
        assert (failed.state, failed.error) == (MessageState.FAILED, "It died.")
    else:
        assert failed == cut
    bench.engine.scripts.clear()
    bench.engine.scripts.append([*begin, TextDelta("ar", 5, (5,)), hold := Hold()])
    turn = bench.chat.continue_reply(cut.conversation_id, cut.id, options=GenerationOptions())
    async with aclosing(turn) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert not hold.released.is_set()
    stopped = await bench.last(cut.conversation_id)
    assert (stopped.text, stopped.state) == ("so far", MessageState.CANCELLED)
    assert stopped.token_ids == (*IDS, 5)
    assert stopped.error == ""


async def test_a_reply_of_a_program_that_died_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = await cut_off(bench)
    await bench.store.resume(cut.id)
    await bench.store.update_streaming(cut.id, (TextPart("mid"),), (8, 9))
    with monkeypatch.context() as patch:
        patch.setattr(bench.store._database, "is_alive", lambda _: False)
        assert await bench.store.mark_interrupted() == 1
    reply = await bench.last(cut.conversation_id)
    assert (reply.state, reply.token_ids) == (MessageState.INTERRUPTED, (8, 9))
    await go_on(bench, reply, Resumed((TextPart("mid"),), (8, 9)), "night")
    assert (await bench.last(cut.conversation_id)).text == "midnight"


async def test_what_is_complete_or_gone_is_refused(bench: Bench) -> None:
    cut = await cut_off(bench, ["all of it"])
    before = await bench.store.messages(cut.conversation_id)
    assert cut.token_ids == ()
    for message_id in (cut.id, before[0].id, 999):
        with pytest.raises(UsageError, match="cut off"):
            await go_on(bench, replace(cut, id=message_id), "more")
    empty = await cut_off(bench, [Finished("cancelled", Usage())])
    with pytest.raises(UsageError, match="cut off"):
        await go_on(bench, empty, "more")
    assert await bench.store.messages(before[0].conversation_id) == before


@pytest_asyncio.fixture
async def other(paths: Paths) -> AsyncIterator[ConversationStore]:
    """The same conversations in another window."""
    database = await Database.open(paths.database)
    yield ConversationStore(database)
    await database.close()


async def test_of_two_windows_one_writes(bench: Bench, other: ConversationStore) -> None:
    cut = await cut_off(bench)
    assert await other.resume(cut.id) == cut
    with pytest.raises(UsageError, match="being written already"):
        await bench.store.resume(cut.id)
    assert (await other.messages(cut.conversation_id))[-1].state is MessageState.STREAMING


async def test_what_another_window_deleted_comes_back(
    bench: Bench, other: ConversationStore
) -> None:
    cut = await cut_off(bench)
    newer = await other.create("newer")
    await other.delete(cut.conversation_id)
    await go_on(bench, cut, Resumed(cut.parts, IDS), "ar")  # type: ignore[arg-type]
    shown = await other.list()
    assert [item.id for item in shown] == [cut.conversation_id, newer.id]
    assert shown[0].updated_at >= newer.updated_at


async def test_what_another_window_made_of_it_stays(bench: Bench, other: ConversationStore) -> None:
    cut = await cut_off(bench)
    await other.add_message(cut.conversation_id, cut.id, "user", (TextPart("And?"),))
    with pytest.raises(UsageError, match="gone on behind"):
        await go_on(bench, cut, "never")
    cut = await cut_off(bench)
    resumed = await other.resume(cut.id)
    whole = replace(resumed, state=MessageState.COMPLETE, finish_reason="stop", token_ids=())
    await other.finish(whole)
    with pytest.raises(UsageError, match="cut off"):
        await bench.store.resume(cut.id)
    assert await bench.last(cut.conversation_id) == whole
    with pytest.raises(StorageError, match="not there any more"):
        await bench.store.resume(999)


async def test_the_branch_that_goes_on_is_the_one_shown(
    bench: Bench, other: ConversationStore
) -> None:
    cut = await cut_off(bench)
    await other.add_turn(cut.conversation_id, cut.parent_id, (), "")
    assert (await bench.last(cut.conversation_id)).id != cut.id
    await go_on(bench, cut, Resumed(cut.parts, IDS), "ar")  # type: ignore[arg-type]
    assert (await bench.last(cut.conversation_id)).id == cut.id


async def test_without_a_model_it_is_as_before(bench: Bench) -> None:
    cut = await cut_off(bench)
    assert (cut.model, cut.finish_reason) == (MODEL.name, "length")
    bench.engine.set_state(EngineState("stopped"))
    with pytest.raises(ModelError):
        await go_on(bench, cut, ModelError("No model is loaded."))
    assert await bench.last(cut.conversation_id) == cut


async def test_it_names_another_model_once_that_writes(bench: Bench) -> None:
    cut = await cut_off(bench)
    bench.engine.set_state(EngineState("ready", replace(MODEL, name="another")))
    await go_on(bench, cut, PrefillProgress(1, 2), Finished("cancelled", USAGE))
    assert await bench.last(cut.conversation_id) == cut
    await go_on(bench, cut, Resumed(cut.parts, IDS), "ar")  # type: ignore[arg-type]
    assert (await bench.last(cut.conversation_id)).model == "another"


async def test_nothing_more_to_say_is_an_end(bench: Bench) -> None:
    cut = await cut_off(bench)
    await go_on(bench, cut, Finished("stop", USAGE))
    reply = await bench.last(cut.conversation_id)
    assert (reply.finish_reason, reply.model, reply.parts) == ("stop", MODEL.name, cut.parts)


def test_costs_are_joined_whichever_is_known() -> None:
    reply = Message(1, 1, None, "model", (), MessageState.STREAMING, 0.0)
    end: End = _end(None)
    assert with_end(replace(reply, usage=USAGE), end).usage == USAGE
    assert with_end(reply, _end(USAGE)).usage == USAGE
    assert with_end(reply, end).usage is None


def _end(usage: Usage | None) -> End:
    from gemma_tui.turn import End

    return End(MessageState.COMPLETE, "stop", usage)


async def test_a_draft_is_counted_with_its_branch(bench: Bench, tmp_path: Path) -> None:
    cut = await cut_off(bench, ["Yes", "."])
    path = tmp_path / "cat.png"
    path.write_bytes(b"a cat")
    cat = await bench.chat.attach(path, token_budget=70)
    options = GenerationOptions(max_tokens=9)
    draft = Draft("How?", (cat,))
    size = await bench.chat.count(cut.conversation_id, draft, parent_id=cut.id, options=options)
    assert size == PromptSize(len("Hi" + "Yes." + "How?") + 70, 70, 256, 8192)
    (request,) = bench.engine.counted
    assert (request.system_prompt, request.options) == ("Be brief.", options)
    (picture,) = request.media
    assert (picture.width, picture.height) == (640, 480)
    alone = await bench.chat.count(None, Draft("How?"), parent_id=None, options=options)
    assert alone.tokens == 4
    there = await bench.chat.count(cut.conversation_id, Draft(), parent_id=cut.id, options=options)
    assert there.tokens == len("Hi" + "Yes.")
    assert len(await bench.store.messages(cut.conversation_id)) == 2


async def test_with_a_real_model_a_cut_reply_ends_as_if_never_cut(
    bench: Bench, tiny_model: Path, tmp_path: Path
) -> None:
    engine = EngineClient(tmp_path / "engine.log")
    chat = Chat(bench.store, bench.blobs, engine)
    options = GenerationOptions(SamplingOptions(temperature=0), max_tokens=48, thinking=True)
    try:
        await engine.load(tiny_model)
        conversation = await bench.store.create("")
        turn = chat.reply(conversation.id, Draft("What are you?"), parent_id=None, options=options)
        _ = [event async for event in turn]
        question, whole = await bench.store.messages(conversation.id)
        assert (whole.finish_reason, whole.thinking) == ("stop", True)
        assert whole.usage is not None
        short = replace(options, max_tokens=14)
        turn = chat.reply(conversation.id, None, parent_id=question.id, options=short)
        _ = [event async for event in turn]
        cut = await bench.last(conversation.id)
        assert (cut.is_cut_off, len(cut.token_ids)) == (True, 14)
        # Thinking was decided when the reply began.
        rest = replace(options, thinking=False)
        turn = chat.continue_reply(conversation.id, cut.id, options=rest)
        _ = [event async for event in turn]
        reply = await bench.last(conversation.id)
        assert reply.id == cut.id
        assert (reply.parts, reply.finish_reason) == (whole.parts, "stop")
        assert reply.usage is not None
        assert reply.usage.generated_tokens == whole.usage.generated_tokens
        assert reply.usage.context_tokens == whole.usage.context_tokens
        size = await chat.count(conversation.id, Draft(), parent_id=question.id, options=options)
        assert size.tokens == whole.usage.prompt_tokens
    finally:
        await engine.close()


async def test_cancelled_while_it_is_stored_it_is_as_before(bench: Bench) -> None:
    cut = await cut_off(bench)
    task = asyncio.ensure_future(go_on(bench, cut, "never"))
    resuming = asyncio.Event()
    resume = bench.store.resume

    async def slow(message_id: int) -> Message:
        resuming.set()
        return await resume(message_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.store, "resume", slow)
        await resuming.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await bench.last(cut.conversation_id) == cut
    assert len(bench.engine.requests) == 1
