"""Whatever is done to conversations, in whatever order: a warm reply equals a cold one.

Every walk asks, asks again, edits, branches, continues what was cut off, swaps pictures, switches
between conversations and starts anew from disk, at random and under little memory. After each
reply the same tokens are read from the first one on by a network that remembers nothing.
"""

from __future__ import annotations

import json
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import mlx.core as mx
import pytest

from gemma_tui.conversation import TextPart
from gemma_tui.engine.protocol import Generate
from gemma_tui.generation import (
    GenerationRequest,
    Media,
    PromptMessage,
    ReplySoFar,
    TextDelta,
    ThoughtDelta,
)
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.preprocessing.image import image_features
from gemma_tui.runtime.answer import _MEDIA_MARKERS
from gemma_tui.runtime.gemma4.merge import join_soft_tokens
from gemma_tui.runtime.jobs import Job
from gemma_tui.runtime.reply import Reply
from gemma_tui.runtime.reply_ids import to_parts
from gemma_tui.runtime.reply_parser import ReplyParser
from gemma_tui.runtime.safetensors import read_header
from tests.engine.scenes import GREEDY, png
from tests.golden import recipe
from tests.runtime.gemma4.checkpoint import safetensors_bytes
from tests.runtime.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gemma_tui.engine.protocol import Event
    from gemma_tui.runtime.fitting import Fitted
    from gemma_tui.runtime.prompt import Prompt

WALKS, STEPS = 26, 4
"""Walks of one test, of which there are eight, and replies of one walk."""

SENTENCES = (
    "What are you?",
    "Hello!",
    "Tell me about digits.",
    "Sure?",
    "Name a color and a shape.",
)

_ROOM = 200_000
"""Bytes of snapshots: about the ends of two short conversations, so that much is dropped."""


class Told(Reply):
    """A reply that tells its prompt and its tokens."""

    fitted: Fitted | None = None
    drawn: tuple[int, ...] = ()
    """Without one that ended it."""
    reason = ""

    def _fit(self, counts: list[int]) -> Fitted:
        self.fitted = super()._fit(counts)
        return self.fitted


class Cold:
    """The same network, which reads every prompt from its first token on, in one piece."""

    def __init__(self, warm: Talk, pictures: Sequence[Media]) -> None:
        self._loaded, tokenizer = warm.resident.loaded, warm.resident.tokenizer
        self._never = sorted(
            {tokenizer.id_of(marker) for marker in _MEDIA_MARKERS} | {*self._loaded.suppressed_ids}
        )
        self._soft = {
            picture.sha256: self._loaded.model.encode_image(
                image_features(Path(picture.path), picture.name, picture.token_budget)
            )
            for picture in pictures
        }

    def likeliest(self, prompt: Prompt, written: tuple[int, ...]) -> tuple[int, ...]:
        """The likeliest token after the prompt, and after each token of the reply but the last."""
        model = self._loaded.model
        soft = join_soft_tokens([(span.start, self._soft[span.sha256]) for span in prompt.spans])
        ids = mx.array([prompt.ids + written[:-1]])
        logits = model(ids, cache=model.make_cache(), soft=soft)[0, len(prompt.ids) - 1 :]
        logits[:, mx.array(self._never)] = -mx.inf
        return tuple(mx.argmax(logits, axis=-1).tolist())  # type: ignore[arg-type]


class Walker:
    """Conversations, and the two models that are asked about them."""

    def __init__(self, warm: Talk, cold: Cold, pictures: Sequence[Media], seed: int) -> None:
        self.warm, self.cold, self.pictures = warm, cold, pictures
        self.random = random.Random(seed)
        self.conversations: list[list[PromptMessage]] = [[]]
        self.cut_off: GenerationRequest | None = None
        self.known = 0

    def step(self) -> None:
        move = self.random.choice(
            (self.say, self.say, self.regenerate, self.edit, self.branch, self.swap, self.go_on)
        )
        move()
        match self.random.randrange(6):
            case 0 | 1 | 2:
                self.warm.pause()
            case 3:
                self.warm.pause(self.random.randrange(4))
            case 4:
                self.warm.pause()
                self.warm.restart()
            case _:
                pass
        if len(self.conversations) > 1 and self.random.random() < 0.3:  # switch to another one
            self.conversations.insert(0, self.conversations.pop())

    def say(self) -> None:
        """The next turn."""
        self.conversations[-1].append(self.user_message())
        self.ask()

    def regenerate(self) -> None:
        """Another reply to the same turn: drop it, and draw one that is not the likeliest."""
        messages = self.conversations[-1]
        if not messages or messages[-1].role == "user":
            return self.say()
        messages.pop()
        return self.ask(sampling=self.random.random() < 0.5)

    def edit(self) -> None:
        """Another message in the place of an earlier one; what followed is gone."""
        messages = self.conversations[-1]
        messages[self.place() :] = [self.user_message()]
        self.ask()

    def branch(self) -> None:
        """A new conversation that begins like the present one."""
        begun = self.conversations[-1][: self.place()]
        self.conversations.append([*begun, self.user_message()])
        self.ask()

    def swap(self) -> None:
        """Another picture of the same size in the place of one."""
        messages = self.conversations[-1]
        places = [n for n, m in enumerate(messages) if isinstance(m.parts[0], Media)]
        if not places:
            return self.say()
        place = self.random.choice(places)
        other = self.random.choice(self.pictures)
        messages[place] = replace(messages[place], parts=(other, *messages[place].parts[1:]))
        if messages[-1].role == "model":
            messages.pop()
        return self.ask()

    def go_on(self) -> None:
        """More of the reply that was cut off last, behind its exact tokens."""
        if self.cut_off is None:
            return self.say()
        return self.compare(self.cut_off)

    def ask(self, *, sampling: bool = False) -> None:
        """Have the last message of the present conversation answered, and append the answer."""
        messages = self.conversations[-1]
        options = GenerationOptions(GREEDY, max_tokens=self.random.choice((1, 2, 3, 8)))
        if sampling:
            drawn = SamplingOptions(
                temperature=2.0, top_k=0, top_p=1.0, seed=self.random.randrange(9)
            )
            options = replace(options, sampling=drawn)
        self.compare(GenerationRequest(tuple(messages), "Be brief.", options))

    def compare(self, request: GenerationRequest) -> None:
        """Have `request` answered, and compare each likeliest token."""
        told = self.answer(request)
        assert told.fitted is not None
        loaded, tokenizer = self.warm.resident.loaded, self.warm.resident.tokenizer
        if request.options.sampling == GREEDY:
            ending = (min(loaded.stop_ids),) if told.reason == "stop" else ()
            *expected, last = self.cold.likeliest(told.fitted.prompt, told.drawn + ending) or (0,)
            known = f"{told._cached} tokens were known"
            assert told.drawn == (tuple(expected) if ending else (*expected, last)), known
            assert not ending or last in loaded.stop_ids, known
        self.known += told._cached
        so_far = request.reply.token_ids if request.reply else ()
        parser, ids = ReplyParser(tokenizer), so_far + told.drawn
        parts = to_parts([delta for token in ids for delta in parser.add(token)])
        is_cut_off = told.reason != "stop" and ids
        self.cut_off = replace(request, reply=ReplySoFar(parts, ids)) if is_cut_off else None
        if not so_far:
            # A reply without text is left out, as the conversation would; then it ends with a
            # question, which the next one follows.
            whole = (*parts, *to_parts(parser.finish()))
            text = "".join(part.text for part in whole if isinstance(part, TextPart))
            if text.strip():
                self.conversations[-1].append(PromptMessage("model", (TextPart(text),)))

    def answer(self, request: GenerationRequest) -> Told:
        events: list[Event] = []

        def emit(_: int, event: Event) -> None:
            events.append(event)

        job = Job(1, Generate(request), emit=emit, features=self.warm.requests(request))
        told = Told(self.warm.resident, request, job)
        end = told.write()
        deltas = [event for event in events if isinstance(event, ThoughtDelta | TextDelta)]
        told.drawn = tuple(token for event in (*deltas, end) for token in event.token_ids)
        told.reason = end.reason
        self.warm.inference._replay = told.keep()
        return told

    def place(self) -> int:
        """Where a user's message stands in the present conversation, or would stand next."""
        messages = self.conversations[-1]
        places = [n for n, message in enumerate(messages) if message.role == "user"]
        return self.random.choice([*places, len(messages)])

    def user_message(self) -> PromptMessage:
        text = " ".join(self.random.choices(SENTENCES, k=self.random.choice((1, 1, 2, 4))))
        parts: tuple[TextPart | Media, ...] = (TextPart(text),)
        if self.random.random() < 0.25:
            parts = (self.random.choice(self.pictures), *parts)
        return PromptMessage("user", parts)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Media, ...]:
    """Pictures of one size, which take the same placeholders."""
    folder = tmp_path_factory.mktemp("pictures")
    colors = ((255, 0, 0), (0, 0, 255))
    return tuple(png(folder / f"{n}.png", color, side=48) for n, color in enumerate(colors))


@pytest.fixture(scope="module", params=["built-in", "random, window of 16"])
def warm(
    request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Talk]:
    """A model that remembers, in memory and on disk."""
    folder = tmp_path_factory.mktemp("walks")
    model = tiny_model
    if request.param != "built-in":
        model = random_model(tiny_model, folder / "model", window=16)
    with ThreadPoolExecutor(1) as pool:
        yield Talk(model, pool, folder / "cache")


@pytest.fixture(scope="module")
def cold(warm: Talk, pictures: tuple[Media, ...]) -> Cold:
    return Cold(warm, pictures)


def random_model(tiny_model: Path, folder: Path, *, window: int) -> Path:
    """The built-in model with weights that say nothing, and with a small window."""
    shutil.copytree(tiny_model, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["text_config"]["sliding_window"] = window
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    shapes = read_header(folder / "model.safetensors")
    tensors = {name: recipe.tensor(name, stored.shape) for name, stored in shapes.items()}
    (folder / "model.safetensors").write_bytes(safetensors_bytes(tensors))
    return folder


@pytest.mark.parametrize("part", range(4))
def test_a_warm_reply_equals_a_cold_one(
    warm: Talk, cold: Cold, pictures: tuple[Media, ...], part: int
) -> None:
    walks_with_use = 0
    for seed in range(part * WALKS, (part + 1) * WALKS):
        warm.restart()
        warm.resident.prompt_cache._max_bytes = random.Random(seed).choice((_ROOM, 1 << 30))
        walker = Walker(warm, cold, pictures, seed)
        for _ in range(STEPS):
            walker.step()
        walks_with_use += walker.known > 0
    assert walks_with_use > WALKS * 0.9
