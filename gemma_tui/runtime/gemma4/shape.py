"""From a `Gemma4Config` to what of it decides how much memory the network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.network_shape import EmbedderShape, NetworkShape, TowerShape
from gemma_tui.runtime.gemma4.config import PatchEmbedderConfig, VisionConfig

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.config import Gemma4Config


def shape_of(config: Gemma4Config) -> NetworkShape:
    """The shape of a checkpoint; only layers with keys of their own count as having a cache."""
    text, experts = config.text, config.text.experts
    own = text.layer_types[: text.num_hidden_layers - text.num_kv_shared_layers]
    return NetworkShape(
        vocabulary=text.vocab_size,
        hidden_size=text.hidden_size,
        intermediate_size=text.intermediate_size,
        layers=text.num_hidden_layers,
        attention_heads=text.num_attention_heads,
        head_dim=text.head_dim,
        global_head_dim=text.global_head_dim,
        per_layer_input=text.hidden_size_per_layer_input,
        sliding_layers=own.count("sliding_attention"),
        global_layers=own.count("full_attention"),
        key_heads=text.num_key_value_heads,
        global_key_heads=text.num_global_key_value_heads,
        window=text.sliding_window,
        context_length=text.max_position_embeddings,
        active_experts=experts.active if experts else 0,
        expert_size=experts.intermediate_size if experts else 0,
        ends_global=own[-1] == "full_attention",
        keeps_pictures_whole=text.picture_attention != "causal",
        vision=_vision_of(config.vision),
    )


def _vision_of(
    vision: VisionConfig | PatchEmbedderConfig | None,
) -> TowerShape | EmbedderShape | None:
    match vision:
        case VisionConfig():
            return TowerShape(
                vision.hidden_size,
                vision.intermediate_size,
                vision.num_attention_heads,
                vision.head_dim,
                vision.patch_size,
            )
        case PatchEmbedderConfig():
            return EmbedderShape(vision.embed_dim, vision.patch_size * vision.pooling_kernel_size)
        case None:
            return None
