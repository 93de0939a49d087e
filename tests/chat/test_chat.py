"""`Chat.reply` and `Chat.attach`: what is stored when, whatever ends a turn."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Draft,
    MessageState,
    TextPart,
    ThoughtPart,
)
from gemma_tui.engine.interface import EngineState
from gemma_tui.errors import (
    BudgetError,
    CapabilityError,
    DamagedFileError,
    EngineError,
    EngineStoppedError,
    NotAFileError,
    StorageError,
    UnsupportedFormatError,
    UsageError,
)
from gemma_tui.generation import (
    Finished,
    Media,
    PrefillProgress,
    PromptMessage,
    TextDelta,
    ThoughtDelta,
)
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.turn import TurnEvent, TurnFinished, TurnStarted
from tests.scripted_engine import MODEL, USAGE, Hold, thinking

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.conversation import Message
    from tests.chat.conftest import Bench


def picture(folder: Path, name: str = "cat.png", content: bytes = b"a cat") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


async def begun(bench: Bench) -> int:
    return (await bench.store.create("")).id


class TestReply:
    async def test_the_events_of_a_turn_and_what_is_stored_of_it(self, bench: Bench) -> None:
        bench.engine.scripts[0] = [PrefillProgress(5, 12), *thinking("hm", "Yes"), "."]
        conversation = await bench.store.create("")
        events = await bench.ask(conversation.id, "Is it so?\nReally?")
        started, *middle, finished = events
        assert isinstance(started, TurnStarted)
        assert isinstance(finished, TurnFinished)
        assert middle[0] == PrefillProgress(5, 12)
        assert middle[-2:] == [TextDelta("."), Finished("stop", USAGE)]
        assert started.question is not None
        assert started.reply.state is MessageState.STREAMING
        question, reply = await bench.store.messages(conversation.id)
        assert question == started.question
        assert question.text == "Is it so?\nReally?"
        assert reply == finished.reply
        assert reply.parts == (ThoughtPart("hm"), TextPart("Yes."))
        assert (reply.state, reply.finish_reason) == (MessageState.COMPLETE, "stop")
        assert (reply.model, reply.usage) == (MODEL.name, USAGE)
        assert (await bench.store.get(conversation.id)).title == "Is it so?"

    async def test_the_question_is_stored_before_anything_is_computed(self, bench: Bench) -> None:
        conversation_id = await begun(bench)
        await bench.store.save_draft(conversation_id, Draft("Hi"))
        turn = bench.chat.reply(
            conversation_id, Draft("Hi"), parent_id=None, options=GenerationOptions()
        )
        async with aclosing(turn):
            await anext(turn)
            assert bench.engine.requests == []
            question, reply = await bench.store.messages(conversation_id)
            assert (question.text, reply.state) == ("Hi", MessageState.STREAMING)
            assert await bench.store.load_draft(conversation_id) == Draft()

    async def test_the_text_is_stored_while_it_streams(self, bench: Bench) -> None:
        hold = Hold()
        bench.engine.scripts[0] = ["so ", "far", hold, " so good"]
        conversation_id = await begun(bench)
        task = asyncio.ensure_future(bench.ask(conversation_id, "Hi"))
        await hold.reached.wait()
        async with asyncio.timeout(20):
            while (await bench.last(conversation_id)).text != "so far":  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert (await bench.last(conversation_id)).state is MessageState.STREAMING
        hold.release()
        await task
        assert (await bench.last(conversation_id)).text == "so far so good"

    async def test_an_answer_cut_off_by_its_length_is_complete(self, bench: Bench) -> None:
        bench.engine.scripts[0] = ["a", Finished("length", USAGE)]
        conversation_id = await begun(bench)
        await bench.ask(conversation_id, "Hi")
        reply = await bench.last(conversation_id)
        assert (reply.state, reply.finish_reason) == (MessageState.COMPLETE, "length")

    async def test_options_and_system_prompt_reach_the_engine(self, bench: Bench) -> None:
        conversation = await bench.store.create("", "Be brief.")
        options = GenerationOptions(SamplingOptions(seed=4), max_tokens=9, thinking=True)
        turn = bench.chat.reply(conversation.id, Draft("Hi"), parent_id=None, options=options)
        _ = [event async for event in turn]
        (request,) = bench.engine.requests
        assert (request.system_prompt, request.options) == ("Be brief.", options)

    async def test_the_prompt_is_the_branch_without_thoughts_and_empty_replies(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        bench.engine.scripts.clear()
        bench.engine.scripts.extend([thinking("secret", "one"), [], ["three"]])
        conversation_id = await begun(bench)
        cat = await bench.chat.attach(picture(tmp_path), token_budget=70)
        await bench.ask(conversation_id, Draft("first", (cat,)))
        await bench.ask(conversation_id, "second", (await bench.last(conversation_id)).id)
        await bench.ask(conversation_id, "third", (await bench.last(conversation_id)).id)
        path = str(bench.blobs.path_of(cat.sha256))
        assert bench.engine.requests[-1].messages == (
            PromptMessage(
                "user",
                (Media("image", cat.sha256, path, "cat.png", 70, 640, 480), TextPart("first")),
            ),
            PromptMessage("model", (TextPart("one"),)),
            PromptMessage("user", (TextPart("second"),)),
            PromptMessage("user", (TextPart("third"),)),
        )

    async def test_an_answer_around_a_thought_is_one_text_of_the_next_prompt(
        self, bench: Bench
    ) -> None:
        bench.engine.scripts.clear()
        bench.engine.scripts.extend([["One. ", ThoughtDelta("hm"), " Two."], ["Yes."]])
        conversation_id = await begun(bench)
        await bench.ask(conversation_id, "first")
        await bench.ask(conversation_id, "second", (await bench.last(conversation_id)).id)
        (_, reply, _) = bench.engine.requests[-1].messages
        assert reply == PromptMessage("model", (TextPart("One.  Two."),))

    async def test_answering_again_makes_a_sibling(self, bench: Bench) -> None:
        bench.engine.scripts.clear()
        bench.engine.scripts.extend([["one"], ["two"]])
        conversation_id = await begun(bench)
        await bench.ask(conversation_id, "Hi")
        question, first = await bench.store.messages(conversation_id)
        started, *_ = await bench.ask(conversation_id, None, question.id)
        assert isinstance(started, TurnStarted)
        assert started.question is None
        assert bench.engine.requests[0].messages == bench.engine.requests[1].messages
        assert [m.text for m in await bench.store.messages(conversation_id)] == ["Hi", "two"]
        branch = await bench.store.messages(conversation_id, first.id)
        assert [m.text for m in branch] == ["Hi", "one"]

    async def test_a_question_can_branch_off_anywhere(self, bench: Bench) -> None:
        conversation_id = await begun(bench)
        await bench.ask(conversation_id, "first")
        _, first = await bench.store.messages(conversation_id)
        await bench.ask(conversation_id, "left", first.id)
        await bench.ask(conversation_id, "right", first.id)
        texts = [m.text for m in await bench.store.messages(conversation_id)]
        assert texts == ["first", "Hello there.", "right", "Hello there."]
        await bench.ask(conversation_id, "from the root")
        assert len(await bench.store.messages(conversation_id)) == 2


class TestEnds:
    """Every way a reply can end keeps its text and says how it ended."""

    async def test_cancelling_in_the_engine_keeps_text_and_usage(self, bench: Bench) -> None:
        hold = Hold()
        bench.engine.scripts[0] = ["half", hold, "never"]
        conversation_id = await begun(bench)
        task = asyncio.ensure_future(bench.ask(conversation_id, "Hi"))
        await hold.reached.wait()
        await bench.engine.cancel()
        finished = (await task)[-1]
        assert isinstance(finished, TurnFinished)
        assert finished.reply.state is MessageState.CANCELLED
        assert (finished.reply.text, finished.reply.usage) == ("half", USAGE)

    async def test_cancelling_the_task_keeps_the_text(self, bench: Bench) -> None:
        hold = Hold()
        bench.engine.scripts[0] = ["half", hold, "never"]
        conversation_id = await begun(bench)
        task = asyncio.ensure_future(bench.ask(conversation_id, "Hi"))
        await hold.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        reply = await bench.last(conversation_id)
        assert (reply.text, reply.state) == ("half", MessageState.CANCELLED)
        assert bench.engine.closed_early == 1

    @pytest.mark.parametrize("events", [1, 2, 3])
    async def test_closing_the_generator_keeps_the_text(self, bench: Bench, events: int) -> None:
        conversation_id = await begun(bench)
        turn = bench.chat.reply(
            conversation_id, Draft("Hi"), parent_id=None, options=GenerationOptions()
        )
        async with aclosing(turn):
            seen = [await anext(turn) for _ in range(events)]
        reply = await bench.last(conversation_id)
        text = "".join(event.text for event in seen if isinstance(event, TextDelta))
        assert (reply.text, reply.state) == (text, MessageState.CANCELLED)
        assert reply.finish_reason == "cancelled"

    async def test_cancelling_while_the_turn_is_stored_leaves_nothing_streaming(
        self, bench: Bench
    ) -> None:
        bench.engine.scripts[0] = [Hold(), "too late"]
        conversation_id = await begun(bench)
        task = asyncio.ensure_future(bench.ask(conversation_id, "Hi"))
        while not task.done():
            await asyncio.sleep(0)
            if (await bench.store.get(conversation_id)).leaf_id is None:
                continue
            task.cancel()
            break
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await bench.last(conversation_id)).state is MessageState.CANCELLED

    async def test_cancelling_that_again_leaves_nothing_streaming_either(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_turn, reached, goes_on = bench.store.add_turn, asyncio.Event(), asyncio.Event()

        async def slow(*args: Any, **options: Any) -> tuple[Message | None, Message]:
            reached.set()
            await goes_on.wait()
            return await add_turn(*args, **options)

        monkeypatch.setattr(bench.store, "add_turn", slow)
        conversation_id = await begun(bench)
        task = asyncio.ensure_future(bench.ask(conversation_id, "Hi"))
        await reached.wait()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.01)
        assert not task.done()
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await bench.last(conversation_id)).state is MessageState.CANCELLED

    async def test_a_failure_is_stored_and_raised(self, bench: Bench) -> None:
        error = EngineStoppedError("The engine stopped.", "Ask again.")
        bench.engine.scripts[0] = ["half", error]
        conversation_id = await begun(bench)
        with pytest.raises(EngineStoppedError) as raised:
            await bench.ask(conversation_id, "Hi")
        assert raised.value is error
        reply = await bench.last(conversation_id)
        assert (reply.text, reply.state) == ("half", MessageState.FAILED)
        assert reply.error == "The engine stopped. Ask again."
        assert reply.finish_reason == "error"

    async def test_a_reply_ended_by_a_crash_still_says_who_wrote_it(self, bench: Bench) -> None:
        bench.engine.scripts[0] = ["Half of", EngineStoppedError("The engine stopped.")]
        conversation_id = await begun(bench)
        turn = bench.chat.reply(
            conversation_id, Draft("Hi"), parent_id=None, options=GenerationOptions()
        )
        with pytest.raises(EngineStoppedError):  # noqa: PT012  # it ends inside the loop
            async for event in turn:
                if isinstance(event, TextDelta):
                    bench.engine.set_state(EngineState("stopped"))
        reply = await bench.last(conversation_id)
        assert (reply.state, reply.model) == (MessageState.FAILED, MODEL.name)

    async def test_a_stream_that_breaks_off_is_a_failure(self, bench: Bench) -> None:
        bench.engine.scripts[0] = ["half", Finished("error", USAGE)]
        conversation_id = await begun(bench)
        with pytest.raises(EngineError, match="broke off"):
            await bench.ask(conversation_id, "Hi")
        assert (await bench.last(conversation_id)).state is MessageState.FAILED

    async def test_a_fault_of_the_program_is_a_failure_too(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def faulty(_step: object) -> TurnEvent:
            raise ZeroDivisionError

        monkeypatch.setattr(bench.engine, "_perform", faulty)
        conversation_id = await begun(bench)
        with pytest.raises(ZeroDivisionError):
            await bench.ask(conversation_id, "Hi")
        reply = await bench.last(conversation_id)
        assert reply.state is MessageState.FAILED
        assert "ZeroDivisionError" in reply.error

    async def test_the_next_turn_works_after_a_failure(self, bench: Bench) -> None:
        bench.engine.scripts.clear()
        bench.engine.scripts.extend([[EngineError("No.")], ["Yes."]])
        conversation_id = await begun(bench)
        with pytest.raises(EngineError):
            await bench.ask(conversation_id, "Hi")
        question, _ = await bench.store.messages(conversation_id)
        await bench.ask(conversation_id, None, question.id)
        assert (await bench.last(conversation_id)).text == "Yes."


class TestRefusals:
    """What is refused before anything is stored, so that the draft is still the caller's."""

    async def assert_nothing_stored(self, bench: Bench, conversation_id: int) -> None:
        assert await bench.store.messages(conversation_id) == ()
        assert bench.engine.requests == []

    @pytest.mark.parametrize("draft", [None, Draft(), Draft(" \n\t")])
    async def test_nothing_to_send(self, bench: Bench, draft: Draft | None) -> None:
        conversation_id = await begun(bench)
        with pytest.raises(UsageError):
            await bench.ask(conversation_id, draft)
        await self.assert_nothing_stored(bench, conversation_id)

    async def test_only_questions_are_answered_again(self, bench: Bench) -> None:
        conversation_id = await begun(bench)
        await bench.ask(conversation_id, "Hi")
        reply = await bench.last(conversation_id)
        with pytest.raises(UsageError, match="Only a question"):
            await bench.ask(conversation_id, None, reply.id)

    async def test_a_parent_of_another_conversation(self, bench: Bench) -> None:
        conversation_id, other = await begun(bench), await begun(bench)
        await bench.ask(other, "Hi")
        with pytest.raises(UsageError, match="not in this conversation"):
            await bench.ask(conversation_id, "Hi", (await bench.last(other)).id)

    async def test_an_unknown_budget(self, bench: Bench, tmp_path: Path) -> None:
        conversation_id = await begun(bench)
        cat = await bench.chat.attach(picture(tmp_path))
        with pytest.raises(BudgetError, match="71 is not a token budget"):
            await bench.ask(conversation_id, Draft("?", (replace(cat, token_budget=71),)))
        await self.assert_nothing_stored(bench, conversation_id)

    @pytest.mark.parametrize(
        ("name", "lacking", "sense"),
        [("cat.png", {"can_see": False}, "see"), ("a.wav", {"can_hear": False}, "hear")],
    )
    async def test_a_sense_the_model_lacks(
        self, bench: Bench, tmp_path: Path, name: str, lacking: dict[str, bool], sense: str
    ) -> None:
        conversation_id = await begun(bench)
        item = await bench.chat.attach(picture(tmp_path, name))
        bench.engine.set_state(EngineState("ready", replace(MODEL, **lacking)))  # type: ignore[arg-type]
        with pytest.raises(CapabilityError, match=f"scripted cannot {sense}.*{name}"):
            await bench.ask(conversation_id, Draft("?", (item,)))
        await self.assert_nothing_stored(bench, conversation_id)

    async def test_a_copy_that_has_vanished(self, bench: Bench) -> None:
        conversation_id = await begun(bench)
        gone = Attachment("00" * 32, "image", "gone.png", "image/png", 5, 1, 1, 0, 280)
        with pytest.raises(StorageError, match=r"stored copy of “gone\.png” is missing"):
            await bench.ask(conversation_id, Draft("?", (gone,)))
        await self.assert_nothing_stored(bench, conversation_id)

    async def test_a_conversation_that_is_gone(self, bench: Bench) -> None:
        with pytest.raises(StorageError, match="not there any more"):
            await bench.ask(99, "Hi")


async def test_sounds_of_earlier_questions_are_skipped_where_nobody_hears_them(
    bench: Bench, tmp_path: Path
) -> None:
    conversation_id = await begun(bench)
    item = await bench.chat.attach(picture(tmp_path, "a.wav"))
    await bench.ask(conversation_id, Draft("What is this?", (item,)))
    answer = await bench.last(conversation_id)
    await bench.ask(conversation_id, "Sure?", answer.id)
    first, *_ = bench.engine.requests[-1].messages
    assert [part.is_optional for part in first.parts if isinstance(part, Media)] == [True]
    bench.engine.set_state(EngineState("ready", replace(MODEL, can_hear=False)))
    await bench.ask(conversation_id, "Really?", answer.id)
    first, *_ = bench.engine.requests[-1].messages
    assert not any(isinstance(part, Media) for part in first.parts)
    assert TextPart("[A sound was attached here that you cannot hear: a.wav]") in first.parts
    assert [item.name for item in (await bench.store.messages(conversation_id))[0].attachments]
    question = (await bench.store.messages(conversation_id))[0]
    with pytest.raises(CapabilityError, match="cannot hear"):
        await bench.ask(conversation_id, None, question.id)  # it is what would be asked


class TestAttach:
    async def test_what_is_known_of_a_picture(self, bench: Bench, tmp_path: Path) -> None:
        path = picture(tmp_path)
        item = await bench.chat.attach(path)
        path.unlink()
        assert (item.kind, item.media_type, item.width, item.height) == (
            *("image", "image/png", 640),
            480,
        )
        assert (item.name, item.size_bytes, item.token_budget) == ("cat.png", 5, 280)
        assert bench.engine.probed == [bench.blobs.path_of(item.sha256)]
        assert bench.blobs.path_of(item.sha256).read_bytes() == b"a cat"

    async def test_sound_has_no_budget(self, bench: Bench, tmp_path: Path) -> None:
        item = await bench.chat.attach(picture(tmp_path, "a.wav"), token_budget=70)
        assert (item.kind, item.sample_count, item.token_budget) == ("audio", 16_000, 0)

    async def test_the_budget_is_the_models_unless_chosen(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        path = picture(tmp_path)
        bench.engine.set_state(EngineState("ready", replace(MODEL, default_token_budget=70)))
        assert (await bench.chat.attach(path)).token_budget == 70
        assert (await bench.chat.attach(path, token_budget=1120)).token_budget == 1120
        bench.engine.set_state(EngineState("loading"))
        assert (await bench.chat.attach(path)).token_budget == 280

    async def test_an_unknown_budget_is_refused_before_anything_is_copied(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        with pytest.raises(BudgetError):
            await bench.chat.attach(picture(tmp_path), token_budget=100)
        assert bench.engine.probed == []

    async def test_what_cannot_be_attached_is_not_kept(self, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(UnsupportedFormatError, match=r"notes\.txt"):
            await bench.chat.attach(picture(tmp_path, "notes.txt"))
        assert not bench.engine.probed[0].exists()

    async def test_a_copy_that_others_use_is_kept(self, bench: Bench, tmp_path: Path) -> None:
        item = await bench.chat.attach(picture(tmp_path))
        bench.engine.media["other.png"] = DamagedFileError("It is cut off.")
        with pytest.raises(DamagedFileError):
            await bench.chat.attach(picture(tmp_path, "other.png"))
        assert bench.blobs.path_of(item.sha256).exists()

    async def test_no_such_file(self, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(NotAFileError, match="There is no file"):
            await bench.chat.attach(tmp_path / "gone.png")

    async def test_a_question_may_be_only_a_picture(self, bench: Bench, tmp_path: Path) -> None:
        conversation_id = await begun(bench)
        cat = await bench.chat.attach(picture(tmp_path))
        await bench.ask(conversation_id, Draft("", (cat,)))
        question, _ = await bench.store.messages(conversation_id)
        assert question.parts == (AttachmentPart(cat),)
        assert (await bench.store.get(conversation_id)).title == "cat.png"
