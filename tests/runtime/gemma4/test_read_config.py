from __future__ import annotations

import copy
from typing import Any

import pytest

from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.config import (
    AudioConfig,
    PatchEmbedderConfig,
    VisionConfig,
    WaveformEmbedderConfig,
)
from gemma_tui.runtime.gemma4.read_config import read_config
from tests.golden import recipe, sizes
from tests.runtime.gemma4.checkpoint import saved_config

REMOVE = object()


def changed(path: str, value: object, *, size: str = "e2b") -> dict[str, Any]:
    """The config of a size with one field changed or removed; the path is dotted."""
    config = copy.deepcopy(sizes.CONFIGS[size])
    *sections, name = path.split(".")
    place = config
    for section in sections:
        place = place[section]
    if value is REMOVE:
        del place[name]
    else:
        place[name] = value
    return config


def refusal(config: dict[str, Any]) -> str:
    with pytest.raises(ModelError) as caught:
        read_config(config)
    assert caught.value.hint
    return caught.value.message


def text_only(size: str) -> dict[str, Any]:
    """The decoder's part by itself, as text-only checkpoints have it."""
    return copy.deepcopy(sizes.CONFIGS[size]["text_config"])


def test_the_release_layout_is_read() -> None:
    config = read_config(recipe.CONFIG)
    assert config.text.global_head_dim == 32
    assert config.text.layer_types[4] == "full_attention"
    assert config.text.global_rope.partial_rotary_factor == 0.25
    assert isinstance(config.vision, VisionConfig)
    assert config.vision.standardize
    assert isinstance(config.audio, AudioConfig)
    assert config.audio.subsampling_conv_channels == (128, 8)
    assert config.tokens.placeholders == (recipe.IMAGE, recipe.AUDIO, recipe.VIDEO)
    assert config.tokens.eoa == recipe.EOA
    assert config.eos_ids == (recipe.EOS,)


def test_the_layout_of_transformers_5_23_means_the_same() -> None:
    config = changed("text_config.global_head_dim", REMOVE)
    config["text_config"]["per_layer_config"] = {"4": {"head_dim": 32}, "9": {"head_dim": 32}}
    assert read_config(config) == read_config(recipe.CONFIG)


@pytest.mark.parametrize("size", sizes.CONFIGS)
def test_what_transformers_5_23_saves_means_the_same(size: str) -> None:
    saved = saved_config(size)
    assert "per_layer_config" in saved["text_config"]
    assert "global_head_dim" not in saved["text_config"]
    assert read_config(saved) == read_config(sizes.CONFIGS[size])


@pytest.mark.parametrize(
    ("size", "attention", "heads"),
    [
        ("e2b", "causal", (1, 1)),
        ("e4b", "causal", (2, 2)),
        ("12b", "every", (2, 1)),
        ("26b_a4b", "sliding", (2, 1)),
        ("31b", "sliding", (2, 1)),
    ],
)
def test_sizes_differ_in_how_they_see_and_in_their_heads(
    size: str, attention: str, heads: tuple[int, int]
) -> None:
    text = read_config(sizes.CONFIGS[size]).text
    assert text.picture_attention == attention
    assert (text.num_key_value_heads, text.num_global_key_value_heads) == heads
    assert text.attention_k_eq_v is (heads == (2, 1))
    assert (text.experts is not None) is (size == "26b_a4b")
    assert (text.hidden_size_per_layer_input > 0) is (size in {"e2b", "e4b"})


def test_12b_sees_and_hears_without_towers() -> None:
    config = read_config(sizes.CONFIGS["12b"])
    assert config.vision == PatchEmbedderConfig(56, 16, 3, 1120, 1e-6)
    assert config.audio == WaveformEmbedderConfig(640, 1e-6)
    assert config.image_token_budget == 280
    assert read_config(changed("audio_config", None, size="12b")).audio is None


def test_12b_takes_null_for_one_way_and_silence_for_both_ways() -> None:
    name = "text_config.use_bidirectional_attention"
    assert read_config(changed(name, None, size="12b")).text.picture_attention == "causal"
    assert read_config(changed(name, "vision", size="12b")).text.picture_attention == "every"
    assert read_config(changed(name, None, size="31b")).text.picture_attention == "causal"


@pytest.mark.parametrize("size", sizes.CONFIGS)
def test_a_decoder_by_itself_neither_sees_nor_hears(size: str) -> None:
    config = read_config(text_only(size))
    assert config.text == read_config(sizes.CONFIGS[size]).text
    assert (config.vision, config.audio) == (None, None)
    assert config.tokens.bos == recipe.BOS


def test_layers_without_types_are_five_sliding_ones_to_a_global_one() -> None:
    config = changed("text_config.layer_types", REMOVE, size="31b")
    config["text_config"]["num_hidden_layers"] = 14
    kinds = read_config(config).text.layer_types
    assert [index for index, kind in enumerate(kinds) if kind == "full_attention"] == [5, 11, 13]


def test_layers_that_disagree_about_their_heads_are_refused() -> None:
    config = changed("text_config.global_head_dim", REMOVE)
    config["text_config"]["per_layer_config"] = {"4": {"head_dim": 32}, "9": {"head_dim": 64}}
    assert "per_layer_config" in refusal(config)
    config["text_config"]["per_layer_config"] = {"4": {"head_dim": 32}}
    assert "per_layer_config" in refusal(config)


def test_a_checkpoint_may_lack_senses() -> None:
    config = read_config(changed("audio_config", None))
    assert config.audio is None
    assert read_config(changed("vision_config", REMOVE)).vision is None


def test_both_names_of_the_end_of_audio_are_read() -> None:
    config = changed("eoa_token_index", REMOVE)
    config["eoa_token_id"] = recipe.EOA
    assert read_config(config).tokens.eoa == recipe.EOA


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("model_type", "gemma3", 'type "gemma3", not a Gemma 4'),
        ("model_type", REMOVE, 'lacks "model_type"'),
        ("model_type", "gemma4_assistant", 'type "gemma4_assistant", not a Gemma 4'),
        ("text_config.use_bidirectional_attention", "all", "cannot write"),
    ],
)
def test_other_models_are_refused_by_name(path: str, value: object, words: str) -> None:
    assert words in refusal(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("text_config", REMOVE),
        ("text_config", [1]),
        ("text_config.hidden_size", REMOVE),
        ("text_config.hidden_size", "64"),
        ("text_config.hidden_size", 0),
        ("text_config.hidden_size", True),
        ("text_config.layer_types", ["sliding_attention"]),
        ("text_config.layer_types", ["linear_attention"] * 10),
        ("text_config.num_kv_shared_layers", 10),
        ("text_config.num_kv_shared_layers", 9),
        ("text_config.rope_parameters.full_attention.rope_type", "yarn"),
        ("text_config.hidden_activation", "relu"),
        ("text_config.use_double_wide_mlp", 1),
        ("text_config.final_logit_softcapping", "30"),
        ("vision_config.patch_size", 14),
        ("vision_config.head_dim", 18),
        ("audio_config.attention_context_right", 4),
        ("audio_config.attention_chunk_size", 24),
        ("audio_config.subsampling_conv_channels", [64, 8]),
        ("audio_config.num_attention_heads", 3),
        ("image_token_id", recipe.VOCABULARY),
        ("boi_token_id", REMOVE),
        ("eos_token_id", "1"),
    ],
)
def test_an_impossible_field_is_named(path: str, value: object) -> None:
    assert path.rsplit(".", 1)[-1] in refusal(changed(path, value))


@pytest.mark.parametrize(
    ("size", "path", "value"),
    [
        ("31b", "text_config.use_bidirectional_attention", "audio"),
        ("31b", "text_config.num_global_key_value_heads", 0),
        ("26b_a4b", "text_config.num_experts", None),
        ("26b_a4b", "text_config.top_k_experts", 9),
        ("26b_a4b", "text_config.moe_intermediate_size", REMOVE),
        ("12b", "text_config.hidden_size_per_layer_input", 8),
        ("12b", "vision_config.model_patch_size", 32),
        ("12b", "vision_config.output_proj_dims", 64),
        ("12b", "audio_config.audio_embed_dim", 320),
        ("12b", "audio_config.output_proj_dims", 64),
    ],
)
def test_an_impossible_field_of_another_size_is_named(size: str, path: str, value: object) -> None:
    assert path.rsplit(".", 1)[-1] in refusal(changed(path, value, size=size))


def test_fewer_global_key_heads_need_keys_that_are_values() -> None:
    config = changed("text_config.global_head_dim", REMOVE)
    override = {"head_dim": 32, "num_key_value_heads": 2}
    config["text_config"]["per_layer_config"] = {"4": override, "9": override}
    assert "per_layer_config" in refusal(config)
