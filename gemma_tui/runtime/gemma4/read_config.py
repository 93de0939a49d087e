"""From a parsed `config.json` to a `Gemma4Config`.

Understands the files of all five sizes, those of text-only checkpoints, and both layouts in the
wild (see `read_decoder`). Names what is missing or foreign; knows nothing about weights or files.
"""

from __future__ import annotations

from typing import Any, Final

from gemma_tui.errors import ModelError
from gemma_tui.runtime.gemma4.config import (
    Gemma4Config,
    SpecialTokens,
)
from gemma_tui.runtime.gemma4.json_fields import Fields
from gemma_tui.runtime.gemma4.read_decoder import read_decoder
from gemma_tui.runtime.gemma4.read_towers import (
    read_audio_tower,
    read_patch_embedder,
    read_vision_tower,
    read_waveform_embedder,
)

_TOKENS: Final = ("bos", "pad", "image", "boi", "eoi", "audio", "boa", "eoa")


def read_config(content: dict[str, Any]) -> Gemma4Config:
    """Understand a parsed `config.json`.

    Raises:
        ModelError: It is not a Gemma 4 this program runs, or a field is missing or impossible.
    """
    top = Fields(content, "config.json")
    match top.text("model_type", default=""):
        case "gemma4":
            return _read_multimodal(top)
        case "gemma4_unified":
            return _read_unified(top)
        case "gemma4_text" | "gemma4_unified_text" as name:
            return _read_text_only(top, unified=name == "gemma4_unified_text")
        case "":
            reason = 'config.json lacks "model_type", so this is no model folder.'
        case other:
            reason = f'This is a model of type "{other[:40]}", not a Gemma 4.'
    raise ModelError(reason, "Choose a folder with a Gemma 4, or the built-in model.")


def _read_multimodal(top: Fields) -> Gemma4Config:
    """E2B, E4B, 26B-A4B or 31B."""
    vision, audio = top.section("vision_config"), top.section("audio_config")
    text_fields = _text_section(top)
    text = read_decoder(text_fields, unified=False)
    return Gemma4Config(
        text=text,
        vision=None if vision is None else read_vision_tower(vision),
        audio=None if audio is None else read_audio_tower(audio),
        tokens=_read_tokens(top, text_fields, text.vocab_size),
        eos_ids=_read_eos(top, text_fields),
        image_token_budget=top.optional_integer("vision_soft_tokens_per_image"),
    )


def _read_unified(top: Fields) -> Gemma4Config:
    """12B."""
    vision, audio = top.section("vision_config"), top.section("audio_config")
    text_fields = _text_section(top)
    text = read_decoder(text_fields, unified=True)
    budget = top.optional_integer("vision_soft_tokens_per_image")
    if budget is None and vision is not None:
        budget = vision.optional_integer("num_soft_tokens")
    return Gemma4Config(
        text=text,
        vision=None if vision is None else read_patch_embedder(vision),
        audio=None if audio is None else read_waveform_embedder(audio),
        tokens=_read_tokens(top, text_fields, text.vocab_size),
        eos_ids=_read_eos(top, text_fields),
        image_token_budget=budget,
    )


def _read_text_only(top: Fields, *, unified: bool) -> Gemma4Config:
    """The decoder of any size by itself, whose fields are not in a section of their own."""
    text = read_decoder(top, unified=unified)
    return Gemma4Config(
        text=text,
        vision=None,
        audio=None,
        tokens=_read_tokens(top, top, text.vocab_size, checked=("bos", "pad")),
        eos_ids=_read_eos(top, top),
        image_token_budget=None,
    )


def _text_section(top: Fields) -> Fields:
    text = top.section("text_config")
    if text is None:
        raise ModelError('config.json lacks "text_config".', "Download the model again.")
    return text


def _read_eos(top: Fields, text: Fields) -> tuple[int, ...]:
    return top.integers("eos_token_id", default=text.integers("eos_token_id", default=(1,)))


def _read_tokens(
    top: Fields, text: Fields, vocab_size: int, *, checked: tuple[str, ...] = _TOKENS
) -> SpecialTokens:
    """Special ids; those `checked` must have an embedding.

    Defaults are those of the reference's `Gemma4Config`.
    """
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
    for name in checked:
        if not 0 <= getattr(tokens, name) < vocab_size:
            raise top.impossible(f"{name}_token_id", getattr(tokens, name))
    return tokens
