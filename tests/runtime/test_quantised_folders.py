"""Every kind of quantised weights, against plain weights of the same values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.errors import ModelError
from gemma_tui.preprocessing.audio import AudioFeatures
from gemma_tui.preprocessing.patches import ImageFeatures
from gemma_tui.runtime.loader import LoadedModel, load_model
from tests.runtime.quantised import KINDS, Kind, stored_tensors, write_quantised

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.runtime.gemma4.model import Gemma4

SCALES = "language_model.model.layers.0.mlp.up_proj.scales"


def load(folder: Path) -> LoadedModel:
    return load_model(folder, lambda _phase, _fraction: None)


def answers(model: Gemma4) -> list[np.ndarray]:
    """Logits, soft tokens of a picture, soft tokens of a clip."""
    random = np.random.RandomState(1)
    logits = model(mx.array([[2, *range(20, 60)]]), cache=model.make_cache())
    pixels = random.rand(36, 768).astype(np.float32)
    places = np.stack([np.tile(np.arange(6), 6), np.repeat(np.arange(6), 6)], axis=1)
    silence = np.zeros((10, 640), np.float32)
    image = model.encode_image(ImageFeatures(pixels, places.astype(np.int32), (6, 6), 4))
    sound = model.encode_audio(AudioFeatures(random.randn(40, 128).astype(np.float32), 10, silence))
    return [np.asarray(x.astype(mx.float32)) for x in (logits, image, sound)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_quantised_folder_computes_what_its_values_say(
    tiny_model: Path, tmp_path: Path, kind: Kind
) -> None:
    quantised, plain = (load(folder) for folder in write_quantised(tiny_model, tmp_path, kind))
    assert quantised.info.weight_bytes < plain.info.weight_bytes
    assert quantised.info.limitations == ()
    for found, expected in zip(answers(quantised.model), answers(plain.model), strict=True):
        # 8-bit scales make embeddings bfloat16; everything else is exact up to rounding.
        tolerance = 2e-2 if "fp" in kind.mode else 1e-3
        assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()
        if "fp" not in kind.mode:
            assert np.array_equal(found.argmax(-1), expected.argmax(-1))


def rewrite(folder: Path, **changes: mx.array | None) -> None:
    tensors = stored_tensors(folder)
    mx.eval(tensors)
    for name, values in changes.items():
        tensors.pop(name) if values is None else tensors.update({name: values})
    mx.save_safetensors(str(folder / "model.safetensors"), tensors)


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert caught.value.hint
    return caught.value.message


def test_what_a_quantised_layer_lacks_is_named(tiny_model: Path, tmp_path: Path) -> None:
    folder, _ = write_quantised(tiny_model, tmp_path, Kind())
    for suffix in ("weight", "biases"):
        name = SCALES.replace("scales", suffix)
        kept = stored_tensors(folder)[name]
        mx.eval(kept)
        rewrite(folder, **{name: None})
        assert f"lack tensor {name}" in refusal(folder)
        rewrite(folder, **{name: kept})
    load(folder)


def test_a_layer_that_contradicts_the_config_is_named(tiny_model: Path, tmp_path: Path) -> None:
    kind = Kind(layers={"layers.0.mlp.up_proj": {"group_size": 64, "bits": 4}})
    folder, _ = write_quantised(tiny_model, tmp_path, kind)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["quantization"][SCALES.removesuffix(".scales")]["bits"] = 6
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    message = refusal(folder)
    assert SCALES.removesuffix(".scales") in message
    assert "affine, 6 bits in groups of 64" in message
    assert "affine, 4 bits in groups of 64" in message


def test_a_layer_nothing_can_multiply_with_is_named(tiny_model: Path, tmp_path: Path) -> None:
    folder, _ = write_quantised(tiny_model, tmp_path, Kind())
    rewrite(folder, **{SCALES: mx.ones((256, 3))})
    message = refusal(folder)
    assert SCALES.removesuffix(".scales") in message
    assert "[256, 3]" in message


@pytest.mark.parametrize(
    ("kind", "not_a_number"),
    [
        (Kind(), float("nan")),
        (Kind(32, 4, "mxfp4"), 0xFF),
        (Kind(32, 8, "mxfp8"), 0xFF),
        (Kind(16, 4, "nvfp4"), 0x7F),
    ],
    ids=lambda value: value.mode if isinstance(value, Kind) else "",
)
def test_scales_that_are_not_numbers_are_named(
    tiny_model: Path, tmp_path: Path, kind: Kind, not_a_number: float
) -> None:
    folder, _ = write_quantised(tiny_model, tmp_path, kind)
    scales = stored_tensors(folder)[SCALES]
    scales[3, 1] = not_a_number
    rewrite(folder, **{SCALES: scales})
    assert refusal(folder) == f"Tensor {SCALES} holds values that are not numbers."


def test_formats_of_other_libraries_are_named(tiny_model: Path, tmp_path: Path) -> None:
    kind = Kind(key="quantization_config")
    folder, _ = write_quantised(tiny_model, tmp_path, kind)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["quantization_config"]["quant_method"] = "compressed-tensors"
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    assert "compressed-tensors" in refusal(folder)


@pytest.mark.parametrize(
    ("sense", "prefixes"),
    [
        ("see", ("model.vision_tower.", "model.embed_vision.")),
        ("hear", ("model.audio_tower.", "model.embed_audio.")),
    ],
)
def test_a_tower_that_is_not_there_becomes_a_limitation(
    tiny_model: Path, tmp_path: Path, sense: str, prefixes: tuple[str, str]
) -> None:
    folder, _ = write_quantised(tiny_model, tmp_path, Kind(hugging_face_names=True))
    names = [name for name in stored_tensors(folder) if name.startswith(prefixes)]
    assert names
    rewrite(folder, **dict.fromkeys(names[1:]))
    assert "lack tensor" in refusal(folder), "half a tower is a damaged file"
    rewrite(folder, **{names[0]: None})
    info = load(folder).info
    assert (info.can_see, info.can_hear) == (sense != "see", sense != "hear")
    (limitation,) = info.limitations
    assert f"cannot {sense}" in limitation
