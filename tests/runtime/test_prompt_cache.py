"""A warm start equals a cold one: for text, pictures, thoughts, and after the window has wrapped."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import pytest

from gemma_tui.engine.protocol import Event, Generate, Load
from gemma_tui.generation import Finished, GenerationRequest
from gemma_tui.options import SamplingOptions
from gemma_tui.runtime.features import FeatureStore
from gemma_tui.runtime.inference import Inference
from gemma_tui.runtime.jobs import Job
from gemma_tui.runtime.prompt import MediaSpan, Prompt
from gemma_tui.runtime.prompt_cache import PromptCache
from tests.engine.scenes import ask, endless, png, text_of, thought_of, wav

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = "Tell me about shapes and colors, and about digits too. " * 12
"""More tokens than the built-in model's sliding window of 128."""


class Talk:
    """The built-in model, asked without any process around it."""

    def __init__(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        self.inference = Inference(logging.getLogger("test"))
        self._store = FeatureStore(pool)
        self._perform(Load(str(folder)))

    def reply(
        self, request: GenerationRequest, *, cancel_at: int | None = None
    ) -> tuple[str, Finished]:
        """The text of a reply and its end; `cancel_at` cancels it with its n-th event."""
        features = tuple(self._store.request(media) for media in request.media)
        events = self._perform(Generate(request), features=features, cancel_at=cancel_at)
        end = events[-1]
        assert isinstance(end, Finished)
        return text_of(events) + thought_of(events), end  # type: ignore[arg-type]

    def forget(self) -> None:
        """Make the next reply a cold one."""
        self.inference.forget()

    def _perform(
        self, work: Load | Generate, *, features: Any = (), cancel_at: int | None = None
    ) -> list[Event]:
        events: list[Event] = []

        def emit(_: int, event: Event) -> None:
            events.append(event)
            if len(events) == cancel_at:
                job.cancel()

        job = Job(1, work, emit=emit, features=features)
        assert job.begin()
        self.inference.perform(job)
        return events


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


def test_warm_logits_equal_cold_ones(talk: Talk) -> None:
    resident = talk.inference._resident
    assert resident is not None
    model = resident.loaded.model
    ids = resident.renderer.render(ask(LONG, "Yes.", LONG), []).ids
    cold = model(mx.array([ids]), cache=model.make_cache())
    store, cache = PromptCache(), model.make_cache()
    for start, stop in ((0, 100), (100, 101), (101, 260)):
        mx.eval(model(mx.array([ids[start:stop]]), cache=cache))
        store.keep(ids[:stop], (), cache)
    # Going on must leave all that was kept as it is.
    mx.eval(model(mx.array([ids[260:270]]), cache=cache))
    for stop in (100, 101, 260):
        snapshot = store.find(Prompt(ids[: stop + 1], (), ()))
        assert snapshot is not None
        assert len(snapshot.ids) == stop
        warm = model(mx.array([ids[stop:]]), cache=snapshot.to_cache())
        difference = mx.abs(warm - cold[:, stop:]).max().item()
        assert float(difference) < 1e-4  # type: ignore[arg-type]


class Layer:
    """A layer's cache, of which the prompt cache only looks at a few things."""

    def __init__(self, offset: int, nbytes: int = 1) -> None:
        self.offset, self.nbytes, self.state = offset, nbytes, (offset,)

    @classmethod
    def from_state(cls, state: tuple[int]) -> Layer:
        return cls(*state)


SPAN = MediaSpan(2, 4, "image", "ab", 70)


def prompt(*ids: int, spans: tuple[MediaSpan, ...] = ()) -> Prompt:
    return Prompt(ids, spans, ())


def test_the_longest_beginning_is_found() -> None:
    cache = PromptCache()
    for ids in ((1,), (1, 2), (1, 2, 3), (1, 9)):
        cache.keep(ids, (), [Layer(len(ids))])
    found = cache.find(prompt(1, 2, 3))
    assert found is not None
    assert found.ids == (1, 2)
    assert [layer.offset for layer in found.to_cache()] == [2]
    assert cache.find(prompt(2, 1)) is None
    assert cache.token_count == 8


def test_a_state_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3 tokens is not that of 2"):
        PromptCache().keep((1, 2), (), [Layer(3)])


@pytest.mark.parametrize(
    "change", [{"sha256": "cd"}, {"token_budget": 140}, {"kind": "audio"}, {"start": 1}]
)
def test_media_must_be_the_same(change: dict[str, Any]) -> None:
    cache = PromptCache()
    cache.keep((1, 2, 8, 8, 3), (SPAN,), [Layer(5)])
    assert cache.find(prompt(1, 2, 8, 8, 3, 4, spans=(SPAN,)))
    assert not cache.find(prompt(1, 2, 8, 8, 3, 4, spans=(replace(SPAN, **change),)))
    assert not cache.find(prompt(1, 2, 8, 8, 3, 4))


def test_media_further_on_do_not_matter() -> None:
    cache = PromptCache()
    cache.keep((1, 2), (SPAN,), [Layer(2)])
    assert cache.find(prompt(1, 2, 8, 8, 3, spans=(SPAN,)))
    assert cache.find(prompt(1, 2, 3))


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache = PromptCache(max_bytes=20)
    cache.keep((1,), (), [Layer(1, 10)])
    cache.keep((2,), (), [Layer(1, 10)])
    assert cache.find(prompt(1, 0))
    cache.keep((3,), (), [Layer(1, 10)])
    assert cache.find(prompt(1, 0))
    assert not cache.find(prompt(2, 0))
    cache.keep((4,), (), [Layer(1, 100)])
    assert not cache.find(prompt(3, 0))
    assert cache.find(prompt(4, 0))


def test_their_number_is_bounded_and_none_is_kept_twice() -> None:
    cache = PromptCache(max_snapshots=3)
    for number in (1, 2, 2, 2, 3):
        cache.keep((number,), (), [Layer(1)])
    assert cache.find(prompt(1, 0))
    cache.keep((4,), (), [Layer(1)])
    assert not cache.find(prompt(2, 0))
    assert cache.token_count == 3
    cache.clear()
    assert cache.find(prompt(4, 0)) is None
