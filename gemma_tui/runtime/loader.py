"""Loads a model folder: checks it, builds the network, reads the weights, warms it up.

The one place where files become a `LoadedModel`. Must run on the thread that will generate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx

from gemma_tui.errors import ModelError
from gemma_tui.generation import ModelInfo
from gemma_tui.memory_plan import Machine, MemoryPlan, describe_limit, require_memory
from gemma_tui.model_folder import open_folder
from gemma_tui.model_sizes import BUILTIN_NAME, model_name
from gemma_tui.paths import builtin_model
from gemma_tui.preprocessing.budget import DEFAULT_TOKEN_BUDGET, TOKEN_BUDGETS
from gemma_tui.runtime.gemma4.json_fields import Fields
from gemma_tui.runtime.gemma4.layers import on_cpu
from gemma_tui.runtime.gemma4.model import Gemma4
from gemma_tui.runtime.gemma4.quantisation import quantise_layers, read_quantisation
from gemma_tui.runtime.gemma4.read_config import read_config
from gemma_tui.runtime.gemma4.shape import shape_of
from gemma_tui.runtime.gemma4.weights import (
    described_tensors,
    fill,
    memory_bytes,
    mlx_name,
    read_tensors,
    without_absent_towers,
)
from gemma_tui.runtime.generation_config import sampling_defaults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gemma_tui.generation import LoadPhase
    from gemma_tui.model_folder import ModelFolder
    from gemma_tui.runtime.gemma4.config import Gemma4Config

_PROCESSOR: Final[dict[str, dict[str, float]]] = {
    "image_processor": {"patch_size": 16, "pooling_kernel_size": 3},
    "feature_extractor": {
        "sampling_rate": 16_000,
        "feature_size": 128,
        "frame_length_ms": 20.0,
        "hop_length_ms": 10.0,
    },
}
"""What preprocessing computes (processor_config.json of the released checkpoints). Those of 12B
Unified cut raw samples and larger patches, so none of these numbers mean the same there."""

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


def plan_memory(folder: Path, free_bytes: int) -> MemoryPlan:
    """What the Gemma 4 in a folder would need, from its small files and the headers of its weights.

    Args:
        folder: As for `load_model`.
        free_bytes: What may be used.

    Raises:
        ModelError: The folder cannot be loaded; the sentence names the file or the tensor.
    """
    files = open_folder(folder)
    return _plan_memory(files, read_config(files.config), free_bytes)


def _plan_memory(files: ModelFolder, config: Gemma4Config, free_bytes: int) -> MemoryPlan:
    headers = described_tensors(files.weights, config)
    config, _ = without_absent_towers(config, headers)
    size = sum(memory_bytes(tensor, upcast=on_cpu()) for tensor in headers.values())
    return MemoryPlan(shape_of(config), size, this_machine(), free_bytes)


def this_machine() -> Machine:
    """What MLX runs on, for the memory plan."""
    return Machine(item_bytes=4 if on_cpu() else 2)


def load_model(
    folder: Path,
    progress: Callable[[LoadPhase, float], None],
    *,
    free_bytes: int | None = None,
    compiles: bool = False,
) -> LoadedModel:
    """Load the Gemma 4 in a folder.

    Without a GPU, weights in bf16 or fp16 become fp32, the fast type of a CPU.

    Args:
        folder: With config.json, tokenizer.json and *.safetensors, Hugging Face's or MLX's layout.
        progress: Called with the phase and the fraction of the whole load, 0 to 1.
        free_bytes: What may be used; the context is cut to it. None plans nothing.
        compiles: Whether MLX may compile for a CPU (see `compiled_kernels`).

    Raises:
        InsufficientMemoryError: Not even a short context fits.
        ModelError: The folder cannot be loaded; the sentence names the file or the tensor.
    """
    progress("starting", 0.0)
    files = open_folder(folder)
    config = read_config(files.config)
    generation = Fields(files.generation_config, "generation_config.json")
    stop_ids, suppressed = _read_ids(generation, config)
    sampling = sampling_defaults(generation)
    budget = _token_budget(config, files.processor_config)
    context, short_of = _fitting_context(files, config, free_bytes)
    progress("weights", _CHECKED)
    _let_compile(compiles)
    model, config, limitations, weight_bytes = _build(
        files, config, lambda part: progress("weights", _CHECKED + part * (_READ - _CHECKED))
    )
    progress("warming", _READ)
    _warm_up(model, config)
    progress("warming", 1.0)
    return LoadedModel(
        model=model,
        config=config,
        info=replace(
            _info(folder, config, budget, weight_bytes),
            context_length=context,
            sampling=sampling,
            limitations=(*limitations, short_of) if short_of else limitations,
        ),
        stop_ids=frozenset(stop_ids),
        suppressed_ids=suppressed,
        tokenizer_file=files.tokenizer,
    )


def _fitting_context(
    files: ModelFolder, config: Gemma4Config, free_bytes: int | None
) -> tuple[int, str]:
    """The context that fits into the memory, and a sentence if it is shorter than the model's."""
    whole = config.text.max_position_embeddings
    if free_bytes is None:
        return whole, ""
    estimate = require_memory(_plan_memory(files, config, free_bytes))
    return min(whole, estimate.fitting_context), describe_limit(estimate)


def _let_compile(wanted: bool) -> None:
    if on_cpu():
        (mx.enable_compile if wanted else mx.disable_compile)()


def _read_ids(generation: Fields, config: Gemma4Config) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ids that end a reply, and ids that must never be drawn."""
    stop_ids = generation.integers("eos_token_id", default=config.eos_ids)
    suppressed = generation.integers("suppress_tokens", default=())
    for token in (*stop_ids, *suppressed):
        if not 0 <= token < config.text.vocab_size:
            raise generation.impossible("eos_token_id or suppress_tokens", token)
    return stop_ids, suppressed


def _build(
    files: ModelFolder, config: Gemma4Config, report: Callable[[float], None]
) -> tuple[Gemma4, Gemma4Config, tuple[str, ...], int]:
    """The network with its weights, the config as far as it came true, what it lacks, its bytes."""
    tensors = read_tensors(files.weights, config)
    config, limitations = without_absent_towers(config, tensors)
    model = Gemma4(config)
    quantise_layers(model, tensors, read_quantisation(files.config, mlx_name))
    # Layers begin with random weights, never computed; MLX would remember every draw for ever.
    mx.random.seed(0)
    weight_bytes = fill(model, tensors, upcast=on_cpu(), report=report)
    model.eval()
    return model, config, limitations, weight_bytes


def _warm_up(model: Gemma4, config: Gemma4Config) -> None:
    """Two steps, the second on a warm cache: what MLX compiles once is compiled now."""
    cache = model.make_cache()
    for _ in range(2):
        mx.eval(model(mx.array([[config.tokens.bos]]), cache=cache, last_only=True))


def _check_processor(processor: dict[str, Any]) -> None:
    """Preprocessing has one geometry, the released checkpoints'; a folder may not ask for another.

    What the file does not say, or a folder without the file, counts as the released value.

    Raises:
        ModelError: It asks for another one; names the field.
    """
    settings = Fields(processor, "processor_config.json")
    for name, expected in _PROCESSOR.items():
        section = settings.section(name)
        if section is not None and "Unified" not in section.text(f"{name}_type", default=""):
            for field, value in expected.items():
                section.require(field, value)


def _token_budget(config: Gemma4Config, processor: dict[str, Any]) -> int:
    """Soft tokens of a picture unless the user chooses; preprocessing must be what it expects."""
    _check_processor(processor)
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


def _info(folder: Path, config: Gemma4Config, budget: int, weight_bytes: int) -> ModelInfo:
    is_demo = folder.resolve() == builtin_model().resolve()
    text = config.text
    name = model_name(text.num_hidden_layers, text.hidden_size, folder.resolve().name)
    return ModelInfo(
        name=BUILTIN_NAME if is_demo else name,
        folder=str(folder),
        can_see=config.vision is not None,
        can_hear=config.audio is not None,
        context_length=config.text.max_position_embeddings,
        default_token_budget=budget,
        weight_bytes=weight_bytes,
        is_demo=is_demo,
    )
