"""Small checkpoints of all five sizes: the configs of `recipe`'s weights, and which cases they run.

Each keeps every structural feature of its size: per-layer inputs and shared keys (E2B, E4B), fewer
key heads that are values too in global layers (12B, 26B-A4B, 31B), a mixture of experts (26B-A4B),
pictures seen both ways (12B, 26B-A4B, 31B), towers or the embedders of 12B. All have a window of 32.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from tests.golden import recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAYERS = ["sliding_attention", "sliding_attention", "full_attention"]

_BOTH_WAYS: Final = {
    "num_hidden_layers": 6,
    "layer_types": _LAYERS * 2,
    "num_kv_shared_layers": 0,
    "num_key_value_heads": 2,
    "num_global_key_value_heads": 1,
    "attention_k_eq_v": True,
    "hidden_size_per_layer_input": 0,
    "use_double_wide_mlp": False,
    "use_bidirectional_attention": "vision",
}

_EXPERTS: Final = {
    "enable_moe_block": True,
    "num_experts": 8,
    "top_k_experts": 2,
    "moe_intermediate_size": 24,
}


def _config(
    text: Mapping[str, Any],
    *,
    vision: Mapping[str, Any] | None = None,
    audio: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The E2B config with another decoder and other senses."""
    config = copy.deepcopy(recipe.CONFIG)
    config["text_config"] |= text
    config["vision_config"] = config["vision_config"] if vision is None else vision
    config["audio_config"] = audio
    return config


def _unified() -> dict[str, Any]:
    vision = {
        "model_type": "gemma4_unified_vision",
        "patch_size": 16,
        "pooling_kernel_size": 3,
        "model_patch_size": 48,
        "mm_embed_dim": 56,
        "mm_posemb_size": 1120,
        "output_proj_dims": 56,
        "num_soft_tokens": 280,
    }
    audio = {
        "model_type": "gemma4_unified_audio",
        "audio_embed_dim": 640,
        "audio_samples_per_token": 640,
        "hidden_size": 640,
        "output_proj_dims": 640,
    }
    config = _config(_BOTH_WAYS, vision=vision, audio=audio)
    config["model_type"] = "gemma4_unified"
    config["architectures"] = ["Gemma4UnifiedForConditionalGeneration"]
    config["text_config"]["model_type"] = "gemma4_unified_text"
    # As in the published file: no word on how pictures are seen, which means both ways.
    del config["text_config"]["use_bidirectional_attention"]
    del config["text_config"]["vocab_size_per_layer_input"]
    return config


_VISION: Final = recipe.CONFIG["vision_config"] | {
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
"""A smaller tower than that of the E2B config: at 1,120 soft tokens most of a test is the tower."""

_PLAIN_VISION: Final = _VISION | {"use_clipped_linears": False}
_E4B_TEXT: Final = {
    "num_hidden_layers": 9,
    "layer_types": _LAYERS * 3,
    "num_kv_shared_layers": 3,
    "num_key_value_heads": 2,
    "use_double_wide_mlp": False,
}

CONFIGS: Final[dict[str, dict[str, Any]]] = {
    "e2b": recipe.CONFIG,
    "e4b": _config(
        _E4B_TEXT,
        vision=_VISION | {"standardize": False, "intermediate_size": 72},
        audio=recipe.CONFIG["audio_config"],
    ),
    "12b": _unified(),
    "26b_a4b": _config(_BOTH_WAYS | _EXPERTS, vision=_PLAIN_VISION),
    "31b": _config(_BOTH_WAYS, vision=_PLAIN_VISION),
}
"""In the layout of published repositories."""

_SEEN: Final = (
    *("text", "picture_70", "picture_140", "picture_280", "picture_560", "picture_1120"),
    *("two_pictures", "four_pictures", "two_turns"),
)
_HEARD: Final = ("clip_0.3", "clip_1.0", "clip_3.3", "two_clips", "picture_and_clip", "second_turn")

CASES: Final[dict[str, tuple[str, ...]]] = {
    "e2b": tuple(recipe.CASES),
    "e4b": (*_SEEN, *_HEARD),
    "12b": (*_SEEN, *_HEARD, "clip_30.0"),
    "26b_a4b": _SEEN,
    "31b": _SEEN,
}


def stored_columns(size: str) -> tuple[slice, slice]:
    """Which logits of 192, and which components of a soft token of 64, are stored."""
    if size == "e2b":
        return recipe.LOGIT_COLUMNS, recipe.FEATURE_COLUMNS
    return slice(0, recipe.VOCABULARY, 24), slice(0, 64, 16)
