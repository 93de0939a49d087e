"""What ends a reply, and how one that was cut off goes on: with the built-in model."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.errors import UsageError
from gemma_tui.generation import GenerationRequest, ReplySoFar, Resumed
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.runtime import repetition
from gemma_tui.runtime.tokenizer import Control
from tests.engine.scenes import ask, endless
from tests.runtime.asking import Answered, Asking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUESTION = ask("What are you?")
THINKING = ask("What are you?", thinking=True)
WILD = SamplingOptions(temperature=5.0, top_k=0, top_p=1.0, seed=0)


def changed(request: GenerationRequest, **changes: object) -> GenerationRequest:
    """The request with other options."""
    options = replace(request.options, **changes)  # type: ignore[arg-type]
    return replace(request, options=options)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


@pytest.fixture(scope="module")
def model(tiny_model: Path, pool: ThreadPoolExecutor) -> Asking:
    return Asking(tiny_model, pool)


@pytest.fixture(scope="module")
def talker(
    tiny_model: Path, pool: ThreadPoolExecutor, tmp_path_factory: pytest.TempPathFactory
) -> Asking:
    """A model that never stops by itself."""
    return Asking(endless(tiny_model, tmp_path_factory.mktemp("model")), pool)


@pytest.fixture(scope="module")
def whole(model: Asking) -> Answered:
    """The greedy reply to `QUESTION`."""
    reply = model.ask(QUESTION)
    assert reply.end.reason == "stop"
    return reply


@pytest.fixture(scope="module")
def thought_out(model: Asking) -> Answered:
    """The greedy reply to `THINKING`."""
    reply = model.ask(THINKING)
    assert reply.end.reason == "stop"
    assert reply.thought
    assert reply.text
    return reply


def same(found: Answered, expected: Answered) -> None:
    assert found.ids == expected.ids
    assert found.parts == expected.parts
    assert found.end.reason == expected.end.reason


class TestGoingOn:
    @pytest.mark.parametrize("length", [1, 2, 20, 33])
    def test_a_reply_cut_off_by_its_length(
        self, model: Asking, whole: Answered, length: int
    ) -> None:
        cut = model.ask(changed(QUESTION, max_tokens=length))
        assert (cut.end.reason, cut.ids) == ("length", whole.ids[:length])
        assert cut.end.usage.generated_tokens == length
        warm = model.go_on(QUESTION, cut)
        same(warm, whole)
        # Nothing of the reply is read again: its last token is where decoding goes on.
        assert length == 1 or warm.end.usage.cached_tokens == warm.end.usage.prompt_tokens - 1
        model.forget()
        same(model.go_on(QUESTION, cut), whole)

    @pytest.mark.parametrize("length", [1, 3, 12, 13, 14])
    def test_inside_a_thought_and_at_its_end(
        self, model: Asking, thought_out: Answered, length: int
    ) -> None:
        cut = model.ask(changed(THINKING, max_tokens=length))
        same(model.go_on(THINKING, cut), thought_out)

    def test_cut_off_again_and_again(self, model: Asking, thought_out: Answered) -> None:
        request = changed(THINKING, max_tokens=6)
        reply = model.ask(request)
        for _ in range(9):
            if reply.end.reason != "length":
                break
            reply = model.go_on(request, reply)
        same(reply, thought_out)

    @pytest.mark.parametrize("cancel_at", [3, 6])
    def test_cancelled(self, model: Asking, whole: Answered, cancel_at: int) -> None:
        cut = model.ask(QUESTION, cancel_at=cancel_at)
        assert cut.end.reason == "cancelled"
        assert 0 < len(cut.ids) < len(whole.ids)
        same(model.go_on(QUESTION, cut), whole)

    def test_inside_a_character(self, talker: Asking) -> None:
        request = changed(ask("Count", sampling=WILD), max_tokens=16)
        uncut = talker.ask(request)
        piece = talker.resident.tokenizer.piece
        inside = [n for n, token in enumerate(uncut.ids) if isinstance(piece(token), bytes)]
        assert len(inside) > 5
        for length in inside[:6]:
            cut = talker.ask(changed(request, max_tokens=length + 1))
            same(talker.go_on(changed(request, max_tokens=15 - length), cut), uncut)

    def test_what_was_not_delivered_is_said_again(self, model: Asking, whole: Answered) -> None:
        """An app that died has stored fewer tokens than the engine has written."""
        model.ask(QUESTION)
        stored = Answered(whole.events[:9])
        assert 0 < len(stored.ids) < 10
        same(model.go_on(QUESTION, stored), whole)

    def test_the_resumed_reply_comes_first(self, model: Asking) -> None:
        cut = model.ask(changed(THINKING, max_tokens=18))
        events = model.go_on(THINKING, cut).events
        (place,) = [n for n, event in enumerate(events) if isinstance(event, Resumed)]
        assert events[place] == Resumed(cut.parts, cut.ids)
        assert {type(part) for part in cut.parts} == {TextPart, ThoughtPart}

    def test_without_ids_the_text_goes_on(self, model: Asking, whole: Answered) -> None:
        said = whole.text[:31]
        for ids in ((), (443, 321), (10**6,)):  # none, another text's, another vocabulary's
            request = replace(QUESTION, reply=ReplySoFar((TextPart(said),), ids))
            reply = model.ask(request)
            assert reply.text.startswith(said)
            assert len(reply.text) > len(said)
            assert not ids or reply.ids[: len(ids)] != ids

    def test_without_ids_a_thought_is_still_one(self, model: Asking, thought_out: Answered) -> None:
        thought, text = thought_out.thought, thought_out.text[:5]
        whole = ReplySoFar((ThoughtPart(thought), TextPart(text)))
        reply = model.ask(replace(THINKING, reply=whole))
        assert (reply.thought, reply.text[:5]) == (thought, text)
        half = ReplySoFar((ThoughtPart(thought[:12]),))
        reply = model.ask(replace(THINKING, reply=half))
        assert reply.thought.startswith(thought[:12])
        assert reply.text


class TestStopStrings:
    def test_the_answer_ends_before_it(self, model: Asking, whole: Answered) -> None:
        for stop in ("of the Gemma", "m a", whole.text[-3:]):
            reply = model.ask(changed(QUESTION, stop=("not in it", stop)))
            assert reply.end.reason == "stop"
            assert reply.text == whole.text.partition(stop)[0]

    def test_one_that_never_comes_changes_nothing(self, model: Asking, whole: Answered) -> None:
        same(model.ask(changed(QUESTION, stop=("talk!", "I am huge"))), whole)

    def test_a_thought_does_not_end_the_answer(self, model: Asking, thought_out: Answered) -> None:
        stop = thought_out.thought[4:9]
        assert stop not in thought_out.text
        same(model.ask(changed(THINKING, stop=(stop,))), thought_out)

    def test_one_that_a_break_cuts_in_two_is_taken_back(
        self, model: Asking, whole: Answered
    ) -> None:
        stop = "tiny demo of the"
        request = changed(QUESTION, stop=(stop,))
        cut = model.ask(changed(request, max_tokens=6))
        begin = whole.text.index(stop)
        assert begin < len(cut.text) < begin + len(stop)
        reply = model.go_on(request, cut)
        assert (reply.text, reply.end.reason) == (whole.text[:begin], "stop")

    def test_the_next_turn_is_exact(self, model: Asking) -> None:
        reply = model.ask(changed(QUESTION, stop=("demo",)))
        following = ask("What are you?", reply.text, "Hello!")
        warm = model.ask(following)
        model.forget()
        same(model.ask(following), warm)


class TestThoughts:
    def thought_ids(self, model: Asking, reply: Answered) -> tuple[int, ...]:
        """The tokens of the thought, without its name."""
        tokenizer = model.resident.tokenizer
        end = reply.ids.index(tokenizer.id_of(Control.CHANNEL_END))
        name = len(tokenizer.encode_text("thought\n"))
        assert reply.ids[0] == tokenizer.id_of(Control.CHANNEL_START)
        return reply.ids[1 + name : end]

    @pytest.mark.parametrize("most", [1, 4])
    def test_a_thought_that_is_too_long_is_closed_and_the_answer_begins(
        self, model: Asking, thought_out: Answered, most: int
    ) -> None:
        reply = model.ask(changed(THINKING, max_thought_tokens=most))
        newline = model.resident.tokenizer.encode_text("\n")
        assert self.thought_ids(model, thought_out)[:most] == self.thought_ids(model, reply)[:most]
        assert self.thought_ids(model, reply)[most:] == newline
        assert reply.end.reason == "stop"
        assert thought_out.thought.startswith(reply.thought)
        assert reply.text
        assert reply.end.usage.generated_tokens == len(reply.ids) + 1
        model.forget()
        same(model.ask(changed(THINKING, max_thought_tokens=most)), reply)

    @pytest.mark.parametrize("length", [7, 8, 9])
    def test_a_break_around_the_forced_end_changes_nothing(
        self, model: Asking, length: int
    ) -> None:
        request = changed(THINKING, max_thought_tokens=4)
        cut = model.ask(changed(request, max_tokens=length))
        same(model.go_on(request, cut), model.ask(request))

    def test_the_forced_tokens_are_in_the_cache(self, model: Asking) -> None:
        request = changed(THINKING, max_thought_tokens=3)
        cut = model.ask(changed(request, max_tokens=10))
        warm = model.go_on(request, cut)
        assert warm.end.usage.cached_tokens == warm.end.usage.prompt_tokens - 1
        model.forget()
        same(model.go_on(request, cut), warm)

    def test_a_short_thought_is_left_alone(self, model: Asking, thought_out: Answered) -> None:
        same(model.ask(changed(THINKING, max_thought_tokens=200)), thought_out)


class TestSampling:
    def test_the_same_seed_says_the_same_warm_or_cold(self, talker: Asking) -> None:
        request = changed(ask("Count", sampling=WILD), max_tokens=12)
        talker.forget()
        cold, warm = talker.ask(request), talker.ask(request)
        assert warm.end.usage.cached_tokens > 0
        same(warm, cold)
        other = ask("Count", sampling=replace(WILD, seed=1))
        assert talker.ask(changed(other, max_tokens=12)).ids != cold.ids

    def test_penalties_count_the_reply_so_far(self, talker: Asking) -> None:
        plain = talker.ask(changed(ask("Count"), max_tokens=14))
        for options in ({"presence_penalty": 60.0}, {"repetition_penalty": 1e4}):
            sampling = SamplingOptions(temperature=0, **options)  # type: ignore[arg-type]
            request = changed(ask("Count", sampling=sampling), max_tokens=14)
            uncut = talker.ask(request)
            assert len(set(uncut.ids)) > len(set(plain.ids))
            cut = talker.ask(changed(request, max_tokens=7))
            same(talker.go_on(changed(request, max_tokens=7), cut), uncut)

    def test_what_the_user_leaves_open_is_as_the_model_says(
        self, tiny_model: Path, pool: ThreadPoolExecutor, tmp_path: Path
    ) -> None:
        import shutil

        folder = tmp_path / "model"
        shutil.copytree(tiny_model, folder)
        path = folder / "generation_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "temperature": 0.0}))
        greedy = Asking(folder, pool)
        reply = greedy.ask(changed(QUESTION, sampling=SamplingOptions(), max_tokens=9))
        assert reply.ids == greedy.ask(changed(QUESTION, max_tokens=9)).ids


class TestLoops:
    @pytest.fixture
    def stubborn(self, tiny_model: Path, pool: ThreadPoolExecutor, tmp_path: Path) -> Asking:
        """A model that knows one word."""
        folder = endless(tiny_model, tmp_path)
        path = folder / "generation_config.json"
        config = json.loads(path.read_text())
        size = json.loads((folder / "config.json").read_text())["text_config"]["vocab_size"]
        config["suppress_tokens"] = [token for token in range(size) if token != 500]
        path.write_text(json.dumps(config))
        return Asking(folder, pool)

    def test_a_loop_ends_with_its_reason_and_may_go_on(
        self, stubborn: Asking, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(repetition, "MIN_TOKENS", 12)
        request = changed(QUESTION, max_tokens=40)
        reply = stubborn.ask(request)
        assert reply.end.reason == "repetition"
        assert reply.ids == (500,) * 13
        again = stubborn.go_on(request, reply)
        assert (again.end.reason, again.ids) == ("repetition", (500,) * 26)
        assert again.end.usage.cached_tokens == again.end.usage.prompt_tokens - 1
        free = stubborn.ask(changed(request, stops_loops=False, max_tokens=20))
        assert (free.end.reason, len(free.ids)) == ("length", 20)


@pytest.mark.parametrize(
    "options",
    [
        GenerationOptions(max_thought_tokens=0),
        GenerationOptions(stop=("a", "")),
        GenerationOptions(max_tokens=0),
        GenerationOptions(SamplingOptions(min_p=1.5)),
        GenerationOptions(SamplingOptions(repetition_penalty=0.0)),
        GenerationOptions(SamplingOptions(presence_penalty=float("inf"))),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(model: Asking, options: GenerationOptions) -> None:
    with pytest.raises(UsageError) as caught:
        model.ask(replace(QUESTION, options=options))
    assert caught.value.hint
