"""From a parsed `config.json` to a `Gemma4Config`.

Understands both layouts in the wild: that of the released checkpoints, where `global_head_dim` is
a plain field, and that of transformers 5.23, where `per_layer_config` overrides single layers.
Names what is missing or foreign; knows nothing about weights or files.
"""

from __future__ import annotations

from typing import Any

from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.config import (
    AudioConfig,
    Gemma4Config,
    LayerType,
    Rope,
    SpecialTokens,
    TextConfig,
    VisionConfig,
)
from gemma_tui.runtime.gemma4.json_fields import Fields

_OTHER_MODEL_HINT = "Choose a folder with Gemma 4 E2B or E4B, or the built-in model."


def read_config(content: dict[str, Any]) -> Gemma4Config:
    """Understand a parsed `config.json`.

    Raises:
        ModelError: It is not a Gemma 4 this program runs, or a field is missing or impossible.
    """
    top = Fields(content, "config.json")
    _refuse_other_models(top)
    text_fields = top.section("text_config")
    if text_fields is None:
        raise ModelError('config.json lacks "text_config".', "Download the model again.")
    _refuse_other_decoders(text_fields)
    vision = top.section("vision_config")
    audio = top.section("audio_config")
    text = _read_text(text_fields)
    eos = top.integers("eos_token_id", default=text_fields.integers("eos_token_id", default=(1,)))
    return Gemma4Config(
        text=text,
        vision=None if vision is None else _read_vision(vision),
        audio=None if audio is None else _read_audio(audio),
        tokens=_read_tokens(top, text_fields, text.vocab_size),
        eos_ids=eos,
        image_token_budget=top.optional_integer("vision_soft_tokens_per_image"),
    )


def _refuse_other_models(top: Fields) -> None:
    model_type = top.text("model_type", default="")
    match model_type:
        case "gemma4":
            return
        case "gemma4_unified":
            reason = "This is Gemma 4 12B Unified, whose network this version does not have yet."
        case "gemma4_text":
            reason = "This folder holds only the text half of a Gemma 4."
        case "":
            reason = 'config.json lacks "model_type", so this is no model folder.'
        case other:
            reason = f'This is a model of type "{other[:40]}", not a Gemma 4.'
    raise ModelError(reason, _OTHER_MODEL_HINT)


def _refuse_other_decoders(text: Fields) -> None:
    if text.flag("enable_moe_block", default=False):
        size = "Gemma 4 26B-A4B (a mixture of experts)"
    elif text.flag("attention_k_eq_v", default=False) or text.text(
        "use_bidirectional_attention", default=""
    ):
        size = "Gemma 4 31B or a relative of it"
    else:
        return
    raise ModelError(
        f"This is {size}, whose network this version does not have yet.", _OTHER_MODEL_HINT
    )


def _read_text(text: Fields) -> TextConfig:
    text.require("hidden_activation", "gelu_pytorch_tanh")
    text.require("attention_bias", expected=False)
    vocab_size = text.positive("vocab_size")
    layers = text.positive("num_hidden_layers")
    shared = text.integer("num_kv_shared_layers", default=0)
    layer_types = _read_layer_types(text, layers)
    own, reused = set(layer_types[: layers - shared]), set(layer_types[layers - shared :])
    if not 0 <= shared < layers or not reused <= own:
        raise text.impossible("num_kv_shared_layers", shared)
    return TextConfig(
        vocab_size=vocab_size,
        hidden_size=text.positive("hidden_size"),
        intermediate_size=text.positive("intermediate_size"),
        num_hidden_layers=layers,
        num_attention_heads=text.positive("num_attention_heads"),
        num_key_value_heads=text.positive("num_key_value_heads"),
        head_dim=text.positive("head_dim"),
        global_head_dim=_read_global_head_dim(text, layer_types),
        layer_types=layer_types,
        sliding_window=text.positive("sliding_window"),
        num_kv_shared_layers=shared,
        use_double_wide_mlp=text.flag("use_double_wide_mlp", default=False),
        hidden_size_per_layer_input=text.integer("hidden_size_per_layer_input", default=256),
        vocab_size_per_layer_input=text.positive("vocab_size_per_layer_input", default=vocab_size),
        sliding_rope=_read_rope(text, "sliding_attention", theta=10_000.0),
        global_rope=_read_rope(text, "full_attention", theta=1_000_000.0),
        final_logit_softcapping=text.optional_number("final_logit_softcapping"),
        tie_word_embeddings=text.flag("tie_word_embeddings", default=True),
        max_position_embeddings=text.positive("max_position_embeddings", default=131_072),
        pad_token_id=text.integer("pad_token_id", default=0),
        rms_norm_eps=text.number("rms_norm_eps", default=1e-6),
    )


def _read_layer_types(text: Fields, layers: int) -> tuple[LayerType, ...]:
    names = text.texts("layer_types")
    known: dict[str, LayerType] = {
        "sliding_attention": "sliding_attention",
        "full_attention": "full_attention",
    }
    if len(names) != layers or not set(names) <= set(known):
        raise text.impossible("layer_types", names)
    return tuple(known[name] for name in names)


def _read_global_head_dim(text: Fields, layer_types: tuple[LayerType, ...]) -> int:
    """Head size of the global layers: a field of its own, or the same override for each of them."""
    overrides = text.section("per_layer_config")
    if overrides is None or text.has("global_head_dim"):
        return text.positive("global_head_dim", default=512)
    sizes = set()
    for index, layer_type in enumerate(layer_types):
        if layer_type == "full_attention":
            layer = overrides.section(str(index))
            sizes.add(None if layer is None else layer.positive("head_dim"))
    if len(sizes) != 1 or None in sizes:
        raise text.impossible("per_layer_config", sorted(map(str, sizes)))
    (size,) = sizes
    return size or 0


def _read_rope(text: Fields, layer_type: LayerType, *, theta: float) -> Rope:
    parameters = text.section("rope_parameters")
    rope = None if parameters is None else parameters.section(layer_type)
    is_global = layer_type == "full_attention"
    if rope is None:
        return Rope(theta, "proportional" if is_global else "default", 0.25 if is_global else 1.0)
    match rope.text("rope_type", default="default"):
        case "default":
            return Rope(rope.number("rope_theta", default=theta), "default", 1.0)
        case "proportional":
            factor = rope.number("partial_rotary_factor", default=1.0)
            return Rope(rope.number("rope_theta", default=theta), "proportional", factor)
        case other:
            raise rope.impossible("rope_type", other)


def _read_vision(vision: Fields) -> VisionConfig:
    vision.require("hidden_activation", "gelu_pytorch_tanh")
    vision.require("attention_bias", expected=False)
    # Preprocessing cuts 16-pixel patches for 3 by 3 pooling: nothing else fits.
    vision.require("patch_size", 16)
    vision.require("pooling_kernel_size", 3)
    rope = vision.section("rope_parameters")
    heads = vision.positive("num_attention_heads")
    hidden = vision.positive("hidden_size")
    head_dim = vision.positive("head_dim", default=max(hidden // heads, 1))
    if head_dim % 4:
        raise vision.impossible("head_dim", head_dim)
    return VisionConfig(
        hidden_size=hidden,
        intermediate_size=vision.positive("intermediate_size"),
        num_hidden_layers=vision.positive("num_hidden_layers"),
        num_attention_heads=heads,
        num_key_value_heads=vision.positive("num_key_value_heads", default=heads),
        head_dim=head_dim,
        patch_size=16,
        pooling_kernel_size=3,
        position_embedding_size=vision.positive("position_embedding_size", default=10_240),
        rope_theta=100.0 if rope is None else rope.number("rope_theta", default=100.0),
        use_clipped_linears=vision.flag("use_clipped_linears", default=False),
        standardize=vision.flag("standardize", default=False),
        rms_norm_eps=vision.number("rms_norm_eps", default=1e-6),
    )


def _read_audio(audio: Fields) -> AudioConfig:
    audio.require("hidden_act", "silu")
    left = audio.positive("attention_context_left", default=13)
    # Only in this geometry do relative positions run from the farthest key to the query itself.
    audio.require("attention_chunk_size", left - 1, default=12)
    audio.require("attention_context_right", 0)
    channels = audio.integers("subsampling_conv_channels", default=(128, 32))
    heads = audio.positive("num_attention_heads")
    hidden = audio.positive("hidden_size")
    if len(channels) != 2 or channels[0] != 128:
        raise audio.impossible("subsampling_conv_channels", channels)
    if hidden % heads:
        raise audio.impossible("num_attention_heads", heads)
    if hidden % 2:
        raise audio.impossible("hidden_size", hidden)
    return AudioConfig(
        hidden_size=hidden,
        num_hidden_layers=audio.positive("num_hidden_layers"),
        num_attention_heads=heads,
        subsampling_conv_channels=(channels[0], channels[1]),
        conv_kernel_size=audio.positive("conv_kernel_size", default=5),
        residual_weight=audio.number("residual_weight", default=0.5),
        attention_context_left=left,
        attention_logit_cap=audio.number("attention_logit_cap", default=50.0),
        use_clipped_linears=audio.flag("use_clipped_linears", default=True),
        gradient_clipping=audio.number("gradient_clipping", default=1e10),
        output_proj_dims=audio.positive("output_proj_dims", default=1536),
        rms_norm_eps=audio.number("rms_norm_eps", default=1e-6),
    )


def _read_tokens(top: Fields, text: Fields, vocab_size: int) -> SpecialTokens:
    """Special ids. Defaults are those of the reference's `Gemma4Config`."""
    eoa_name = "eoa_token_id" if top.has("eoa_token_id") else "eoa_token_index"
    tokens = SpecialTokens(
        bos=top.integer("bos_token_id", default=text.integer("bos_token_id", default=2)),
        pad=text.integer("pad_token_id", default=0),
        image=top.integer("image_token_id", default=258_880),
        boi=top.integer("boi_token_id", default=255_999),
        eoi=top.integer("eoi_token_id", default=258_882),
        audio=top.integer("audio_token_id", default=258_881),
        boa=top.integer("boa_token_id", default=256_000),
        eoa=top.integer(eoa_name, default=258_883),
        video=top.optional_integer("video_token_id"),
    )
    for name in ("bos", "pad", "image", "boi", "eoi", "audio", "boa", "eoa"):
        if not 0 <= getattr(tokens, name) < vocab_size:
            raise top.impossible(f"{name}_token_id", getattr(tokens, name))
    return tokens
