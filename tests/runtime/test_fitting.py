"""A prompt that leaves room, and what is left out of one that does not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.conversation import TextPart
from gemma_tui.errors import ContextOverflowError
from gemma_tui.generation import (
    GenerationRequest,
    Media,
    ModelInfo,
    PromptMessage,
    PromptPart,
)
from gemma_tui.options import GenerationOptions
from gemma_tui.runtime.fitting import Fitted, Fitting, reserved_tokens
from gemma_tui.runtime.prompt import PromptFlavour, PromptRenderer

if TYPE_CHECKING:
    from gemma_tui.options import Overflow
    from gemma_tui.runtime.tokenizer import Tokenizer

MODEL = ModelInfo("the model", "folder", True, True, 1000, 280, 1)
PICTURE = Media("image", "ab", "path", "cat.png", 70)


@pytest.fixture(scope="module")
def renderer(tokenizer: Tokenizer) -> PromptRenderer:
    return PromptRenderer(tokenizer, PromptFlavour.OPEN)


def conversation(
    turns: int, *, pictures: tuple[int, ...] = (), overflow: Overflow = "drop_oldest"
) -> GenerationRequest:
    """Questions and answers of about twenty tokens each, and a last question."""
    messages: list[PromptMessage] = []
    for number in range(turns):
        media: tuple[PromptPart, ...] = (PICTURE,) if number in pictures else ()
        text = TextPart(f"Question {number} " + "about shapes " * 5)
        messages.append(PromptMessage("user", (*media, text)))
        messages.append(PromptMessage("model", (TextPart(f"Answer {number} " * 6),)))
    messages.append(PromptMessage("user", (TextPart("The last question"),)))
    options = GenerationOptions(max_tokens=50, overflow=overflow)
    return GenerationRequest(tuple(messages), "The system prompt", options)


def fitting(
    request: GenerationRequest, renderer: PromptRenderer, context: int, soft: int = 63
) -> Fitting:
    model = replace(MODEL, context_length=context)
    return Fitting(request, [soft] * len(request.media), renderer=renderer, model=model)


def test_a_conversation_that_fits_is_left_alone(renderer: PromptRenderer) -> None:
    request = conversation(3, pictures=(1,))
    request = replace(request, options=GenerationOptions(max_tokens=10))
    whole = renderer.render(request, [63])
    needed = len(whole.ids) + 10
    assert fitting(request, renderer, needed).fit() == Fitted(request, whole, None)
    with pytest.raises(ContextOverflowError, match=": 1 too many"):
        fitting(request, renderer, needed - 1).fit()


def test_the_error_has_the_numbers_and_the_choices(renderer: PromptRenderer) -> None:
    request = conversation(4, pictures=(0, 2), overflow="refuse")
    tokens = len(renderer.render(request, [63, 63]).ids)
    with pytest.raises(ContextOverflowError) as caught:
        fitting(request, renderer, 400).fit()
    assert caught.value.message == (
        f"The conversation takes {tokens:,} tokens and its reply needs 50, but the context of "
        f"the model holds 400: {tokens + 50 - 400:,} too many."
    )
    assert caught.value.hint == (
        "Have the oldest turns left out (F8 in the app), remove pictures or sounds (they take 126 "
        "tokens), or start a new conversation."
    )


def test_a_single_question_that_is_too_long_is_refused_anyway(renderer: PromptRenderer) -> None:
    for turns in (0, 3):
        request = conversation(turns)
        long = PromptMessage("user", (TextPart("shapes and colors " * 200),))
        request = replace(request, messages=(*request.messages[:-1], long))
        with pytest.raises(ContextOverflowError) as caught:
            fitting(request, renderer, 300).fit()
        assert caught.value.hint == "Ask something shorter."


@given(turns=st.integers(1, 12), context=st.integers(150, 900), data=st.data())
def test_whole_oldest_turns_are_left_out(
    renderer: PromptRenderer, turns: int, context: int, data: st.DataObject
) -> None:
    pictures = tuple(data.draw(st.sets(st.integers(0, turns - 1), max_size=3)))
    request = conversation(turns, pictures=pictures)
    fitted = fitting(request, renderer, context).fit()
    kept = fitted.request.messages
    dropped = len(request.messages) - len(kept)
    whole = len(renderer.render(request, [63] * len(request.media)).ids)
    assert kept == request.messages[dropped:]
    assert dropped % 2 == 0
    assert fitted.request.system_prompt == request.system_prompt
    assert fitted.prompt == renderer.render(fitted.request, [63] * len(fitted.request.media))
    assert len(fitted.prompt.ids) + reserved_tokens(50, context) <= context
    if fitted.left_out is None:
        assert dropped == 0
    else:
        assert fitted.left_out.count == dropped // 2 > 0
        assert fitted.left_out.tokens == whole - len(fitted.prompt.ids)


def test_the_beginning_stays_the_same_for_several_turns(renderer: PromptRenderer) -> None:
    lengths = [len(renderer.render(conversation(turns), []).ids) for turns in (10, 11)]
    context = 24 * (lengths[1] - lengths[0])
    begins = []
    for turns in range(30, 50):
        request = conversation(turns)
        fitted = fitting(request, renderer, context).fit()
        begins.append(request.messages.index(fitted.request.messages[0]))
    changes = sum(before != after for before, after in pairwise(begins))
    assert begins == sorted(begins)
    assert 2 <= changes <= len(begins) // 2


def test_the_reply_so_far_counts(renderer: PromptRenderer) -> None:
    request = conversation(1)
    model = replace(MODEL, context_length=300)
    bare = Fitting(request, [], renderer=renderer, model=model).size()
    size = Fitting(request, [], renderer=renderer, model=model, reply_ids=range(300, 340)).size()
    assert (size.tokens, size.reserved_tokens) == (bare.tokens + 40, 37)
    assert size.excess == max(0, size.tokens + 37 - 300)


@pytest.mark.parametrize(
    ("wanted", "context", "reserved"),
    [(4096, 131_072, 256), (50, 8192, 50), (4096, 800, 100), (9, 4, 1)],
)
def test_every_reply_has_some_room(wanted: int, context: int, reserved: int) -> None:
    assert reserved_tokens(wanted, context) == reserved
