"""The small checkpoints, each loaded once, and prompts with features of our own preprocessing."""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
import pytest
from PIL import Image

from gemma_tui.preprocessing.audio import audio_features
from gemma_tui.preprocessing.image import image_features
from gemma_tui.runtime.gemma4.merge import SoftTokens, join_soft_tokens
from gemma_tui.runtime.loader import LoadedModel, load_model
from tests.golden import recipe, sizes
from tests.runtime.gemma4.checkpoint import GOLDEN, recipe_tensors, write_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from gemma_tui.runtime.gemma4.model import Gemma4


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt, ready for the network."""

    ids: mx.array
    """[1, length]."""
    soft: SoftTokens | None
    images: mx.array | None
    """Soft tokens of all pictures [count, hidden]."""
    sounds: mx.array | None
    first_turn: int
    """Tokens of the first turn, `bos` included."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A small checkpoint of one size, and what the reference implementation answers."""

    size: str
    loaded: LoadedModel
    golden: dict[str, NDArray[np.float32]]
    folder: Path
    """For media on their way."""
    built: dict[str, Case] = field(default_factory=dict)

    @property
    def model(self) -> Gemma4:
        """Its network."""
        return self.loaded.model

    def case(self, name: str) -> Case:
        """A prompt of `recipe.CASES`, built only once."""
        if name not in self.built:
            self.built[name] = _build(self.model, name, self.folder)
        return self.built[name]


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Checkpoint]:
    """Loads the checkpoint of a size, through the loader, each only once."""
    known: dict[str, Checkpoint] = {}

    def get(size: str) -> Checkpoint:
        if size not in known:
            folder = tmp_path_factory.mktemp(size)
            write_folder(folder, recipe_tensors(size), sizes.CONFIGS[size])
            loaded = load_model(folder, lambda _phase, _fraction: None)
            with np.load(GOLDEN / f"parity_{size}.npz") as stored:
                known[size] = Checkpoint(size, loaded, dict(stored), folder)
        return known[size]

    return get


@pytest.fixture(scope="session")
def model(checkpoints: Callable[[str], Checkpoint]) -> Gemma4:
    """The network of E2B's architecture."""
    return checkpoints("e2b").model


def _build(model: Gemma4, name: str, folder: Path) -> Case:
    ids, spans, turn = [recipe.BOS], [], 0
    soft: dict[type, list[mx.array]] = {recipe.Picture: [], recipe.Clip: []}
    for index, segment in enumerate(recipe.CASES[name]):
        turn = len(ids) if index == recipe.FIRST_TURN_SEGMENTS else turn
        if isinstance(segment, recipe.Text):
            ids += recipe.segment_ids(name, index, 0)
            continue
        encoded, count = _encode(model, segment, recipe.seed_of(name, index), folder)
        assert encoded.shape == (count, 64)
        spans.append((len(ids) + 1, encoded))
        soft[type(segment)].append(encoded)
        ids += recipe.segment_ids(name, index, count)
    joined = join_soft_tokens(spans)
    images, sounds = (mx.concatenate(list(made)) if made else None for made in soft.values())
    return Case(mx.array([ids]), joined, images, sounds, turn)


def _encode(
    model: Gemma4, segment: recipe.Picture | recipe.Clip, seed: int, folder: Path
) -> tuple[mx.array, int]:
    """Soft tokens of one medium, from a real file, and their number before they are made."""
    if isinstance(segment, recipe.Picture):
        path = folder / "picture.png"
        Image.fromarray(recipe.pixels(segment, seed)).save(path, compress_level=0)
        image = image_features(path, path.name, segment.budget)
        encoded, count = model.encode_image(image), model.soft_token_count(image)
    else:
        path = folder / "clip.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(recipe.SAMPLE_RATE)
            file.writeframes(recipe.samples(segment, seed).tobytes())
        sound = audio_features(path, path.name)
        encoded, count = model.encode_audio(sound), model.soft_token_count(sound)
    mx.eval(encoded)
    return encoded, count
