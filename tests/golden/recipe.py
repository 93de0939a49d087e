"""A small checkpoint of the E2B architecture and prompts for all sizes, made from numbers alone.

Shared by the generator of the golden files and by the tests, so that neither weights nor media
need to be stored. Uses `RandomState` only, whose streams are frozen for good.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VOCABULARY: Final = 192
PAD, EOS, BOS = 0, 1, 2
IMAGE, VIDEO, AUDIO, BOI, EOI, BOA, EOA = range(180, 187)
SAMPLE_RATE: Final = 16_000

LOGIT_COLUMNS: Final = slice(0, VOCABULARY, 6)
"""The logits that are stored: 32 of 192; the argmax is taken over all."""

FEATURE_COLUMNS: Final = slice(0, 64, 4)
"""The components of a soft token that are stored: 16 of 64."""

_LAYERS = (["sliding_attention"] * 4 + ["full_attention"]) * 2

CONFIG: Final[dict[str, Any]] = {
    "model_type": "gemma4",
    "architectures": ["Gemma4ForConditionalGeneration"],
    "image_token_id": IMAGE,
    "video_token_id": VIDEO,
    "audio_token_id": AUDIO,
    "boi_token_id": BOI,
    "eoi_token_id": EOI,
    "boa_token_id": BOA,
    "eoa_token_index": EOA,
    "tie_word_embeddings": True,
    "text_config": {
        "model_type": "gemma4_text",
        "vocab_size": VOCABULARY,
        "vocab_size_per_layer_input": VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 10,
        "layer_types": _LAYERS,
        "num_kv_shared_layers": 5,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "global_head_dim": 32,
        "sliding_window": 32,
        "hidden_size_per_layer_input": 8,
        "use_double_wide_mlp": True,
        "final_logit_softcapping": 30.0,
        "max_position_embeddings": 131_072,
        "tie_word_embeddings": True,
        "pad_token_id": PAD,
        "eos_token_id": EOS,
        "bos_token_id": BOS,
        "rope_parameters": {
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            "full_attention": {
                "rope_type": "proportional",
                "partial_rotary_factor": 0.25,
                "rope_theta": 1_000_000.0,
            },
        },
    },
    "vision_config": {
        "model_type": "gemma4_vision",
        "hidden_size": 48,
        "intermediate_size": 80,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "num_key_value_heads": 3,
        "head_dim": 16,
        "patch_size": 16,
        "pooling_kernel_size": 3,
        "position_embedding_size": 512,
        "use_clipped_linears": True,
        "standardize": True,
        "rope_parameters": {"rope_type": "axial", "rope_theta": 100.0},
    },
    "audio_config": {
        "model_type": "gemma4_audio",
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "subsampling_conv_channels": [128, 8],
        "output_proj_dims": 72,
        "use_clipped_linears": True,
    },
}
"""Every feature of the E2B architecture, a window of 32, and the standardising of larger towers."""


@dataclass(frozen=True, slots=True)
class Text:
    """Ordinary tokens."""

    count: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of smooth colours and noise."""

    width: int
    height: int
    budget: int


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound of gliding tones, noise and silences."""

    seconds: float


Segment: TypeAlias = Text | Picture | Clip

CASES: Final[dict[str, tuple[Segment, ...]]] = {
    "text": (Text(200),),
    **{
        f"picture_{budget}": (Text(11), Picture(1024, 768, budget), Text(40))
        for budget in (70, 140, 280, 560, 1120)
    },
    "two_pictures": (
        *(Text(21), Picture(500, 400, 70), Text(3), Picture(300, 700, 140), Text(36)),
    ),
    "four_pictures": (
        *(Text(5), Picture(480, 480, 140), Text(2), Picture(1200, 150, 140)),
        *(Picture(130, 900, 140), Text(3), Picture(333, 250, 140), Text(36)),
    ),
    **{
        f"clip_{seconds}": (Text(11), Clip(seconds), Text(40))
        for seconds in (0.3, 1.0, 3.3, 10.0, 30.0)
    },
    "two_clips": (Text(9), Clip(0.7), Text(4), Clip(2.3), Text(35)),
    "picture_and_clip": (Picture(700, 500, 70), Text(20), Clip(1.5), Text(25)),
    "two_turns": (
        *(Text(8), Picture(600, 800, 70), Text(30)),
        *(Text(6), Picture(800, 300, 70), Text(40)),
    ),
    "second_turn": (
        *(Text(8), Picture(600, 800, 70), Text(30)),
        *(Text(6), Picture(800, 300, 70), Text(12), Clip(1.0), Text(20)),
    ),
}
"""Prompts, each after a `bos`. Every one is longer than the window."""

FIRST_TURN_SEGMENTS: Final = 3
"""How many segments of `two_turns` and `second_turn` are their first turn."""


def tensor(name: str, shape: Sequence[int]) -> NDArray[np.float32]:
    """The weights of one tensor, from its name in the Hugging Face layout.

    Scales keep activations sane, so that logits differ when a function differs.
    """
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    random = np.random.RandomState(seed)
    leaf = name.rsplit(".", 1)[-1]
    if leaf in {"input_min", "output_min"}:
        values = random.uniform(-3.0, -1.5, shape)
    elif leaf in {"input_max", "output_max"}:
        values = random.uniform(1.5, 3.0, shape)
    elif "q_norm" in name or "k_norm" in name:
        values = random.uniform(0.5, 0.9, shape)
    elif leaf == "per_expert_scale":
        values = random.uniform(0.5, 1.5, shape)
    elif name.endswith("router.scale"):
        values = random.uniform(4.0, 8.0, shape)
    elif leaf == "layer_scalar":
        values = random.uniform(0.6, 1.0, shape)
    elif leaf == "std_scale" or (len(shape) == 1 and leaf == "weight"):
        values = random.uniform(0.6, 1.4, shape) * (4.0 if "language_model.norm" in name else 1.0)
    elif leaf in {"std_bias", "bias", "per_dim_scale", "position_embedding_table", "pos_embedding"}:
        values = random.standard_normal(shape) * 0.4
    elif ".experts." in name:
        values = random.standard_normal(shape) / math.sqrt(shape[-1])
    else:
        values = random.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))
    return np.asarray(values, dtype=np.float32)


def pixels(picture: Picture, seed: int) -> NDArray[np.uint8]:
    """[height, width, 3]."""
    random = np.random.RandomState(seed)
    rows, columns = np.mgrid[: picture.height, : picture.width]
    waves = [
        np.sin(columns / random.uniform(20, 90) + rows / random.uniform(20, 90)) for _ in range(3)
    ]
    noise = random.uniform(-30, 30, (picture.height, picture.width, 3))
    return np.clip(127 + 90 * np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)


def samples(clip: Clip, seed: int) -> NDArray[np.int16]:
    """[samples] at 16 kHz."""
    random = np.random.RandomState(seed)
    time = np.arange(round(clip.seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tones = [
        np.sin(2 * np.pi * (random.uniform(100, 900) * time + random.uniform(-60, 60) * time**2))
        for _ in range(4)
    ]
    envelope = np.clip(np.sin(2 * np.pi * random.uniform(1, 3) * time) + 0.6, 0, 1)
    sound = envelope * sum(tones) / 6 + random.uniform(-0.02, 0.02, len(time))
    return np.asarray(np.clip(sound, -1, 1) * 32767, dtype=np.int16)


def seed_of(case: str, index: int) -> int:
    """The seed of one segment."""
    return int.from_bytes(hashlib.sha256(f"{case}/{index}".encode()).digest()[:4], "big")


def segment_ids(case: str, index: int, soft_tokens: int) -> list[int]:
    """The tokens of one segment, with as many placeholders as its medium has soft tokens."""
    match CASES[case][index]:
        case Text(count):
            random = np.random.RandomState(seed_of(case, index))
            return [int(token) for token in random.randint(3, 180, count)]
        case Picture():
            return [BOI, *[IMAGE] * soft_tokens, EOI]
        case Clip():
            return [BOA, *[AUDIO] * soft_tokens, EOA]
