"""What remembering saves: `python -m tests.bench.prompt_cache [runs]`, by hand.

Makes a random network with the proportions of E2B and a conversation of some 8,000 tokens, then
prints seconds to the first token, as medians with their spread: of turn 20 against turn 1, both
with a question of the same length; opened again from disk against read from its first token; and of
a picture asked about again after a restart. On Linux, OpenBLAS makes MLX's products quicker:
`LD_PRELOAD=libopenblas.so.0`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gemma_tui.paths import builtin_model
from gemma_tui.runtime.safetensors import read_header
from tests.engine.scenes import ask, png
from tests.runtime.gemma4.checkpoint import safetensors_bytes
from tests.runtime.talk import Talk

if TYPE_CHECKING:
    from gemma_tui.generation import GenerationRequest

LAYERS = (["sliding_attention"] * 4 + ["full_attention"]) * 2
WORDS = "Tell me about shapes and colors, and about digits too. "
TURNS = 20


def make_model(folder: Path) -> Path:
    """The built-in model's vocabulary and towers around a larger decoder of random weights."""
    shutil.copytree(builtin_model(), folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    text = config["text_config"]
    text |= {
        "hidden_size": 512,
        "intermediate_size": 2048,
        "num_hidden_layers": len(LAYERS),
        "layer_types": LAYERS,
        "num_kv_shared_layers": 5,
        "head_dim": 64,
        "global_head_dim": 128,
        "sliding_window": 512,
        "max_position_embeddings": 131_072,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    known = read_header(folder / "model.safetensors")
    shapes = {name: entry.shape for name, entry in known.items() if "language_model" not in name}
    for name in ("embed_vision", "embed_audio"):
        key = f"model.{name}.embedding_projection.weight"
        shapes[key] = (text["hidden_size"], shapes[key][1])
    shapes |= decoder_shapes(text)
    random = np.random.default_rng(0)
    tensors = {name: weights(random, name, shape) for name, shape in shapes.items()}
    (folder / "model.safetensors").write_bytes(safetensors_bytes(tensors))
    return folder


def weights(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> Any:
    """Values that keep activations sane."""
    if name.endswith(("_min", "_max")):
        return np.full(shape, -9.0 if name.endswith("_min") else 9.0, np.float32)
    if len(shape) < 2:
        return np.ones(shape, np.float32)
    return (random.standard_normal(shape, np.float32) / np.sqrt(shape[-1])).astype(np.float32)


def decoder_shapes(text: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Every tensor of the decoder by its name in the Hugging Face layout."""
    hidden, ple, count = text["hidden_size"], text["hidden_size_per_layer_input"], len(LAYERS)
    heads, vocabulary = text["num_attention_heads"], text["vocab_size"]
    root = "model.language_model"
    shapes: dict[str, tuple[int, ...]] = {
        f"{root}.embed_tokens.weight": (vocabulary, hidden),
        f"{root}.embed_tokens_per_layer.weight": (vocabulary, count * ple),
        f"{root}.per_layer_model_projection.weight": (count * ple, hidden),
        f"{root}.per_layer_projection_norm.weight": (ple,),
        f"{root}.norm.weight": (hidden,),
    }
    for index, kind in enumerate(LAYERS):
        layer = f"{root}.layers.{index}"
        size = text["global_head_dim"] if kind == "full_attention" else text["head_dim"]
        shared = index >= count - text["num_kv_shared_layers"]
        wide = text["intermediate_size"] * (2 if shared and text["use_double_wide_mlp"] else 1)
        shapes |= {
            f"{layer}.self_attn.q_proj.weight": (heads * size, hidden),
            f"{layer}.self_attn.o_proj.weight": (hidden, heads * size),
            f"{layer}.self_attn.q_norm.weight": (size,),
            f"{layer}.mlp.gate_proj.weight": (wide, hidden),
            f"{layer}.mlp.up_proj.weight": (wide, hidden),
            f"{layer}.mlp.down_proj.weight": (hidden, wide),
            f"{layer}.per_layer_input_gate.weight": (ple, hidden),
            f"{layer}.per_layer_projection.weight": (hidden, ple),
            f"{layer}.layer_scalar": (1,),
        }
        if not shared:
            shapes |= {
                f"{layer}.self_attn.k_proj.weight": (size, hidden),
                f"{layer}.self_attn.v_proj.weight": (size, hidden),
                f"{layer}.self_attn.k_norm.weight": (size,),
            }
        norms = ("input", "post_attention", "pre_feedforward", "post_feedforward")
        for norm in (*(f"{name}_layernorm" for name in norms), "post_per_layer_input_norm"):
            shapes[f"{layer}.{norm}.weight"] = (hidden,)
    return shapes


def first_token(talk: Talk, request: GenerationRequest) -> tuple[float, int, int]:
    """Seconds to the end of a reply of one token, its prompt's tokens, and how many were known."""
    begun = time.perf_counter()
    _, end = talk.reply(request)
    seconds = time.perf_counter() - begun
    return seconds, end.usage.prompt_tokens, end.usage.cached_tokens


def conversation(talk: Talk, tokens: int) -> list[str]:
    """Messages of the turns before the last one, of so many tokens in all."""
    per_text = len(talk.resident.tokenizer.encode_text(WORDS))
    share = tokens // (2 * (TURNS - 1)) // per_text
    return [f"{place}. " + WORDS * share for place in range(2 * (TURNS - 1))]


def show(name: str, seconds: list[float]) -> float:
    """Print one row; returns its median."""
    middle = statistics.median(seconds)
    spread = f"{min(seconds):.3f} to {max(seconds):.3f}, n={len(seconds)}"
    sys.stdout.write(f"{name:<44} {middle:8.3f} s  ({spread})\n")
    return middle


def measure(talk: Talk, folder: Path, runs: int) -> None:
    """Everything, in one run."""
    resident = talk.resident
    before = conversation(talk, 8000)
    cold: list[float] = []
    for _ in range(max(1, runs // 3)):
        for path in (folder / "cache").glob("*"):
            path.unlink()
        talk.forget()
        seconds, tokens, known = first_token(talk, ask(*before, WORDS * 5, max_tokens=1))
        assert known == 0
        cold.append(seconds)
    # The turn before is kept as if it had just been written.
    talk.pause()
    one = resident.prompt_cache.byte_count
    turn_1: list[float] = []
    turn_20: list[float] = []
    for run in range(runs):
        question = f"{run} {WORDS * 5}"
        turn_1.append(first_token(talk, ask(question, max_tokens=1))[0])
        seconds, tokens, known = first_token(talk, ask(*before, question, max_tokens=1))
        turn_20.append(seconds)
    new = tokens - known
    talk.pause()
    disk: list[float] = []
    for run in range(runs):
        talk.restart()
        seconds, tokens, known = first_token(
            talk, ask(*before, f"{run}? {WORDS * 5}", max_tokens=1)
        )
        assert known
        disk.append(seconds)
    sys.stdout.write(f"{tokens} tokens, of which a turn adds {new}; snapshots {one >> 20} MiB\n")
    a = show("turn 1", turn_1)
    b = show(f"turn {TURNS}", turn_20)
    c = show("opened again, from disk", disk)
    d = show("opened again, nothing on disk", cold)
    sys.stdout.write(
        f"turn {TURNS} / turn 1: {b / a:.2f}   nothing on disk / from disk: {d / c:.1f}\n"
    )
    picture(talk, folder)


def picture(talk: Talk, folder: Path) -> None:
    """A picture asked about for the first time, and again after a restart, cold otherwise."""
    model, towers = talk.resident.loaded.model, 0
    encode = model.encode_image

    def count(features: Any) -> Any:
        nonlocal towers
        towers += 1
        return encode(features)

    model.encode_image = count  # type: ignore[method-assign]
    media = (png(folder / "red.png", (255, 0, 0), side=480),)
    for name, question in (("first", "What is this?"), ("after a restart", "Which color is it?")):
        seconds, _, _ = first_token(talk, ask(question, media=media, max_tokens=1))
        sys.stdout.write(f"a picture, {name}: {seconds:.3f} s, towers run so far: {towers}\n")
        talk.restart()


def main() -> None:
    """Run and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(1) as pool:
        folder = Path(name)
        talk = Talk(make_model(folder / "model"), pool, folder / "cache")
        measure(talk, folder, runs)
        assert talk.disk is not None
        talk.disk.close(10)


if __name__ == "__main__":
    main()
