"""Loads a model folder: checks it, builds the network, reads the weights, warms it up.

The one place where files become a `LoadedModel`. Must run on the thread that will generate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx

from gemma_tui.errors import ModelError
from gemma_tui.generation import ModelInfo
from gemma_tui.paths import builtin_model
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS
from gemma_tui.runtime.gemma4.json_fields import Fields
from gemma_tui.runtime.gemma4.layers import on_cpu
from gemma_tui.runtime.gemma4.model import Gemma4
from gemma_tui.runtime.gemma4.read_config import read_config
from gemma_tui.runtime.gemma4.weights import Quantisation, fill, quantise_layers, read_tensors
from gemma_tui.runtime.model_folder import open_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gemma_tui.generation import LoadPhase
    from gemma_tui.runtime.gemma4.config import Gemma4Config, TextConfig

DEFAULT_TOKEN_BUDGET: Final = 280
"""Soft tokens of a picture unless the checkpoint says otherwise (the reference's default)."""

_SIZES: Final = {
    (35, 1536): "Gemma 4 E2B",
    (42, 2560): "Gemma 4 E4B",
    (48, 3840): "Gemma 4 12B",
    (30, 2816): "Gemma 4 26B-A4B",
    (60, 5376): "Gemma 4 31B",
}
"""Names by number of layers and hidden size (the model card)."""

_CHECKED, _READ = 0.02, 0.95
"""Where in the whole load the checks and the weights end."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A network ready to run, and what must be known to run it."""

    model: Gemma4
    config: Gemma4Config
    info: ModelInfo
    stop_ids: frozenset[int]
    """Ids that end a reply."""
    suppressed_ids: tuple[int, ...]
    """Ids that must never be drawn."""
    tokenizer_file: Path


def load_model(folder: Path, progress: Callable[[LoadPhase, float], None]) -> LoadedModel:
    """Load the Gemma 4 in a folder.

    Without a GPU, weights in bf16 or fp16 become fp32, the fast type of a CPU.

    Args:
        folder: With config.json, tokenizer.json and *.safetensors, of the Hugging Face or the MLX
            layout.
        progress: Called with the phase and the fraction of the whole load, 0 to 1.

    Raises:
        ModelError: The folder cannot be loaded; the sentence names the file or the tensor.
    """
    progress("starting", 0.0)
    files = open_folder(folder)
    config = read_config(files.config)
    generation = Fields(files.generation_config, "generation_config.json")
    stop_ids = generation.integers("eos_token_id", default=config.eos_ids)
    suppressed = generation.integers("suppress_tokens", default=())
    for token in (*stop_ids, *suppressed):
        if not 0 <= token < config.text.vocab_size:
            raise generation.impossible("eos_token_id or suppress_tokens", token)
    budget = _token_budget(config, files.processor_config)
    progress("weights", _CHECKED)
    is_cpu = on_cpu()
    if is_cpu:
        # On a CPU, compiling means running g++ and loading what it made from a shared temporary
        # folder: seconds at the first start, and no token faster for it.
        mx.disable_compile()
    model = Gemma4(config)
    tensors = read_tensors(files.weights, config)
    quantise_layers(model, tensors, _quantisation(files.config))
    weight_bytes = fill(
        model,
        tensors,
        upcast=is_cpu,
        report=lambda fraction: progress("weights", _CHECKED + fraction * (_READ - _CHECKED)),
    )
    model.eval()
    progress("warming", _READ)
    _warm_up(model, config)
    progress("warming", 1.0)
    return LoadedModel(
        model=model,
        config=config,
        info=_info(folder, config, budget, weight_bytes),
        stop_ids=frozenset(stop_ids),
        suppressed_ids=suppressed,
        tokenizer_file=files.tokenizer,
    )


def _warm_up(model: Gemma4, config: Gemma4Config) -> None:
    """Two steps, the second on a warm cache: what MLX compiles once is compiled now."""
    cache = model.make_cache()
    for _ in range(2):
        mx.eval(model(mx.array([[config.tokens.bos]]), cache=cache, last_only=True))


def _token_budget(config: Gemma4Config, processor: dict[str, Any]) -> int:
    image = Fields(processor, "processor_config.json").section("image_processor")
    budget = config.image_token_budget
    if image is not None and image.has("max_soft_tokens"):
        budget = image.integer("max_soft_tokens")
    if budget is None:
        return DEFAULT_TOKEN_BUDGET
    if budget not in TOKEN_BUDGETS:
        raise ModelError(
            f"This model wants {budget} soft tokens for a picture, which is not a token budget.",
            "Download the model again.",
        )
    return budget


def _quantisation(content: dict[str, Any]) -> Quantisation | None:
    """The `quantization` section MLX tools write: a default, and layers that differ by name."""
    section = Fields(content, "config.json").section("quantization")
    if section is None:
        return None
    layers = {
        name: value for name, value in content["quantization"].items() if isinstance(value, dict)
    }
    return Quantisation(
        group_size=section.positive("group_size"),
        bits=section.positive("bits"),
        mode=section.text("mode", default="affine"),
        layers=layers,
    )


def _info(folder: Path, config: Gemma4Config, budget: int, weight_bytes: int) -> ModelInfo:
    is_demo = folder.resolve() == builtin_model().resolve()
    return ModelInfo(
        name="built-in demo" if is_demo else _name(folder, config.text),
        folder=str(folder),
        can_see=config.vision is not None,
        can_hear=config.audio is not None,
        context_length=config.text.max_position_embeddings,
        default_token_budget=budget,
        weight_bytes=weight_bytes,
        is_demo=is_demo,
    )


def _name(folder: Path, text: TextConfig) -> str:
    known = _SIZES.get((text.num_hidden_layers, text.hidden_size))
    return known or f"Gemma 4 ({folder.resolve().name})"
