"""From the text part of a `config.json` to a `TextConfig`.

Understands both layouts in the wild: that of the released checkpoints, where `global_head_dim` and
`num_global_key_value_heads` are plain fields, and that of transformers 5.23, where
`per_layer_config` overrides single layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.config import ExpertsConfig, Rope, TextConfig

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.config import LayerType, PictureAttention
    from gemma_tui.runtime.gemma4.json_fields import Fields

_GLOBAL_EVERY: Final = 6
"""Every how manyth layer is global where `layer_types` is not given (the reference's default)."""

_UNIFIED_PICTURES: Final[PictureAttention] = "every"
"""The one switch for 12B: as the reference computes today, unlike 26B-A4B and 31B, whose masks it
documents as those of the sliding layers only."""


def read_decoder(text: Fields, *, unified: bool) -> TextConfig:
    """Understand the decoder's part.

    Args:
        text: `text_config`, or the whole file of a text-only checkpoint.
        unified: Whether it is a decoder of 12B, whose defaults differ.

    Raises:
        ModelError: A field is missing or impossible.
    """
    text.require("hidden_activation", "gelu_pytorch_tanh")
    text.require("attention_bias", expected=False)
    vocab_size = text.positive("vocab_size", default=262_144)
    layers = text.positive("num_hidden_layers")
    shared = text.integer("num_kv_shared_layers", default=0)
    layer_types = _read_layer_types(text, layers)
    own, reused = set(layer_types[: layers - shared]), set(layer_types[layers - shared :])
    if not 0 <= shared < layers or not reused <= own:
        raise text.impossible("num_kv_shared_layers", shared)
    key_heads = text.positive("num_key_value_heads")
    k_eq_v = text.flag("attention_k_eq_v", default=False)
    return TextConfig(
        vocab_size=vocab_size,
        hidden_size=text.positive("hidden_size"),
        intermediate_size=text.positive("intermediate_size"),
        num_hidden_layers=layers,
        num_attention_heads=text.positive("num_attention_heads"),
        num_key_value_heads=key_heads,
        num_global_key_value_heads=_read_global_heads(text, layer_types, key_heads, k_eq_v=k_eq_v),
        head_dim=text.positive("head_dim", default=256),
        global_head_dim=_read_global_head_dim(text, layer_types),
        attention_k_eq_v=k_eq_v,
        layer_types=layer_types,
        sliding_window=text.positive("sliding_window", default=1024 if unified else 512),
        num_kv_shared_layers=shared,
        use_double_wide_mlp=text.flag("use_double_wide_mlp", default=False),
        hidden_size_per_layer_input=_read_per_layer_input(text, unified=unified),
        vocab_size_per_layer_input=text.positive("vocab_size_per_layer_input", default=vocab_size),
        sliding_rope=_read_rope(text, "sliding_attention", theta=10_000.0),
        global_rope=_read_rope(text, "full_attention", theta=1_000_000.0),
        final_logit_softcapping=text.optional_number("final_logit_softcapping"),
        tie_word_embeddings=text.flag("tie_word_embeddings", default=True),
        max_position_embeddings=text.positive(
            "max_position_embeddings", default=262_144 if unified else 131_072
        ),
        pad_token_id=text.integer("pad_token_id", default=0),
        rms_norm_eps=text.number("rms_norm_eps", default=1e-6),
        picture_attention=_read_picture_attention(text, unified=unified),
        experts=_read_experts(text),
    )


def _read_layer_types(text: Fields, layers: int) -> tuple[LayerType, ...]:
    known: dict[str, LayerType] = {
        "sliding_attention": "sliding_attention",
        "full_attention": "full_attention",
    }
    if text.has("layer_types"):
        names = text.texts("layer_types")
    else:
        is_global = [(index + 1) % _GLOBAL_EVERY == 0 for index in range(layers)]
        names = tuple("full_attention" if yes else "sliding_attention" for yes in is_global)
    if len(names) != layers or not set(names) <= set(known):
        raise text.impossible("layer_types", names)
    # The reference makes the last layer global whatever the file says.
    return (*(known[name] for name in names[:-1]), "full_attention")


def _read_global_head_dim(text: Fields, layer_types: tuple[LayerType, ...]) -> int:
    """Head size of the global layers: a field of its own, or the same override for each of them."""
    if text.has("global_head_dim"):
        return text.positive("global_head_dim")
    size = _read_override(text, layer_types, "head_dim")
    if size is None and text.has("per_layer_config"):
        raise text.impossible("per_layer_config", None)
    return 512 if size is None else size


def _read_global_heads(
    text: Fields, layer_types: tuple[LayerType, ...], key_heads: int, *, k_eq_v: bool
) -> int:
    """Key heads of the global layers; fewer only where keys are values too, as in the reference."""
    if not k_eq_v:
        heads = _read_override(text, layer_types, "num_key_value_heads")
        if heads not in (None, key_heads):
            raise text.impossible("per_layer_config", heads)
        return key_heads
    if text.has("num_global_key_value_heads"):
        return text.positive("num_global_key_value_heads")
    return _read_override(text, layer_types, "num_key_value_heads") or key_heads


def _read_override(text: Fields, layer_types: tuple[LayerType, ...], name: str) -> int | None:
    """What `per_layer_config` says alike for every global layer; None when for none of them."""
    overrides = text.section("per_layer_config")
    if overrides is None:
        return None
    found: set[int | None] = set()
    for index, layer_type in enumerate(layer_types):
        if layer_type == "full_attention":
            layer = overrides.section(str(index))
            found.add(layer.positive(name) if layer is not None and layer.has(name) else None)
    if len(found) != 1:
        raise text.impossible("per_layer_config", sorted(map(str, found)))
    return found.pop()


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


def _read_per_layer_input(text: Fields, *, unified: bool) -> int:
    name = "hidden_size_per_layer_input"
    size = text.integer(name, default=0 if unified or text.is_given(name) else 256)
    if size < 0 or (unified and size):
        raise text.impossible(name, size)
    return size


def _read_picture_attention(text: Fields, *, unified: bool) -> PictureAttention:
    name = "use_bidirectional_attention"
    if not text.has(name):
        # 12B's default is the overlay, so there a null is another answer than no answer.
        return _UNIFIED_PICTURES if unified and not text.is_given(name) else "causal"
    match text.text(name):
        case "vision":
            return _UNIFIED_PICTURES if unified else "sliding"
        case "all":
            raise ModelError(
                "This Gemma 4 reads every text in both directions, so it cannot write one.",
                "Choose a folder with a Gemma 4 for conversations.",
            )
        case other:
            raise text.impossible(name, other)


def _read_experts(text: Fields) -> ExpertsConfig | None:
    if not text.flag("enable_moe_block", default=False):
        return None
    count, active = text.positive("num_experts"), text.positive("top_k_experts")
    if active > count:
        raise text.impossible("top_k_experts", active)
    return ExpertsConfig(count, active, text.positive("moe_intermediate_size"))
