"""The text decoder: mlx-lm's Gemma 4 layers, run in our own order.

Differs from mlx-lm's loop in four ways: soft tokens bypass the scaling of embeddings, placeholders
count as padding, pictures are seen both ways in sizes that do so, and positions whose output nobody
asked for skip the layers that only read other layers' keys (20 of the 35 layers of E2B).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import mlx.core as mx
from mlx_lm.models.cache import KVCache, RotatingKVCache
from mlx_lm.models.gemma4_text import Gemma4TextModel, ModelArgs

from gemma_tui.runtime.gemma4.masks import same_picture, see_pictures_both_ways
from gemma_tui.runtime.gemma4.merge import SoftTokens, scatter

if TYPE_CHECKING:
    from collections.abc import Collection

    from gemma_tui.runtime.gemma4.config import Rope, SpecialTokens, TextConfig

Keep: TypeAlias = Literal["all", "last", "none"]
"""Which positions' final states are wanted."""


def decoder_arguments(config: TextConfig) -> ModelArgs:
    """The same decoder in mlx-lm's words, without its output layer."""
    experts = config.experts
    return ModelArgs(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        num_global_key_value_heads=config.num_global_key_value_heads,
        attention_k_eq_v=config.attention_k_eq_v,
        head_dim=config.head_dim,
        global_head_dim=config.global_head_dim,
        layer_types=list(config.layer_types),
        sliding_window=config.sliding_window,
        num_kv_shared_layers=config.num_kv_shared_layers,
        use_double_wide_mlp=config.use_double_wide_mlp,
        hidden_size_per_layer_input=config.hidden_size_per_layer_input,
        vocab_size_per_layer_input=config.vocab_size_per_layer_input,
        rope_parameters={
            "sliding_attention": _rope_arguments(config.sliding_rope),
            "full_attention": _rope_arguments(config.global_rope),
        },
        max_position_embeddings=config.max_position_embeddings,
        enable_moe_block=experts is not None,
        num_experts=experts.count if experts else None,
        top_k_experts=experts.active if experts else None,
        moe_intermediate_size=experts.intermediate_size if experts else None,
        pad_token_id=config.pad_token_id,
        rms_norm_eps=config.rms_norm_eps,
    )


def _rope_arguments(rope: Rope) -> dict[str, str | float]:
    return {
        "rope_type": rope.rope_type,
        "rope_theta": rope.theta,
        "partial_rotary_factor": rope.partial_rotary_factor,
    }


class Decoder(Gemma4TextModel):
    """Token ids and soft tokens in, final hidden states out.

    Args:
        config: The decoder's shape.
        tokens: Which ids stand for media. Their own embeddings are never used: as in the
            reference, they count as padding wherever no soft token replaces them.
    """

    def __init__(self, config: TextConfig, tokens: SpecialTokens) -> None:
        super().__init__(decoder_arguments(config))
        self._own_ids = _without(tokens.placeholders, config.vocab_size, config.pad_token_id)
        self._pictures = tokens.pictures
        self._picture_attention = config.picture_attention
        self._own_layers = config.num_hidden_layers - config.num_kv_shared_layers

    def __call__(  # type: ignore[override]  # never called through the base class
        self, ids: mx.array, *, cache: list[Any], soft: SoftTokens | None, keep: Keep
    ) -> mx.array | None:
        """Advance `cache` by these tokens.

        Args:
            ids: [1, length], integers. Where pictures are seen both ways, each must be here whole.
            cache: One cache for each layer with keys of its own, as `make_cache` returns them.
            soft: Replaces the embeddings at its positions.
            keep: Which final states to compute.

        Returns:
            Normalised hidden states [1, length, hidden], [1, 1, hidden], or None.
        """
        hidden, inputs = self._embed(ids, soft)
        masks = self._masks(ids, cache, has_media=soft is not None)
        kept: list[Any] = []
        for index in range(self._own_layers):
            hidden, keys, offset = self.layers[index](
                hidden, masks[index], cache[index], per_layer_input=_layer(inputs, index)
            )
            kept.append((keys, offset))
        if keep == "none":
            return None
        skipped = ids.shape[1] - 1 if keep == "last" else 0
        if skipped:
            hidden = hidden[:, skipped:]
            inputs = None if inputs is None else inputs[:, skipped:]
            masks = [_last_row(mask) for mask in masks]
        for index in range(self._own_layers, len(self.layers)):
            keys, offset = kept[self.previous_kvs[index]]
            hidden, _, _ = self.layers[index](
                hidden,
                masks[index],
                None,
                per_layer_input=_layer(inputs, index),
                shared_kv=keys,
                offset=offset + skipped,
            )
        return self.norm(hidden)

    def make_cache(self) -> list[Any]:
        """Empty caches, one for each layer with keys of its own: rotating where it slides."""
        return [
            KVCache()
            if layer.layer_type == "full_attention"
            else RotatingKVCache(max_size=self.window_size, keep=0)
            for layer in self.layers[: self._own_layers]
        ]

    def _masks(self, ids: mx.array, cache: list[Any], *, has_media: bool) -> list[Any]:
        """What each layer's queries may see: "causal", all for None, or [length, keys]."""
        length = ids.shape[1]
        overlay = self._picture_attention if has_media and length > 1 else "causal"
        same = None if overlay == "causal" else same_picture(ids, self._pictures)
        made: dict[str, Any] = {}
        for layer, state in zip(self.layers, cache, strict=False):
            if layer.layer_type in made:
                continue
            slides = layer.layer_type == "sliding_attention"
            overlaid = overlay == "every" or (overlay == "sliding" and slides)
            window = self.window_size if slides else None
            mask = state.make_mask(length, window_size=window, return_array=overlaid)
            if overlaid and same is not None:
                mask = see_pictures_both_ways(mask, same, within_window=overlay == "sliding")
            made[layer.layer_type] = mask
        return [made[layer.layer_type] for layer in self.layers]

    def _embed(self, ids: mx.array, soft: SoftTokens | None) -> tuple[mx.array, mx.array | None]:
        """Scaled embeddings [1, length, hidden] and per-layer inputs [1, length, layers, size]."""
        ids = self._own_ids[ids]
        hidden = self.embed_tokens(ids) * self.embed_scale
        if soft is not None:
            hidden = scatter(hidden, soft)
        if not self.hidden_size_per_layer_input:
            return hidden, None
        inputs = self._project_per_layer_inputs(hidden, self._get_per_layer_inputs(ids))
        return hidden, inputs


def _without(placeholders: Collection[int], size: int, pad: int) -> mx.array:
    """[size] uint32: each id of a vocabulary itself, a placeholder's the padding's."""
    unwanted = {*placeholders}
    return mx.array([pad if token in unwanted else token for token in range(size)], mx.uint32)


def _layer(inputs: mx.array | None, index: int) -> mx.array | None:
    return None if inputs is None else inputs[:, :, index]


def _last_row(mask: mx.array | str | None) -> mx.array | None:
    """What the last of several queries may see; None lets it see every key there is."""
    return mask[-1:] if isinstance(mask, mx.array) else None
