"""A warm start equals a cold one: for text, pictures, thoughts, and after the window has wrapped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import mlx.core as mx
import pytest

from gemma_tui.conversation import TextPart
from gemma_tui.engine.protocol import Event, Generate
from gemma_tui.generation import Finished, PrefillProgress, ReplySoFar
from gemma_tui.options import SamplingOptions
from gemma_tui.runtime.fitting import Fitted
from gemma_tui.runtime.jobs import Job
from gemma_tui.runtime.replay import STEP_TOKENS
from gemma_tui.runtime.reply import Reply, Written
from gemma_tui.runtime.tokenizer import Control
from tests.engine.scenes import ask, endless, png, wav
from tests.runtime.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gemma_tui.generation import GenerationRequest

LONG = "Tell me about shapes and colors, and about digits too. " * 12
"""More tokens than the built-in model's sliding window of 128."""


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> Iterator[Talk]:
    with ThreadPoolExecutor(1) as pool:
        yield Talk(tiny_model, pool)


@pytest.fixture
def talk(loaded: Talk) -> Talk:
    loaded.forget()
    return loaded


def assert_warm_equals_cold(talk: Talk, request: GenerationRequest, *, at_least: int = 1) -> str:
    """Ask twice, the second time with nothing remembered; returns the reply."""
    warm, warm_end = talk.reply(request)
    talk.forget()
    cold, cold_end = talk.reply(request)
    assert warm == cold
    assert warm_end.usage.cached_tokens >= at_least
    assert cold_end.usage.cached_tokens == 0
    assert warm_end.usage.prompt_tokens == cold_end.usage.prompt_tokens
    return cold


def test_the_next_turn_pays_for_its_own_words_only(talk: Talk) -> None:
    first, end = talk.reply(ask("What are you?"))
    assert end.reason == "stop"
    before = end.usage.prompt_tokens + end.usage.generated_tokens
    assert_warm_equals_cold(talk, ask("What are you?", first, "Hello!"), at_least=before)


def test_after_the_window_has_wrapped_it_is_still_exact(talk: Talk) -> None:
    first, end = talk.reply(ask(LONG))
    assert end.usage.prompt_tokens > 150
    second = assert_warm_equals_cold(talk, ask(LONG, first, LONG), at_least=150)
    both_turns = 2 * end.usage.prompt_tokens
    assert_warm_equals_cold(talk, ask(LONG, first, LONG, second, "And now?"), at_least=both_turns)


def test_the_same_prompt_again_reads_only_its_last_tokens(talk: Talk) -> None:
    talk.reply(ask(LONG))
    _, end = talk.reply(ask(LONG))
    assert end.usage.prompt_tokens - end.usage.cached_tokens <= 4
    assert_warm_equals_cold(talk, ask(LONG), at_least=150)


def test_another_reply_to_the_same_turn_does_not_see_the_first_one(talk: Talk) -> None:
    request = ask("What are you?")
    greedy, _ = talk.reply(request)
    sampling = SamplingOptions(temperature=5.0, top_k=0, top_p=1.0, seed=3)
    talk.reply(ask("What are you?", sampling=sampling))
    again, end = talk.reply(request)
    assert again == greedy
    assert end.usage.cached_tokens > 0


def test_a_picture_is_remembered_with_its_turn(talk: Talk, tmp_path: Path) -> None:
    media = (png(tmp_path / "red.png", (255, 0, 0)), wav(tmp_path / "click.wav"))
    first, _ = talk.reply(ask("What is this?", media=media))
    assert_warm_equals_cold(talk, ask("What is this?", first, "Sure?", media=media), at_least=80)


def test_another_picture_of_the_same_size_is_not_mistaken(talk: Talk, tmp_path: Path) -> None:
    red, blue = png(tmp_path / "a.png", (255, 0, 0)), png(tmp_path / "b.png", (0, 0, 255))
    talk.reply(ask("What is this?", media=(red,)))
    warm, end = talk.reply(ask("What is this?", media=(blue,)))
    assert end.usage.cached_tokens == 0
    talk.forget()
    assert talk.reply(ask("What is this?", media=(blue,)))[0] == warm


def test_another_budget_is_another_prompt(talk: Talk, tmp_path: Path) -> None:
    red = png(tmp_path / "a.png", (255, 0, 0))
    talk.reply(ask("What is this?", media=(red,)))
    _, end = talk.reply(ask("What is this?", media=(replace(red, token_budget=140),)))
    assert end.usage.cached_tokens == 0


def test_thoughts_are_not_part_of_the_next_turn(talk: Talk) -> None:
    first, _ = talk.reply(ask("What are you?", thinking=True))
    answer = first.rpartition("\n")[2]
    request = ask("What are you?", answer, "Hello!", thinking=True)
    assert_warm_equals_cold(talk, request, at_least=5)
    # Without thinking the system turn is another one, so nothing fits.
    assert talk.reply(ask("What are you?"))[1].usage.cached_tokens == 0


@pytest.fixture(scope="module")
def talker(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    with ThreadPoolExecutor(1) as pool:
        yield Talk(endless(tiny_model, tmp_path_factory.mktemp("model")), pool)


@pytest.mark.parametrize("cancel_at", [1, 2, 3, 4, 6, 9])
def test_whenever_a_reply_is_cancelled_the_next_one_is_exact(talker: Talk, cancel_at: int) -> None:
    talk = talker
    talk.forget()
    text, end = talk.reply(ask(LONG), cancel_at=cancel_at)
    assert end.reason == "cancelled"
    warm, _ = talk.reply(ask(LONG, text or "Yes.", "Go on."))
    talk.forget()
    assert talk.reply(ask(LONG, text or "Yes.", "Go on."))[0] == warm


def left_to_read(talk: Talk, request: GenerationRequest) -> int:
    """How many tokens of a prompt a reply would have to read."""
    prompt = talk.resident.renderer.render(request, ())
    return len(prompt.ids) - talk.resident.prompt_cache.take_up(prompt)[1]


def own_tokens(talk: Talk, text: str) -> int:
    """Tokens of a user's turn and of the model's opening behind it."""
    return len(talk.resident.tokenizer.encode_text(f"user\n{text}\nmodel\n")) + 3


def test_a_pause_reads_what_the_next_prompt_repeats(talk: Talk) -> None:
    first, end = talk.reply(ask("What are you?", max_tokens=3))
    assert end.reason == "length"
    talk.pause()
    request = ask("What are you?", first, "Hello!")
    assert left_to_read(talk, request) == own_tokens(talk, "Hello!")
    assert_warm_equals_cold(talk, request)


def think_and_answer(talk: Talk, request: GenerationRequest, thought: str, answer: str) -> None:
    """Let the model end a reply with a thought, which the built-in one does not write itself."""

    def ignore(_: int, event: Event) -> None:
        pass

    resident = talk.resident
    tokenizer, model = resident.tokenizer, resident.loaded.model
    written = (
        tokenizer.id_of(Control.CHANNEL_START),
        *tokenizer.encode_text(f"thought\n{thought}\n"),
        tokenizer.id_of(Control.CHANNEL_END),
        *tokenizer.encode_text(answer),
        tokenizer.id_of(Control.TURN_END),
    )
    reply = Reply(resident, request, Job(1, Generate(request), emit=ignore))
    prompt, cache = resident.renderer.render(request, ()), model.make_cache()
    mx.eval(model(mx.array([prompt.ids]), cache=cache))
    resident.prompt_cache.keep(prompt, prompt.turn_ends[-1], cache)
    mx.eval(model(mx.array([written]), cache=cache))
    fitted = Fitted(request, prompt, None)
    reply.written = Written(fitted, written, answer, cache, is_complete=True)
    talk.inference._replay = reply.keep()


@pytest.mark.parametrize("looks", [0, 1, 2, None])
def test_a_thought_is_dropped_before_the_next_turn(talk: Talk, looks: int | None) -> None:
    question, answer = "What are you?", "A red circle on a blue square. " * 24
    request = ask(question, answer, "Hello!", thinking=True)
    think_and_answer(talk, ask(question, thinking=True), "Hm. " * 60, answer)
    whole = left_to_read(talk, request)
    assert whole > 128 + own_tokens(talk, "Hello!")
    talk.pause(looks)
    # Every step counts, even if it was the last one before an interruption.
    left = own_tokens(talk, "Hello!") if looks is None else whole - 64 * looks
    assert left_to_read(talk, request) == left
    assert_warm_equals_cold(talk, request)


def test_a_reply_that_was_cut_off_goes_on_where_it_ended(talk: Talk) -> None:
    request = ask(LONG, max_tokens=5)
    whole, _ = talk.reply(ask(LONG, max_tokens=9))
    talk.forget()
    begun, end = talk.reply(request)
    assert end.reason == "length"
    talk.pause()
    so_far = ReplySoFar((TextPart(begun),))
    rest, end = talk.reply(replace(ask(LONG, max_tokens=4), reply=so_far))
    assert begun + rest == whole
    assert end.usage.cached_tokens == end.usage.prompt_tokens - 1


def test_another_conversation_with_the_same_system_prompt_shares_it(talk: Talk) -> None:
    talk.reply(ask("What are you?", system=LONG))
    assert left_to_read(talk, ask("Hello!", system=LONG)) == own_tokens(talk, "Hello!")


def test_an_earlier_turn_can_be_edited_without_reading_what_is_before_it(talk: Talk) -> None:
    texts = [LONG, "Yes.", "Go on.", "No.", "Why?"]
    talk.reply(ask(*texts))
    edited = [*texts[:2], "Hello!"]
    assert left_to_read(talk, ask(*edited)) == own_tokens(talk, "Hello!")
    assert_warm_equals_cold(talk, ask(*edited))


def test_an_aside_takes_no_place_and_leaves_everything_as_it_was(talk: Talk) -> None:
    first, _ = talk.reply(ask("What are you?"))
    talk.pause()
    before = (talk.inference.cached_tokens, talk.resident.prompt_cache.byte_count)
    aside = replace(ask(LONG), is_aside=True)
    events = talk.perform(Generate(aside))
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.generated_tokens > 0
    talk.pause()
    assert (talk.inference.cached_tokens, talk.resident.prompt_cache.byte_count) == before
    _, end = talk.reply(ask("What are you?", first, "And who made you?"))
    assert end.usage.cached_tokens >= before[0] - 1


def test_an_aside_is_read_in_steps_short_enough_to_be_stopped_between_them(talk: Talk) -> None:
    events = talk.perform(Generate(replace(ask(LONG), is_aside=True)))
    read = [event.done for event in events if isinstance(event, PrefillProgress)]
    steps = [after - before for before, after in pairwise(read)]
    assert len(steps) > 2
    assert max(steps) <= STEP_TOKENS
