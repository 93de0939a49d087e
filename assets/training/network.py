"""The tiny Gemma 4: its configuration, its initialisation, and the heads used in training only.

The classes are those of transformers, so that the result is a Gemma 4 checkpoint like any other.
"""

from __future__ import annotations

import torch
from canvas import COLOURS
from shapes import SHAPES
from torch import nn
from transformers import (
    Gemma4AudioConfig,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4TextConfig,
    Gemma4VisionConfig,
)
from transformers.models.gemma4 import modeling_gemma4
from vocabulary import SPECIAL, VOCABULARY

WIDTH = 128
LAYERS = ["sliding_attention", "sliding_attention", "full_attention"] * 2
ROPE = {
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "full_attention": {
        "rope_type": "proportional",
        "partial_rotary_factor": 0.25,
        "rope_theta": 1000000.0,
    },
}
HEADS = (("colour", tuple(COLOURS), 1.0), ("shape", SHAPES, 1.5),
         ("digit", tuple("0123456789"), 1.5), ("kind", ("shape", "digit", "other"), 1.0))  # fmt: skip
"""Helper heads of the vision tower: (fact, its values, weight of its loss)."""


def token(name: str) -> int:
    """The id of a control token."""
    return SPECIAL.index(name)


def configuration() -> Gemma4Config:
    """The architecture: every mechanism of E2B in small."""
    text = Gemma4TextConfig(
        vocab_size=VOCABULARY, vocab_size_per_layer_input=VOCABULARY, hidden_size=WIDTH,
        intermediate_size=256, num_hidden_layers=len(LAYERS), num_attention_heads=4,
        num_key_value_heads=1, head_dim=32, global_head_dim=64, num_kv_shared_layers=3,
        use_double_wide_mlp=True, layer_types=list(LAYERS), sliding_window=128,
        hidden_size_per_layer_input=32, final_logit_softcapping=30.0,
        max_position_embeddings=8192, pad_token_id=0, bos_token_id=2,
        eos_token_id=[1, token("<turn|>")], rope_parameters=ROPE,
    )  # fmt: skip
    vision = Gemma4VisionConfig(
        hidden_size=WIDTH, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=4, head_dim=32, position_embedding_size=256,
    )  # fmt: skip
    audio = Gemma4AudioConfig(
        hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=4,
        subsampling_conv_channels=[128, 8], output_proj_dims=WIDTH, use_clipped_linears=True,
    )  # fmt: skip
    return Gemma4Config(
        text_config=text, vision_config=vision, audio_config=audio,
        boi_token_id=token("<|image>"), image_token_id=token("<|image|>"),
        eoi_token_id=token("<image|>"), boa_token_id=token("<|audio>"),
        audio_token_id=token("<|audio|>"), eoa_token_index=token("<audio|>"),
        video_token_id=token("<|video|>"), eos_token_id=[1, token("<turn|>")],
        pad_token_id=0, bos_token_id=2,
    )  # fmt: skip


@torch.no_grad()
def build(seed: int = 0) -> Gemma4ForConditionalGeneration:
    """A new network. Attention has scale 1.0, so query and key norms start at 1/sqrt(d) together."""
    torch.manual_seed(seed)
    network = Gemma4ForConditionalGeneration(configuration())
    for name, weight in network.named_parameters():
        if "q_norm.weight" in name or "k_norm.weight" in name:
            weight.fill_(weight.numel() ** -0.25)
        elif "position_embedding_table" in name:
            weight.normal_(0, 0.25)
        elif name.endswith("embed_tokens.weight"):
            weight.normal_(0, 0.05)
        elif weight.ndim == 2 and ("embed" not in name or "embedding_projection" in name):
            weight.normal_(0, weight.shape[1] ** -0.5)
        elif ("post_" in name and name.endswith("layernorm.weight")) or (
            "post_per_layer_input_norm" in name
        ):
            weight.fill_(0.4)
    network.config.use_cache = False
    return network


class Helpers(nn.Module):
    """Heads on the towers: facts of a picture, and CTC over blank + ten digits + other.

    A picture's soft tokens are pooled by four learned queries, as the language model would look
    for the token that matters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.vision_query = nn.Linear(WIDTH, 4)
        self.vision_head = nn.Linear(4 * WIDTH, sum(len(values) for _, values, _ in HEADS))
        self.audio_head = nn.Linear(WIDTH, 12)

    def facts(self, soft: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Logits per fact from vision soft tokens [batch, tokens, width]."""
        soft = nn.functional.rms_norm(soft, (WIDTH,))
        weights = self.vision_query(soft).softmax(1)
        pooled = torch.einsum("btq,btw->bqw", weights, soft).flatten(1)
        return self.vision_head(pooled).split([len(values) for _, values, _ in HEADS], -1)

    def speech(self, soft: torch.Tensor) -> torch.Tensor:
        """CTC log-probabilities [batch, tokens, 12] from audio soft tokens."""
        return self.audio_head(nn.functional.rms_norm(soft, (WIDTH,))).log_softmax(-1)


def pool_cells(
    hidden_states: torch.Tensor,
    pixel_position_ids: torch.Tensor,  # noqa: ARG001
    padding_positions: torch.Tensor,  # noqa: ARG001
    output_length: int | None = None,  # noqa: ARG001
) -> tuple[torch.Tensor, torch.Tensor]:
    """The pooler for patches that come cell by cell, nine after nine (cell dropout)."""
    batch, patches, width = hidden_states.shape
    pooled = hidden_states.view(batch, patches // 9, 9, width).mean(2).float() * width**0.5
    return pooled, torch.ones(batch, patches // 9, dtype=torch.bool)


def use_pool_cells(network: Gemma4ForConditionalGeneration) -> None:
    """Makes a network's vision tower take cells; the exported weights do not change."""
    network.model.vision_tower.pooler.forward = pool_cells


def subsample(
    self: nn.Module, hidden_states: torch.Tensor, mask: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The audio subsampling layer kept channels-last: the same numbers, a quarter faster on CPU."""
    if mask is not None:
        hidden_states = hidden_states * mask[:, None, :, None]
    last = torch.channels_last
    out = nn.functional.conv2d(
        hidden_states.contiguous(memory_format=last),
        self.conv.weight.contiguous(memory_format=last),
        stride=2,
        padding=1,
    )
    out = torch.relu(self.norm(out.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    return out, None if mask is None else mask[:, ::2]


def use_fast_audio() -> None:
    """Replaces transformers' subsampling layer by `subsample` in this process."""
    modeling_gemma4.Gemma4AudioSubSampleConvProjectionLayer.forward = subsample


def merge(
    network: Gemma4ForConditionalGeneration, ids: torch.Tensor, soft: torch.Tensor | None
) -> torch.Tensor:
    """Hidden states [batch, length, width] with soft tokens [n, width] in the placeholders' places.

    The same as the model's own forward pass, for media of both kinds that are already encoded.
    """
    language = network.model.language_model
    media = (ids == token("<|image|>")) | (ids == token("<|audio|>"))
    plain = torch.where(media, 0, ids)
    embedded = language.embed_tokens(plain)
    layered = language.get_per_layer_inputs(plain, embedded)
    if soft is not None:
        embedded = embedded.masked_scatter(media[..., None], soft)
    return language(
        inputs_embeds=embedded, per_layer_inputs=layered, use_cache=False
    ).last_hidden_state
