from __future__ import annotations

import copy
import json
import shutil
from typing import TYPE_CHECKING, Any, cast

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.errors import CapabilityError, LimitError, ModelError
from gemma_tui.preprocessing.audio import AudioFeatures
from gemma_tui.preprocessing.patches import ImageFeatures
from gemma_tui.runtime.gemma4.weights import mlx_name
from gemma_tui.runtime.loader import load_model
from tests.golden import recipe
from tests.runtime.gemma4.checkpoint import recipe_tensors, safetensors_bytes, write_folder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gemma_tui.generation import LoadPhase
    from gemma_tui.runtime.gemma4.model import Gemma4

Tensors = dict[str, "NDArray[np.float32]"]
NORM = "model.language_model.norm.weight"


@pytest.fixture(scope="module")
def whole() -> Tensors:
    """Every tensor of the small checkpoint."""
    return recipe_tensors()


@pytest.fixture(scope="module")
def expected(whole: Tensors, tmp_path_factory: pytest.TempPathFactory) -> mx.array:
    """What the plain checkpoint answers."""
    return answer(load(write_folder(tmp_path_factory.mktemp("plain"), whole)))


def load(folder: Path) -> Gemma4:
    return load_model(folder, lambda _phase, _fraction: None).model


def answer(model: Gemma4) -> mx.array:
    logits = model(mx.array([[2, *range(20, 60)]]), cache=model.make_cache())
    mx.eval(logits)
    return logits


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert caught.value.hint
    return caught.value.message


def without(section: str) -> dict[str, Any]:
    return {**recipe.CONFIG, section: None}


def test_the_built_in_model_is_a_demo_that_sees_and_hears(tiny_model: Path) -> None:
    reports: list[tuple[LoadPhase, float]] = []
    loaded = load_model(tiny_model, lambda phase, fraction: reports.append((phase, fraction)))
    assert loaded.info.is_demo
    assert loaded.info.name == "built-in demo"
    assert loaded.info.can_see
    assert loaded.info.can_hear
    assert loaded.info.default_token_budget == 70
    assert loaded.info.weight_bytes > 1_000_000
    assert loaded.tokenizer_file == tiny_model / "tokenizer.json"
    assert loaded.stop_ids
    fractions = [fraction for _, fraction in reports]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert [phase for phase, _ in reports if phase == "weights"]


def test_loading_leaves_nothing_of_the_random_weights(tiny_model: Path) -> None:
    load_model(tiny_model, lambda *_: None)
    # Each layer draws, and the state would hold the chain of all draws, loaded for loaded model.
    (state,) = cast("list[mx.array]", mx.random.state)
    assert np.array_equal(np.array(state), np.array(mx.random.key(0)))


def test_facts_come_from_the_files(whole: Tensors, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "My Gemma", whole)
    (folder / "processor_config.json").write_text('{"image_processor": {"max_soft_tokens": 560}}')
    (folder / "generation_config.json").write_text('{"eos_token_id": 7, "suppress_tokens": [9]}')
    loaded = load_model(folder, lambda _phase, _fraction: None)
    assert loaded.info.name == "Gemma 4 (My Gemma)"
    assert not loaded.info.is_demo
    assert loaded.info.context_length == 131_072
    assert loaded.info.default_token_budget == 560
    assert loaded.stop_ids == {7}
    assert loaded.suppressed_ids == (9,)


def test_impossible_settings_are_refused(whole: Tensors, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", whole)
    (folder / "generation_config.json").write_text('{"eos_token_id": 192}')
    assert "192" in refusal(folder)
    (folder / "generation_config.json").unlink()
    (folder / "processor_config.json").write_text('{"image_processor": {"max_soft_tokens": 100}}')
    assert "100 soft tokens" in refusal(folder)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("feature_extractor", "sampling_rate", 8000),
        ("feature_extractor", "feature_size", 80),
        ("image_processor", "patch_size", 14),
    ],
)
@pytest.mark.parametrize("flat", [False, True])
def test_media_are_not_prepared_in_a_way_the_folder_does_not_want(
    whole: Tensors, tmp_path: Path, section: str, field: str, value: int, flat: bool
) -> None:
    folder = write_folder(tmp_path / "model", whole)
    name = "preprocessor_config.json" if flat else "processor_config.json"
    content = {field: value} if flat else {section: {field: value}}
    (folder / name).write_text(json.dumps(content))
    assert f"{field} = {value}" in refusal(folder)


def test_shards_load_as_one(whole: Tensors, expected: mx.array, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", whole)
    (folder / "model.safetensors").unlink()
    names = sorted(whole)
    weight_map: dict[str, str] = {}
    for index in range(2):
        shard = {name: whole[name] for name in names[index::2]}
        (folder / f"model-{index}.safetensors").write_bytes(safetensors_bytes(shard))
        weight_map |= dict.fromkeys(shard, f"model-{index}.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    assert mx.array_equal(answer(load(folder)), expected)


def test_a_tensor_given_twice_is_refused(whole: Tensors, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", whole)
    shutil.copy(folder / "model.safetensors", folder / "other.safetensors")
    assert "given twice" in refusal(folder)


def test_the_mlx_layout_loads_the_same(whole: Tensors, expected: mx.array, tmp_path: Path) -> None:
    turned = {
        mlx_name(name): np.ascontiguousarray(np.moveaxis(values, 1, -1))
        if values.ndim >= 3 and "conv" in name
        else values
        for name, values in whole.items()
    }
    assert set(turned).isdisjoint(whole)
    model = load(write_folder(tmp_path / "model", turned))
    assert mx.array_equal(answer(model), expected)
    features = AudioFeatures(np.ones((9, 128), np.float32), 3, np.ones((3, 640), np.float32))
    plain = load(write_folder(tmp_path / "plain", whole))
    assert mx.array_equal(model.encode_audio(features), plain.encode_audio(features))


def test_half_precision_becomes_single_on_a_cpu(whole: Tensors, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", whole)
    stored = {name: mx.array(values).astype(mx.bfloat16) for name, values in whole.items()}
    mx.save_safetensors(str(folder / "model.safetensors"), stored)
    loaded = load_model(folder, lambda _phase, _fraction: None)
    on_cpu = mx.default_device() == mx.Device(mx.cpu)
    logits = answer(loaded.model)
    assert logits.dtype == (mx.float32 if on_cpu else mx.bfloat16)
    assert loaded.info.weight_bytes == sum(v.nbytes for v in whole.values()) // (2 - on_cpu)


def test_quantised_layers_equal_their_dequantised_weights(whole: Tensors, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", whole)
    stored: dict[str, mx.array] = {}
    dequantised = dict(whole)
    for name, values in whole.items():
        stored[name] = mx.array(values)
        if "language_model" in name and values.ndim == 2 and values.shape[1] % 32 == 0:
            layer = name.removesuffix(".weight")
            parts = mx.quantize(stored[name], group_size=32, bits=4)
            stored[name], stored[f"{layer}.scales"], stored[f"{layer}.biases"] = parts
            dequantised[name] = np.array(mx.dequantize(*parts, group_size=32, bits=4))
    mx.save_safetensors(str(folder / "model.safetensors"), stored)
    assert "does not say how" in refusal(folder)
    config = {**recipe.CONFIG, "quantization": {"group_size": 32, "bits": 4}}
    (folder / "config.json").write_text(json.dumps(config))
    found = np.asarray(answer(load(folder)))
    plain = np.asarray(answer(load(write_folder(tmp_path / "plain", dequantised))))
    assert np.array_equal(found.argmax(-1), plain.argmax(-1))
    assert np.abs(found - plain).max() < 1e-2


def test_tensors_the_reference_ignores_are_ignored(
    whole: Tensors, expected: mx.array, tmp_path: Path
) -> None:
    extra = np.ones((1,), dtype=np.float32)
    ignored = {
        "model.language_model.layers.9.self_attn.k_proj.weight": extra,
        "model.language_model.layers.7.self_attn.v_norm.weight": extra,
        "model.language_model.layers.0.mlp.up_proj.input_max": extra,
        "model.language_model.rotary_emb.inv_freq": extra,
        "lm_head.weight": extra,
    }
    model = load(write_folder(tmp_path / "model", {**whole, **ignored}))
    assert mx.array_equal(answer(model), expected)


def test_an_unknown_tensor_is_named(whole: Tensors, tmp_path: Path) -> None:
    extra = {"model.language_model.layers.0.extra.weight": whole[NORM]}
    folder = write_folder(tmp_path / "model", {**whole, **extra})
    assert "language_model.model.layers.0.extra.weight" in refusal(folder)


def test_a_missing_tensor_is_named(whole: Tensors, tmp_path: Path) -> None:
    rest = {name: values for name, values in whole.items() if name != NORM}
    assert "language_model.model.norm.weight" in refusal(write_folder(tmp_path / "model", rest))


def test_a_misshapen_tensor_is_named(whole: Tensors, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", {**whole, NORM: whole[NORM][:-1]})
    message = refusal(folder)
    assert "norm.weight has shape [63]" in message
    assert "[64]" in message


def test_a_tensor_of_whole_numbers_is_refused(whole: Tensors, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", whole)
    stored = {name: mx.array(values) for name, values in whole.items()}
    stored[NORM] = stored[NORM].astype(mx.int32)
    mx.save_safetensors(str(folder / "model.safetensors"), stored)
    assert "norm.weight has a type (mlx.core.int32)" in refusal(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_numbers_are_refused(
    whole: Tensors, tmp_path: Path, value: float
) -> None:
    broken = whole[NORM].copy()
    broken[5] = value
    folder = write_folder(tmp_path / "model", {**whole, NORM: broken})
    assert "norm.weight holds values that are not numbers" in refusal(folder)


def test_a_bound_may_be_infinite(whole: Tensors, tmp_path: Path) -> None:
    name = "model.audio_tower.layers.0.lconv1d.linear_end.output_max"
    infinite = np.full(whole[name].shape, np.inf, dtype=np.float32)
    load(write_folder(tmp_path / "model", {**whole, name: infinite}))
    assert "output_max" in refusal(
        write_folder(tmp_path / "other", {**whole, name: infinite * np.float32(np.nan)})
    )


@pytest.mark.parametrize("kept", [0, 4, 100, 5_000, -1])
def test_a_truncated_file_is_named(whole: Tensors, tmp_path: Path, kept: int) -> None:
    folder = write_folder(tmp_path / "model", whole)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    assert "model.safetensors" in refusal(folder)


def test_code_in_the_folder_is_refused_before_the_weights_are_read(
    whole: Tensors, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "model", whole)
    (folder / "model.safetensors").write_bytes(b"never looked at")
    (folder / "modeling.py").write_text("raise SystemExit")
    assert "modeling.py" in refusal(folder)


def test_a_checkpoint_without_towers_says_what_it_cannot_do(whole: Tensors, tmp_path: Path) -> None:
    config = copy.deepcopy(recipe.CONFIG) | {"vision_config": None, "audio_config": None}
    text = {name: v for name, v in whole.items() if ".language_model." in name}
    loaded = load_model(
        write_folder(tmp_path / "model", text, config), lambda _phase, _fraction: None
    )
    assert not loaded.info.can_see
    assert not loaded.info.can_hear
    pixels = np.zeros((9, 768), dtype=np.float32)
    image = ImageFeatures(pixels, np.zeros((9, 2), dtype=np.int32), (3, 3), 1)
    with pytest.raises(CapabilityError):
        loaded.model.encode_image(image)
    sound = AudioFeatures(np.zeros((4, 128), np.float32), 1, np.zeros((1, 640), np.float32))
    with pytest.raises(CapabilityError):
        loaded.model.encode_audio(sound)


def test_a_picture_beyond_the_position_table_is_refused(whole: Tensors, tmp_path: Path) -> None:
    """The table of the small checkpoint has 512 places; reading past it would be nonsense."""
    model = load(write_folder(tmp_path / "model", whole))
    columns = 513
    positions = np.stack(
        [np.tile(np.arange(columns), 3), np.repeat(np.arange(3), columns)], axis=1
    ).astype(np.int32)
    pixels = np.zeros((columns * 3, 768), dtype=np.float32)
    with pytest.raises(LimitError):
        model.encode_image(ImageFeatures(pixels, positions, (columns, 3), 171))
