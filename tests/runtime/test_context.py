"""Counting and fitting with the built-in model: the numbers are those of the prompt it reads."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import ContextOverflowError, ModelError
from gemma_tui.generation import ReplySoFar, TurnsLeftOut
from tests.engine.scenes import ask, picture, png, wav
from tests.runtime.asking import Asking

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
CONTEXT = 240
LONG = "Tell me about shapes and colors, and about digits too. " * 4


@pytest.fixture(scope="module")
def model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """The built-in model with a short context."""
    folder = tmp_path_factory.mktemp("model") / "short"
    shutil.copytree(tiny_model, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["text_config"]["max_position_embeddings"] = CONTEXT
    path.write_text(json.dumps(config))
    with ThreadPoolExecutor(1) as pool:
        yield Asking(folder, pool)


def test_what_is_counted_is_what_is_read(model: Asking, tmp_path: Path) -> None:
    media = (png(tmp_path / "red.png", (255, 0, 0), side=96), wav(tmp_path / "click.wav"))
    known = (replace(media[0], width=96, height=96), replace(media[1], sample_count=16_000))
    for thinking in (False, True):
        request = ask(
            "What is this?",
            "A click.",
            "Sure?",
            media=media,
            system="Be brief.",
            thinking=thinking,
            max_tokens=1,
        )
        size = model.inference.count(request)
        usage = model.ask(request).end.usage
        assert size.tokens == usage.prompt_tokens
        assert (size.media_tokens, size.context_length, size.reserved_tokens) == (
            64 + 25,
            CONTEXT,
            1,
        )
        with_sizes = ask(
            "What is this?",
            "A click.",
            "Sure?",
            media=known,
            system="Be brief.",
            thinking=thinking,
            max_tokens=1,
        )
        assert model.inference.count(with_sizes) == size


def test_known_sizes_are_counted_without_the_file(model: Asking, tmp_path: Path) -> None:
    picture = png(tmp_path / "red.png", (255, 0, 0), side=96)
    (tmp_path / "red.png").unlink()
    request = ask("What is this?", media=(replace(picture, width=96, height=96),))
    assert model.inference.count(request).media_tokens == 64


def test_the_reply_so_far_is_counted(model: Asking) -> None:
    request = ask("What are you?", max_tokens=7)
    cut = model.ask(request)
    bare = model.inference.count(request).tokens
    assert model.inference.count(replace(request, reply=cut.so_far)).tokens == bare + 7
    assert model.inference.count(replace(request, reply=ReplySoFar(()))).tokens == bare


def test_without_a_model_nobody_can_count() -> None:
    import logging

    from gemma_tui.runtime.inference import Inference

    with pytest.raises(ModelError, match="No model"):
        Inference(logging.getLogger("test")).count(ask("Hi"))


def test_a_conversation_that_is_too_long_is_refused_with_the_numbers(model: Asking) -> None:
    request = ask(LONG, "Yes.", LONG, "Yes.", LONG)
    size = model.inference.count(request)
    assert size.excess > 0
    with pytest.raises(ContextOverflowError) as caught:
        model.ask(request)
    assert f"{size.tokens:,} tokens" in caught.value.message
    assert f"{size.excess:,} too many" in caught.value.message


def test_the_oldest_turns_are_left_out_with_their_media(model: Asking, tmp_path: Path) -> None:
    media = (png(tmp_path / "red.png", (255, 0, 0)),)
    whole = ask(LONG, "Yes.", LONG, "Yes.", "What are you?", media=media, system="Be brief.")
    wanted = replace(whole, options=replace(whole.options, overflow="drop_oldest"))
    reply = model.ask(wanted)
    (left_out,) = [event for event in reply.events if isinstance(event, TurnsLeftOut)]
    assert left_out.count == 1
    shorter = replace(wanted, messages=whole.messages[2:])
    before, after = model.inference.count(whole), model.inference.count(shorter)
    assert left_out.tokens == before.tokens - after.tokens
    assert reply.end.usage.prompt_tokens == after.tokens
    model.forget()
    alone = model.ask(shorter)
    assert (alone.ids, alone.end.reason) == (reply.ids, "stop")
    assert not any(isinstance(event, TurnsLeftOut) for event in alone.events)


def test_a_picture_of_a_turn_that_stays_is_seen(model: Asking, tmp_path: Path) -> None:
    """What is left out before it must not shift which features belong to which medium."""
    red = picture(EXAMPLES / "red-circle.png")
    blue = png(tmp_path / "blue.png", (0, 0, 255))
    old = ask(LONG, "Yes.", media=(blue,)).messages
    new = ask("What is this?", media=(red,))
    request = replace(new, messages=(*old, *ask(LONG, "Yes.").messages, *new.messages))
    reply = model.ask(replace(request, options=replace(new.options, overflow="drop_oldest")))
    assert any(isinstance(event, TurnsLeftOut) for event in reply.events)
    kept = model.inference.count(request).tokens - reply.end.usage.prompt_tokens
    (left_out,) = [event for event in reply.events if isinstance(event, TurnsLeftOut)]
    assert left_out.tokens == kept
    messages = request.messages[2 * left_out.count :]
    model.forget()
    assert reply.ids == model.ask(replace(new, messages=messages)).ids
    assert "red" in reply.text.lower()


def test_a_reply_never_leaves_the_context(model: Asking) -> None:
    request = ask(LONG, "Yes.", LONG, max_tokens=10_000)
    size = model.inference.count(request)
    assert size.excess == 0
    assert size.reserved_tokens == CONTEXT // 8
    assert model.ask(request).end.usage.context_tokens <= CONTEXT
