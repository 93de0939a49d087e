"""Writes a trained state as a folder laid out like a published MLX Gemma 4 checkpoint.

Usage: python export.py STATE_FOLDER TOKENIZER.json OUT   (OUT is replaced in one step)
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch
from network import build, token
from transformers import GenerationConfig

CONTROL = {
    "image_token": "<|image|>",
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "audio_token": "<|audio|>",
    "boa_token": "<|audio>",
    "eoa_token": "<audio|>",
    "video_token": "<|video|>",
    "sot_token": "<|turn>",
    "eot_token": "<turn|>",
    "think_token": "<|think|>",
    "soc_token": "<|channel>",
    "eoc_token": "<channel|>",
    "stc_token": "<|tool_call>",
    "etc_token": "<tool_call|>",
    "std_token": "<|tool>",
    "etd_token": "<tool|>",
    "str_token": "<|tool_response>",
    "etr_token": "<tool_response|>",
    "escape_token": '<|"|>',
}
TOKENS = 70
"""Soft tokens per picture by default."""

TEMPERATURE = 0.2
"""Nearly greedy: there is one right answer, and a model this small is less sure of it than a large
one."""


def write_json(path: Path, content: dict) -> None:
    """Writes indented JSON."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def tokenizer_config() -> dict:
    """The content of tokenizer_config.json."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "processor_class": "Gemma4Processor",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
        "padding_side": "left",
        "model_max_length": 8192,
        "clean_up_tokenization_spaces": False,
        "extra_special_tokens": CONTROL,
        **CONTROL,
    }


def processor_config() -> dict:
    """The content of processor_config.json."""
    picture = {
        "image_processor_type": "Gemma4ImageProcessor",
        "do_resize": True,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": False,
        "do_convert_rgb": True,
        "resample": 3,
        "patch_size": 16,
        "max_soft_tokens": TOKENS,
        "pooling_kernel_size": 3,
        "image_mean": [0.0, 0.0, 0.0],
        "image_std": [1.0, 1.0, 1.0],
    }
    video = {
        "video_processor_type": "Gemma4VideoProcessor",
        "patch_size": 16,
        "max_soft_tokens": TOKENS,
        "pooling_kernel_size": 3,
        "num_frames": 32,
    }
    sound = {
        "feature_extractor_type": "Gemma4AudioFeatureExtractor",
        "feature_size": 128,
        "sampling_rate": 16000,
        "frame_length_ms": 20.0,
        "hop_length_ms": 10.0,
        "mel_floor": 0.001,
    }
    return {
        "processor_class": "Gemma4Processor",
        "image_seq_length": TOKENS,
        "audio_seq_length": 750,
        "audio_ms_per_token": 40,
        "image_processor": picture,
        "video_processor": video,
        "feature_extractor": sound,
    }


def release_config(path: Path) -> None:
    """Brings config.json from the layout of transformers to that of the published checkpoints."""
    config = json.loads(path.read_text(encoding="utf-8"))
    text = config["text_config"]
    text.pop("per_layer_config", None)
    text |= {"global_head_dim": 64, "num_global_key_value_heads": None, "eos_token_id": 1}
    text["dtype"] = config["audio_config"]["dtype"] = config["vision_config"]["dtype"] = "bfloat16"
    config["vision_soft_tokens_per_image"] = TOKENS
    config["eoa_token_id"] = config["eoa_token_index"]
    config["vision_config"]["default_output_length"] = TOKENS
    write_json(path, config)


def main() -> None:
    """Writes the folder beside its place and then swaps it in."""
    state, tokenizer, out = (Path(name) for name in sys.argv[1:4])
    network = build()
    network.load_state_dict(torch.load(state / "model.pt")["network"])
    network.config.use_cache = network.config.text_config.use_cache = True
    network = network.to(torch.bfloat16)
    network.config.dtype = torch.bfloat16
    network.generation_config = GenerationConfig(
        bos_token_id=2, pad_token_id=0, eos_token_id=[1, token("<turn|>")],
        do_sample=True, temperature=TEMPERATURE, top_k=64, top_p=0.95,
    )  # fmt: skip
    new = out.with_name(out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    network.save_pretrained(new)
    release_config(new / "config.json")
    shutil.copyfile(tokenizer, new / "tokenizer.json")
    write_json(new / "tokenizer_config.json", tokenizer_config())
    write_json(new / "processor_config.json", processor_config())
    here = Path(__file__).resolve().parent
    shutil.copyfile(here / "template.jinja", new / "chat_template.jinja")
    for path in new.iterdir():
        path.chmod(0o644)
    card = out / "README.md"
    if card.exists():
        shutil.copyfile(card, new / "README.md")
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    sizes = {path.name: path.stat().st_size for path in sorted(out.iterdir())}
    print(sizes, sum(sizes.values()))


if __name__ == "__main__":
    main()
