"""The model in memory, and the jobs that can be done with it.

Importing this imports mlx. Made, used and dropped on the MLX thread; only `memory`, `model_info`
and `cached_tokens` are read from others.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

import mlx.core as mx

from gemma_tui.engine.protocol import Generate, Load, ModelLoaded, Unload, Unloaded
from gemma_tui.errors import ModelError
from gemma_tui.generation import LoadPhase, LoadProgress, ModelInfo
from gemma_tui.runtime.encoder import MediaEncoder
from gemma_tui.runtime.loader import load_model
from gemma_tui.runtime.prompt import PromptFlavour, PromptRenderer
from gemma_tui.runtime.prompt_cache import PromptCache
from gemma_tui.runtime.reply import Reply, Resident
from gemma_tui.runtime.tokenizer import Control, Tokenizer

if TYPE_CHECKING:
    import logging

    from gemma_tui.conversation import Usage
    from gemma_tui.runtime.gemma4.config import Gemma4Config, TextConfig
    from gemma_tui.runtime.jobs import Job

BUFFER_CACHE_BYTES: Final = 256 * 1024 * 1024
"""Freed buffers that MLX keeps for reuse. Its default is all the memory it may use, and chunks of a
growing prompt leave buffers of ever new sizes; a step of decoding reuses far less than this."""

_NO_MODEL: Final = ("No model is loaded.", "Choose a model first.")


class Inference:
    """At most one model, and what it is asked.

    Args:
        log: Told how long things took, never what they were about.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        mx.set_cache_limit(BUFFER_CACHE_BYTES)
        self._resident: Resident | None = None
        self._problem = _NO_MODEL

    @property
    def model_info(self) -> ModelInfo | None:
        """The loaded model."""
        resident = self._resident
        return resident.loaded.info if resident else None

    @property
    def cached_tokens(self) -> int:
        """Tokens held by the prompt cache."""
        resident = self._resident
        return resident.prompt_cache.token_count if resident else 0

    def memory(self) -> tuple[int, int]:
        """Bytes that arrays take now, and the most they took during the latest reply."""
        return mx.get_active_memory(), mx.get_peak_memory()

    def perform(self, job: Job) -> None:
        """Do one job, answering it completely.

        Raises:
            GemmaError: It cannot be done.
        """
        match job.work:
            case Load(folder=folder):
                job.emit(ModelLoaded(self._load(Path(folder), job)))
            case Generate(request=request):
                if self._resident is None:
                    raise ModelError(*self._problem)
                end = Reply(self._resident, request, job).write()
                self._log.info("reply: %s, %s", end.reason, _cost(end.usage))
                job.emit(end)
            case Unload():
                self._free()
                job.emit(Unloaded())
            case _:
                assert_never(job.work)

    def forget(self) -> None:
        """Drop every remembered state, after an error that nobody understands."""
        if self._resident is not None:
            self._resident.forget()

    def _load(self, folder: Path, job: Job) -> ModelInfo:
        def show(phase: LoadPhase, fraction: float) -> None:
            job.emit(LoadProgress(phase, fraction))

        self._free()
        started = time.perf_counter()
        try:
            loaded = load_model(folder, show)
            tokenizer = Tokenizer.load(loaded.tokenizer_file)
            _check_vocabulary(tokenizer, loaded.config)
        except ModelError as error:
            # Prompts that are sent before anyone reads this answer get the same sentence. Not the
            # error itself: its traceback would hold the weights that were read so far.
            self._problem = (error.message, error.hint)
            raise
        renderer = PromptRenderer(tokenizer, flavour_of(loaded.config.text))
        encoder = MediaEncoder(loaded.model)
        self._resident = Resident(loaded, tokenizer, renderer, PromptCache(), encoder)
        self._log.info("loaded %s in %.2f s", folder, time.perf_counter() - started)
        return loaded.info

    def _free(self) -> None:
        """Give the memory of the present model back."""
        self._resident = None
        self._problem = _NO_MODEL
        gc.collect()
        mx.clear_cache()


def _cost(usage: Usage) -> str:
    return (
        f"{usage.cached_tokens} of {usage.prompt_tokens} prompt tokens known, "
        f"{usage.prefill_seconds:.2f} s; {usage.generated_tokens} tokens written, "
        f"{usage.decode_seconds:.2f} s; peak {usage.peak_memory_bytes >> 20} MiB"
    )


def _check_vocabulary(tokenizer: Tokenizer, config: Gemma4Config) -> None:
    """The network and the vocabulary must mean the same by an id.

    Raises:
        ModelError: They do not; an id beyond the embeddings would read memory that is not theirs.
    """
    tokens = config.tokens
    wanted = {Control.BOS: tokens.bos}
    if config.vision is not None:
        wanted |= {
            Control.IMAGE_START: tokens.boi,
            Control.IMAGE: tokens.image,
            Control.IMAGE_END: tokens.eoi,
        }
    if config.audio is not None:
        wanted |= {
            Control.AUDIO_START: tokens.boa,
            Control.AUDIO: tokens.audio,
            Control.AUDIO_END: tokens.eoa,
        }
    other = [name.value for name, place in wanted.items() if tokenizer.id_of(name) != place]
    if other or tokenizer.size > config.text.vocab_size:
        what = f"on {other[0]}" if other else "on the number of tokens"
        raise ModelError(
            f"config.json and tokenizer.json disagree {what}: they belong to different models.",
            "Download the model again.",
        )


def flavour_of(text: TextConfig) -> PromptFlavour:
    """How the size's canonical template ends a prompt when thinking is off.

    E2B and E4B leave it open, and are the sizes with per-layer inputs; 12B, 26B-A4B and 31B write
    a thought that is already closed.
    """
    return PromptFlavour.OPEN if text.hidden_size_per_layer_input else PromptFlavour.EMPTY_THOUGHT
