"""From the vision and audio parts of a `config.json` to the shapes of towers and embedders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.preprocessing.budget import PATCH_SIZE, POOLING, WAVEFORM_FRAME
from gemma_tui.runtime.gemma4.config import (
    AudioConfig,
    PatchEmbedderConfig,
    VisionConfig,
    WaveformEmbedderConfig,
)

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.json_fields import Fields


def read_vision_tower(vision: Fields) -> VisionConfig:
    """The picture encoder of every size but 12B.

    Raises:
        ModelError: A field is missing or impossible.
    """
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


def read_audio_tower(audio: Fields) -> AudioConfig:
    """The sound encoder of E2B and E4B.

    Raises:
        ModelError: A field is missing or impossible.
    """
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


def read_patch_embedder(vision: Fields) -> PatchEmbedderConfig:
    """How 12B sees. Defaults are those of the reference's `Gemma4UnifiedVisionConfig`.

    Raises:
        ModelError: A field is missing or impossible.
    """
    vision.require("patch_size", PATCH_SIZE)
    vision.require("pooling_kernel_size", POOLING)
    vision.require("model_patch_size", PATCH_SIZE * POOLING)
    embed_dim = vision.positive("mm_embed_dim", default=3840)
    vision.require("output_proj_dims", embed_dim, default=3840)
    return PatchEmbedderConfig(
        embed_dim=embed_dim,
        patch_size=PATCH_SIZE,
        pooling_kernel_size=POOLING,
        position_embedding_size=vision.positive("mm_posemb_size", default=1120),
        rms_norm_eps=vision.number("rms_norm_eps", default=1e-6),
    )


def read_waveform_embedder(audio: Fields) -> WaveformEmbedderConfig:
    """How 12B hears. Defaults are those of the reference's `Gemma4UnifiedAudioConfig`.

    Raises:
        ModelError: A field is missing or impossible.
    """
    # Four names of one number, and preprocessing cuts frames of that many samples.
    for name in ("audio_embed_dim", "audio_samples_per_token", "hidden_size", "output_proj_dims"):
        audio.require(name, WAVEFORM_FRAME)
    return WaveformEmbedderConfig(
        samples_per_token=WAVEFORM_FRAME, rms_norm_eps=audio.number("rms_norm_eps", default=1e-6)
    )
