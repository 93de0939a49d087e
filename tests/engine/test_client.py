"""Replies, loads and probes through the real engine process."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from gemma_tui.engine.interface import EngineState
from gemma_tui.engine.process import worker_command
from gemma_tui.errors import (
    AttachmentError,
    ContextOverflowError,
    EngineStoppedError,
    ModelError,
    NotAFileError,
    UsageError,
)
from gemma_tui.generation import Finished, MediaProgress, PrefillProgress, TextDelta, ThoughtDelta
from gemma_tui.options import SamplingOptions
from tests.engine.scenes import (
    ask,
    collect,
    eventually,
    finish_of,
    png,
    text_of,
    wav,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.engine.client import EngineClient
    from tests.engine.conftest import NewEngine

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_reply_comes_in_order_and_ends_once(engine: EngineClient) -> None:
    events = await collect(engine.generate(ask("What are you?")))
    kinds = [type(event) for event in events]
    assert kinds == sorted(kinds, key=[PrefillProgress, ThoughtDelta, TextDelta, Finished].index)
    end = finish_of(events)
    assert end.reason == "stop"
    assert text_of(events)
    counts = [event.token_count for event in events if isinstance(event, TextDelta)]
    assert counts == sorted(counts)
    assert counts[-1] <= end.usage.generated_tokens <= 48
    assert end.usage.prompt_tokens > 5
    assert end.usage.prefill_seconds > 0
    assert end.usage.decode_seconds > 0
    assert end.usage.peak_memory_bytes > 1_000_000


async def test_the_same_prompt_gets_the_same_greedy_reply(engine: EngineClient) -> None:
    first = await collect(engine.generate(ask("Tell me a joke.")))
    second = await collect(engine.generate(ask("Tell me a joke.")))
    assert text_of(first) == text_of(second)
    assert finish_of(second).usage.cached_tokens > 0


async def test_a_seed_makes_a_random_reply_repeatable(talker: EngineClient) -> None:
    async def draw(seed: int) -> str:
        sampling = SamplingOptions(temperature=3.0, top_k=0, top_p=1.0, seed=seed)
        return text_of(await collect(talker.generate(ask("Hi", sampling=sampling))))

    assert await draw(1) == await draw(1)
    assert await draw(1) != await draw(2)


async def test_the_token_limit_ends_a_reply(talker: EngineClient) -> None:
    end = finish_of(await collect(talker.generate(ask("Hi", max_tokens=5))))
    assert (end.reason, end.usage.generated_tokens) == ("length", 5)


async def test_cancel_takes_effect_before_the_next_token(talker: EngineClient) -> None:
    reply = talker.generate(ask("Count", max_tokens=8000))
    seen = 0
    async with aclosing(reply) as events:
        async for event in events:
            if isinstance(event, TextDelta) and not seen:
                seen = event.token_count
                await talker.cancel()
            last = event
    assert isinstance(last, Finished)
    assert last.reason == "cancelled"
    # Far below the limit: tokens on their way while the request crossed the pipe, no more.
    assert seen <= last.usage.generated_tokens < 1000


async def test_closing_the_generator_stops_the_engine(talker: EngineClient) -> None:
    async with aclosing(talker.generate(ask("Count", max_tokens=8000))) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert talker.state.phase == "ready"
    after = finish_of(await collect(talker.generate(ask("Again", max_tokens=3))))
    assert after.usage.generated_tokens == 3


async def test_cancelling_the_task_that_reads_stops_the_engine(talker: EngineClient) -> None:
    task = asyncio.ensure_future(collect(talker.generate(ask("Count", max_tokens=8000))))
    await eventually(lambda: talker.state.phase == "generating")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert finish_of(await collect(talker.generate(ask("Again", max_tokens=3)))).reason == "length"


async def test_a_reply_that_waits_is_cancelled_at_once(talker: EngineClient) -> None:
    running = asyncio.ensure_future(collect(talker.generate(ask("Count", max_tokens=8000))))
    await eventually(lambda: talker.state.phase == "generating")
    waiting = talker.generate(ask("Later", max_tokens=3))
    second = asyncio.ensure_future(anext(waiting))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert not running.done()
    await talker.cancel()
    assert finish_of(await running).reason == "cancelled"


async def test_two_replies_are_written_one_after_the_other(engine: EngineClient) -> None:
    finished: list[str] = []

    async def reply(name: str) -> str:
        events = await collect(engine.generate(ask("What are you?")))
        finished.append(name)
        return text_of(events)

    first, second = await asyncio.gather(reply("first"), reply("second"))
    assert first == second
    assert finished == ["first", "second"]


async def test_previews_are_small_pictures_and_levels(engine: EngineClient, tmp_path: Path) -> None:
    path = tmp_path / "halves.png"
    picture = Image.new("RGB", (960, 400), "red")
    picture.paste("blue", (480, 0, 960, 400))
    picture.save(path)
    small = await engine.preview(path, path.name)
    assert (small.width, small.height, small.levels) == (48, 20, ())
    assert small.rgb == ("ff0000" * 24 + "0000ff" * 24) * 20
    tall = tmp_path / "tall.png"
    Image.new("L", (3, 4000), 255).save(tall)
    assert (await engine.preview(tall, "tall.png")).rgb == "ffffff" * 40
    large = await engine.preview(tall, "tall.png", is_large=True)
    assert (large.height, large.rgb) == (320, "ffffff" * 320 * large.width)
    wav(tmp_path / "click.wav")
    sound = await engine.preview(tmp_path / "click.wav", "click.wav")
    assert sound.levels == (*[0] * 23, 61, *[0] * 24)
    assert (sound.width, sound.rgb) == (48, "")
    with pytest.raises(NotAFileError, match=r"gone\.png"):
        await engine.preview(tmp_path / "gone.png", "gone.png")


async def test_a_probe_answers_while_a_reply_is_written(
    talker: EngineClient, tmp_path: Path
) -> None:
    picture = png(tmp_path / "red.png", (255, 0, 0), side=96)
    reply = asyncio.ensure_future(collect(talker.generate(ask("Count", max_tokens=8000))))
    await eventually(lambda: talker.state.phase == "generating")
    info = await talker.probe(tmp_path / "red.png", picture.name)
    assert (info.kind, info.width, info.height) == ("image", 96, 96)
    assert not reply.done()
    await talker.cancel()
    assert finish_of(await reply).reason == "cancelled"


async def test_a_file_that_is_none_is_refused_in_a_sentence(
    engine: EngineClient, tmp_path: Path
) -> None:
    with pytest.raises(NotAFileError, match=r"gone\.png"):
        await engine.probe(tmp_path / "gone.png", "gone.png")
    (tmp_path / "text.png").write_bytes(b"no picture \xff\xfe")
    with pytest.raises(AttachmentError, match=r"text\.png"):
        await engine.probe(tmp_path / "text.png", "text.png")


async def test_a_picture_and_a_clip_are_part_of_the_prompt(
    engine: EngineClient, tmp_path: Path
) -> None:
    media = (png(tmp_path / "red.png", (255, 0, 0)), wav(tmp_path / "click.wav"))
    bare = finish_of(await collect(engine.generate(ask("What is this?"))))
    events = await collect(engine.generate(ask("What is this?", media=media)))
    assert MediaProgress(2, 2) in events
    # 64 soft tokens for a square of budget 70, 25 for a second, and two markers around each.
    assert finish_of(events).usage.prompt_tokens == bare.usage.prompt_tokens + 64 + 25 + 4


async def test_a_broken_medium_fails_only_its_own_reply(
    engine: EngineClient, tmp_path: Path
) -> None:
    picture = png(tmp_path / "half.png", (9, 9, 9))
    (tmp_path / "half.png").write_bytes((tmp_path / "half.png").read_bytes()[:60])
    with pytest.raises(AttachmentError, match=r"half\.png"):
        await collect(engine.generate(ask("What is this?", media=(picture,))))
    assert finish_of(await collect(engine.generate(ask("Hello")))).reason == "stop"


async def test_a_prompt_beyond_the_context_is_refused_with_numbers(engine: EngineClient) -> None:
    with pytest.raises(ContextOverflowError, match=r"tokens.* holds 8,192"):
        await collect(engine.generate(ask("word " * 9000)))


async def test_options_out_of_range_are_refused(engine: EngineClient) -> None:
    with pytest.raises(UsageError):
        await collect(engine.generate(ask("Hi", max_tokens=0)))
    with pytest.raises(UsageError, match="no message"):
        await collect(engine.generate(ask()))
    with pytest.raises(UsageError):
        await collect(engine.generate(ask("Hi", sampling=SamplingOptions(temperature=-1))))


async def test_text_the_user_types_never_becomes_a_control_token(engine: EngineClient) -> None:
    plain = finish_of(await collect(engine.generate(ask("a"))))
    typed = finish_of(await collect(engine.generate(ask("a<turn|>"))))
    assert typed.usage.prompt_tokens > plain.usage.prompt_tokens + 1


async def test_the_status_tells_what_is_held(engine: EngineClient, tiny_model: Path) -> None:
    await collect(engine.generate(ask("Hello")))
    status = await engine.status()
    assert status.model is not None
    assert status.model.folder == str(tiny_model)
    assert status.process_id > 0
    assert not status.is_generating
    assert status.peak_memory_bytes >= status.active_memory_bytes > 1_000_000
    assert status.cached_tokens > 0


async def test_the_state_is_told_step_by_step(new_engine: NewEngine, tiny_model: Path) -> None:
    engine = new_engine()
    states: list[EngineState] = [engine.state]
    unwatch = engine.watch(states.append)
    await engine.start(tiny_model)
    await collect(engine.generate(ask("Hello")))
    phases = [s.phase for s, before in zip(states[1:], states, strict=False) if s != before]
    order = list(dict.fromkeys(phases))
    assert order == ["starting", "loading", "ready", "generating"]
    fractions = [state.fraction for state in states if state.phase == "loading"]
    assert fractions == sorted(fractions)
    assert engine.state == EngineState("ready", engine.state.model, fraction=1.0)
    assert engine.state.model is not None
    assert engine.state.model.folder == str(tiny_model)
    unwatch()
    await engine.close()
    assert states[-1].phase == "ready"
    assert engine.state.phase == "stopped"


async def test_a_broken_folder_leaves_the_engine_alive(
    new_engine: NewEngine, tiny_model: Path, tmp_path: Path
) -> None:
    engine = new_engine()
    with pytest.raises(ModelError):
        await engine.load(tmp_path)
    assert engine.state.phase == "failed"
    assert engine.state.problem
    with pytest.raises(ModelError) as again:
        await collect(engine.generate(ask("Hello")))
    assert str(again.value) == engine.state.problem
    before = await engine.status()
    assert before.model is None
    info = await engine.load(tiny_model)
    assert info.can_see
    assert info.can_hear
    assert (await engine.status()).process_id == before.process_id
    await engine.unload()
    assert (await engine.status()).model is None
    with pytest.raises(ModelError, match="No model is loaded"):
        await collect(engine.generate(ask("Hello")))


async def test_a_load_during_an_unload_is_what_the_state_tells(
    new_engine: NewEngine, tiny_model: Path
) -> None:
    engine = new_engine()
    info = await engine.load(tiny_model)
    states: list[EngineState] = []
    engine.watch(states.append)
    await asyncio.gather(engine.unload(), engine.load(tiny_model))
    assert engine.state == EngineState("ready", info, fraction=1.0)
    assert [state.phase for state in states if state.model is None][-1] == "loading"
    assert "ready" not in {state.phase for state in states if state.model is None}


async def test_a_closed_engine_refuses_and_leaves_no_process(
    new_engine: NewEngine, tiny_model: Path
) -> None:
    engine = new_engine()
    await engine.start(tiny_model)
    process_id = (await engine.status()).process_id
    reply = asyncio.ensure_future(collect(engine.generate(ask("Hello"))))
    await asyncio.sleep(0)
    await engine.close()
    with pytest.raises(EngineStoppedError):
        await reply
    with pytest.raises(EngineStoppedError):
        await engine.probe(tiny_model / "config.json", "config.json")
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


async def test_an_engine_that_was_never_started_closes(new_engine: NewEngine) -> None:
    engine = new_engine()
    await engine.close()
    assert engine.state == EngineState("stopped")


async def test_a_slow_reader_finds_its_text_merged(talker: EngineClient) -> None:
    async with aclosing(talker.generate(ask("Count", max_tokens=60))) as events:
        first = await anext(events)
        await eventually(lambda: talker.state.phase == "generating")
        # The engine writes all of it while nobody looks at the events here.
        await eventually_idle(talker)
        rest = [first, *[event async for event in events]]
    assert finish_of(rest).usage.generated_tokens == 60
    assert sum(isinstance(event, TextDelta) for event in rest) < 60


async def eventually_idle(engine: EngineClient) -> None:
    """Wait until the engine itself says that it writes nothing."""
    while (await engine.status()).is_generating:
        pass


async def test_a_prompt_is_counted_while_a_reply_is_written(talker: EngineClient) -> None:
    request = ask("What are you?", max_tokens=1)
    usage = finish_of(await collect(talker.generate(request))).usage
    reply = talker.generate(ask("Count", max_tokens=8000))
    async with aclosing(reply) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                assert (await talker.count(request)).tokens == usage.prompt_tokens
                assert (await talker.status()).is_generating
                break


async def test_without_a_model_nothing_is_counted(new_engine: NewEngine) -> None:
    client = new_engine()
    with pytest.raises(ModelError, match="No model is loaded"):
        await client.count(ask("Hi"))


async def test_prefill_tells_the_time_left(engine: EngineClient) -> None:
    long = ask("shapes and colors " * 300, max_tokens=1)
    progress = [e for e in await collect(engine.generate(long)) if isinstance(e, PrefillProgress)]
    left = [event.seconds_left for event in progress]
    assert left[0] is None
    assert left[-1] is not None
    assert all(seconds is None or seconds >= 0 for seconds in left)


async def test_a_conversation_goes_on_after_a_restart(
    new_engine: NewEngine, tiny_model: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache" / "engine"
    command = worker_command(tmp_path / "engine.log", cache)
    first = new_engine(command)
    await first.start(tiny_model)
    text = text_of(await collect(first.generate(ask("What are you?"))))
    # The question's turn and the reply's, each in two kinds of layers.
    await eventually(lambda: len(list(cache.glob("*.safetensors"))) == 4)
    await first.close()
    second = new_engine(command)
    await second.start(tiny_model)
    usage = finish_of(await collect(second.generate(ask("What are you?", text, "Hello!")))).usage
    assert 0 < usage.prompt_tokens - usage.cached_tokens < 15


async def test_without_a_cache_folder_nothing_is_written(
    new_engine: NewEngine, tiny_model: Path, tmp_path: Path
) -> None:
    engine = new_engine()
    await engine.start(tiny_model)
    picture = png(tmp_path / "red.png", (255, 0, 0))
    await collect(engine.generate(ask("What is this?", media=(picture,), max_tokens=2)))
    await engine.close()
    assert {path.name for path in tmp_path.iterdir()} == {"engine.log", "red.png"}  # noqa: ASYNC240
