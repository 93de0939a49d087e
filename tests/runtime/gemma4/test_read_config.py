from __future__ import annotations

import copy
from typing import Any

import pytest

from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.read_config import read_config
from tests.golden import recipe

REMOVE = object()


def changed(path: str, value: object) -> dict[str, Any]:
    """The recipe's config with one field changed or removed; the path is dotted."""
    config = copy.deepcopy(recipe.CONFIG)
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


def test_the_release_layout_is_read() -> None:
    config = read_config(recipe.CONFIG)
    assert config.text.global_head_dim == 32
    assert config.text.layer_types[4] == "full_attention"
    assert config.text.global_rope.partial_rotary_factor == 0.25
    assert config.vision is not None
    assert config.vision.standardize
    assert config.audio is not None
    assert config.audio.subsampling_conv_channels == (128, 8)
    assert config.tokens.placeholders == (recipe.IMAGE, recipe.AUDIO, recipe.VIDEO)
    assert config.tokens.eoa == recipe.EOA
    assert config.eos_ids == (recipe.EOS,)


def test_the_layout_of_transformers_5_23_means_the_same() -> None:
    config = changed("text_config.global_head_dim", REMOVE)
    config["text_config"]["per_layer_config"] = {"4": {"head_dim": 32}, "9": {"head_dim": 32}}
    assert read_config(config) == read_config(recipe.CONFIG)


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
        ("model_type", "gemma4_unified", "12B Unified"),
        ("model_type", "gemma4_text", "text half"),
        ("text_config.enable_moe_block", True, "26B-A4B"),
        ("text_config.attention_k_eq_v", True, "31B"),
        ("text_config.use_bidirectional_attention", "vision", "31B"),
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
