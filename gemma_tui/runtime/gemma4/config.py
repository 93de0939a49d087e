"""The shape of a Gemma 4 network, as frozen values. Knows neither JSON nor weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

LayerType: TypeAlias = Literal["sliding_attention", "full_attention"]

PictureAttention: TypeAlias = Literal["causal", "sliding", "every"]
"""Where the soft tokens of one picture see each other both ways: nowhere (E2B, E4B), in the sliding
layers and within their window (26B-A4B, 31B), or in every layer whatever the window (12B)."""


@dataclass(frozen=True, slots=True)
class Rope:
    """Rotary positions of one layer type."""

    theta: float
    rope_type: Literal["default", "proportional"]
    partial_rotary_factor: float


@dataclass(frozen=True, slots=True)
class ExpertsConfig:
    """The mixture of experts beside the plain feed-forward of each layer."""

    count: int
    active: int
    """How many of them a token meets."""
    intermediate_size: int


@dataclass(frozen=True, slots=True)
class TextConfig:
    """The decoder. Defaults are those of the reference's `Gemma4TextConfig`."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    num_global_key_value_heads: int
    head_dim: int
    global_head_dim: int
    attention_k_eq_v: bool
    """The global layers take their keys, before normalisation, for values too."""
    layer_types: tuple[LayerType, ...]
    sliding_window: int
    num_kv_shared_layers: int
    use_double_wide_mlp: bool
    hidden_size_per_layer_input: int
    vocab_size_per_layer_input: int
    sliding_rope: Rope
    global_rope: Rope
    final_logit_softcapping: float | None
    tie_word_embeddings: bool
    max_position_embeddings: int
    pad_token_id: int
    rms_norm_eps: float
    picture_attention: PictureAttention
    experts: ExpertsConfig | None


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """The picture encoder. Defaults are those of the reference's `Gemma4VisionConfig`."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    patch_size: int
    pooling_kernel_size: int
    position_embedding_size: int
    rope_theta: float
    use_clipped_linears: bool
    standardize: bool
    rms_norm_eps: float


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """The sound encoder. Defaults are those of the reference's `Gemma4AudioConfig`."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    subsampling_conv_channels: tuple[int, int]
    conv_kernel_size: int
    residual_weight: float
    attention_context_left: int
    attention_logit_cap: float
    use_clipped_linears: bool
    gradient_clipping: float
    output_proj_dims: int
    rms_norm_eps: float


@dataclass(frozen=True, slots=True)
class PatchEmbedderConfig:
    """What 12B has instead of a picture encoder (the reference's `Gemma4UnifiedVisionConfig`)."""

    embed_dim: int
    patch_size: int
    pooling_kernel_size: int
    position_embedding_size: int
    """Places along either side, counted in soft tokens."""
    rms_norm_eps: float


@dataclass(frozen=True, slots=True)
class WaveformEmbedderConfig:
    """What 12B has instead of a sound encoder (the reference's `Gemma4UnifiedAudioConfig`)."""

    samples_per_token: int
    rms_norm_eps: float


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Ids that stand for media in a prompt, and those every prompt needs."""

    bos: int
    pad: int
    image: int
    boi: int
    eoi: int
    audio: int
    boa: int
    eoa: int
    video: int | None

    @property
    def placeholders(self) -> tuple[int, ...]:
        """Ids whose own embedding is never used."""
        return tuple(i for i in (self.image, self.audio, self.video) if i is not None)

    @property
    def pictures(self) -> tuple[int, ...]:
        """Placeholders of which a run is one picture."""
        return tuple(i for i in (self.image, self.video) if i is not None)


@dataclass(frozen=True, slots=True)
class Gemma4Config:
    """One checkpoint: its decoder, how it sees and hears if it does, and its special tokens."""

    text: TextConfig
    vision: VisionConfig | PatchEmbedderConfig | None
    audio: AudioConfig | WaveformEmbedderConfig | None
    tokens: SpecialTokens
    eos_ids: tuple[int, ...]
    image_token_budget: int | None
    """`vision_soft_tokens_per_image`, when the file says so."""
