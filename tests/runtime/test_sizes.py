"""A whole reply from each size: random small networks with the vocabulary of the built-in model."""

from __future__ import annotations

import copy
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.errors import CapabilityError
from gemma_tui.model_sizes import model_name
from gemma_tui.preprocessing.budget import audio_tokens, waveform_tokens
from gemma_tui.runtime.gemma4.read_config import read_config
from gemma_tui.runtime.gemma4.weights import mlx_name
from gemma_tui.runtime.inference import flavour_of
from gemma_tui.runtime.loader import load_model
from gemma_tui.runtime.prompt import PromptFlavour
from tests.engine.scenes import ask, png, wav
from tests.golden import recipe, sizes
from tests.runtime.gemma4.checkpoint import GOLDEN, recipe_tensors, write_folder
from tests.runtime.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEARING = ("e2b", "e4b", "12b")
SECONDS = 1.006
"""A clip of 16,096 samples: 25 soft tokens for a tower, 26 for 12B."""


def model_folder(size: str, folder: Path, tiny_model: Path) -> Path:
    """A random checkpoint whose ids are those of the built-in model's vocabulary."""
    tiny = json.loads((tiny_model / "config.json").read_text("utf-8"))
    config = copy.deepcopy(sizes.CONFIGS[size])
    config |= {name: value for name, value in tiny.items() if name.endswith(("_id", "_index"))}
    text, entries = config["text_config"], tiny["text_config"]["vocab_size"]
    text |= {"vocab_size": entries, "max_position_embeddings": 8192}
    if size in {"e2b", "e4b"}:
        text["vocab_size_per_layer_input"] = entries
    tensors = {
        name: recipe.tensor(name, (entries, *values.shape[1:]))
        if "embed_tokens" in name
        else values
        for name, values in recipe_tensors(size).items()
    }
    write_folder(folder, tensors, config)
    for name in ("tokenizer.json", "generation_config.json"):
        shutil.copy(tiny_model / name, folder / name)
    return folder


@pytest.fixture(scope="module", params=sizes.CONFIGS)
def size(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def talk(size: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    folder = model_folder(size, tmp_path_factory.mktemp(size), tiny_model)
    with ThreadPoolExecutor(1) as pool:
        yield Talk(folder, pool)


def test_a_second_turn_is_cheap_and_the_same_as_a_cold_one(
    size: str, talk: Talk, tmp_path: Path
) -> None:
    """With a picture of 64 soft tokens before it and a window of 32, which has long wrapped."""
    media = [png(tmp_path / "a.png", (200, 30, 30))]
    if talk.resident.loaded.info.can_hear:
        media.append(wav(tmp_path / "a.wav", seconds=SECONDS))
    questions = ask("What is this?", media=tuple(media), max_tokens=8)
    first, end = talk.reply(questions)
    assert end.usage.cached_tokens == 0
    again = ask("What is this?", first, "And now?", media=tuple(media), max_tokens=8)
    warm, warm_end = talk.reply(again)
    talk.inference.forget()
    cold, cold_end = talk.reply(again)
    assert warm == cold
    assert warm_end.usage.cached_tokens >= 64
    assert cold_end.usage.cached_tokens == 0


def test_each_size_says_what_it_can_and_how_its_prompt_ends(size: str, talk: Talk) -> None:
    assert talk.resident.loaded.info.can_see
    assert talk.resident.loaded.info.can_hear is (size in HEARING)
    config = read_config(sizes.CONFIGS[size])
    expected = PromptFlavour.OPEN if size in {"e2b", "e4b"} else PromptFlavour.EMPTY_THOUGHT
    assert flavour_of(config.text) is expected


def test_a_clip_costs_what_the_size_makes_of_it(size: str, talk: Talk, tmp_path: Path) -> None:
    clip = wav(tmp_path / "a.wav", seconds=SECONDS)
    request = ask("Hi.", media=(clip,), max_tokens=1)
    if size not in HEARING:
        with pytest.raises(CapabilityError, match="cannot hear"):
            talk.reply(request)
        return
    samples = round(SECONDS * 16_000)
    tokens = waveform_tokens(samples) if size == "12b" else audio_tokens(samples)
    assert tokens == (26 if size == "12b" else 25)
    _, without = talk.reply(ask("Hi.", max_tokens=1))
    _, end = talk.reply(request)
    markers = 2
    assert end.usage.prompt_tokens - without.usage.prompt_tokens == tokens + markers


def test_the_sound_of_a_video_is_left_out_by_a_size_that_cannot_hear(
    size: str, talk: Talk, tmp_path: Path
) -> None:
    """The question may be sent before anybody knows which model answers."""
    picture = png(tmp_path / "a.png", (200, 30, 30))
    sound = replace(wav(tmp_path / "a.wav", seconds=SECONDS), is_optional=True)
    both, end = talk.reply(ask("Hi.", media=(picture, sound), max_tokens=4))
    seen, seen_end = talk.reply(ask("Hi.", media=(picture,), max_tokens=4))
    if size in HEARING:
        assert end.usage.prompt_tokens > seen_end.usage.prompt_tokens + 20
    else:
        assert (both, end.usage.prompt_tokens) == (seen, seen_end.usage.prompt_tokens)


@pytest.mark.parametrize("unified", [False, True])
def test_a_decoder_by_itself_answers_as_within_its_model(
    unified: bool,
    tmp_path: Path,
) -> None:
    size = "12b" if unified else "e2b"
    prefix = "model.language_model."
    tensors = {
        name.replace(prefix, "model."): values
        for name, values in recipe_tensors(size).items()
        if name.startswith(prefix)
    }
    config = sizes.CONFIGS[size]["text_config"]
    loaded = load_model(write_folder(tmp_path / "text", tensors, config), lambda *_: None)
    assert not loaded.info.can_see
    assert not loaded.info.can_hear
    with np.load(GOLDEN / f"parity_{size}.npz") as golden:
        ids, best = golden["text/ids"], golden["text/best"]
    logits = loaded.model(mx.array(ids.astype(np.int32))[None], cache=loaded.model.make_cache())
    assert np.array_equal(np.asarray(logits[0]).argmax(-1), best)


@pytest.mark.parametrize(
    ("layers", "hidden", "name"),
    [
        (35, 1536, "Gemma 4 E2B"),
        (42, 2560, "Gemma 4 E4B"),
        (48, 3840, "Gemma 4 12B"),
        (30, 2816, "Gemma 4 26B-A4B"),
        (60, 5376, "Gemma 4 31B"),
        (10, 64, "Gemma 4 (my folder)"),
    ],
)
def test_sizes_are_known_by_name(layers: int, hidden: int, name: str) -> None:
    assert model_name(layers, hidden, "my folder") == name


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("model.vision_embedder.patch_ln1.weight", "vision_embedder.patch_ln1.weight"),
        ("model.embed_vision.patch_ln1.weight", "vision_embedder.patch_ln1.weight"),
        ("model.embed_vision.pos_embedding", "vision_embedder.pos_embedding"),
        ("vision_embedder.pos_norm.bias", "vision_embedder.pos_norm.bias"),
        (
            "model.embed_vision.multimodal_embedder.embedding_projection.weight",
            "embed_vision.embedding_projection.weight",
        ),
        (
            "model.embed_audio.embedding_projection.weight",
            "embed_audio.embedding_projection.weight",
        ),
        ("model.layers.0.layer_scalar", "language_model.model.layers.0.layer_scalar"),
        ("model.embed_tokens.weight", "language_model.model.embed_tokens.weight"),
        ("model.norm.weight", "language_model.model.norm.weight"),
        ("lm_head.weight", "language_model.lm_head.weight"),
    ],
)
def test_names_of_12b_and_of_decoders_by_themselves(stored: str, name: str) -> None:
    assert mlx_name(stored) == name
