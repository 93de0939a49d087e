"""What is checked when a network and its vocabulary come together, and what a failure leaves."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import mlx.core as mx
import pytest

from gemma_tui.engine.protocol import Event, Generate, Load
from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.read_config import read_config
from gemma_tui.runtime.inference import Inference, flavour_of
from gemma_tui.runtime.jobs import Job
from gemma_tui.runtime.prompt import PromptFlavour
from tests.engine.scenes import ask
from tests.golden import recipe

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.runtime.jobs import Work


@pytest.fixture
def mixed_up(tiny_model: Path, tmp_path: Path) -> Path:
    """A model whose config.json takes another token for a picture than its vocabulary."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["image_token_id"] += 1
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def refusal(inference: Inference, work: Work) -> str:
    def ignore(request_id: int, event: Event) -> None:
        pass

    with pytest.raises(ModelError) as caught:
        inference.perform(Job(1, work, emit=ignore))
    assert caught.value.hint
    return caught.value.message


def test_a_vocabulary_of_another_model_is_refused(mixed_up: Path) -> None:
    message = refusal(Inference(logging.getLogger("test")), Load(str(mixed_up)))
    assert "config.json and tokenizer.json disagree on <|image|>" in message


def test_more_tokens_than_embeddings_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    size = len(vocabulary["model"]["vocab"])
    vocabulary["model"]["vocab"]["one token more"] = size
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary), "utf-8")
    message = refusal(Inference(logging.getLogger("test")), Load(str(folder)))
    assert "disagree on the number of tokens" in message


def test_a_load_that_fails_late_leaves_no_weights_behind(mixed_up: Path) -> None:
    inference = Inference(logging.getLogger("test"))
    before = mx.get_active_memory()
    message = refusal(inference, Load(str(mixed_up)))
    assert mx.get_active_memory() - before < 1_000_000
    assert refusal(inference, Generate(ask("Hello"))) == message


def test_sizes_without_per_layer_inputs_begin_with_an_empty_thought() -> None:
    text = read_config(recipe.CONFIG).text
    assert flavour_of(text) is PromptFlavour.OPEN
    other = replace(text, hidden_size_per_layer_input=0)
    assert flavour_of(other) is PromptFlavour.EMPTY_THOUGHT
