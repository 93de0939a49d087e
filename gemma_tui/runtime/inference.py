"""The model in memory, and the jobs that can be done with it.

Importing this imports mlx. Made, used and dropped on the MLX thread; only `memory`, `model_info`,
`cached_tokens`, `count`, `device` and `knows` are for others too.
"""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

import mlx.core as mx

from gemma_tui.engine.bandwidth_request import MeasureBandwidth
from gemma_tui.engine.interface import ComputeDevice
from gemma_tui.engine.protocol import (
    Convert,
    Converted,
    ConvertProgress,
    Estimate,
    Generate,
    Load,
    ModelLoaded,
    Unload,
    Unloaded,
)
from gemma_tui.errors import ModelError
from gemma_tui.generation import LoadPhase, LoadProgress, ModelInfo, media_key
from gemma_tui.preprocessing.budget import audio_tokens, waveform_tokens
from gemma_tui.runtime.bandwidth import measure_bandwidth
from gemma_tui.runtime.convert import Conversion, convert_folder
from gemma_tui.runtime.encoder import MediaEncoder, SoftTokenStore
from gemma_tui.runtime.fitting import PromptCounter
from gemma_tui.runtime.free_memory import free_memory, give_back
from gemma_tui.runtime.gemma4.config import WaveformEmbedderConfig
from gemma_tui.runtime.jobs import stopped_conversion
from gemma_tui.runtime.loader import load_model, plan_memory
from gemma_tui.runtime.model_digest import model_digest
from gemma_tui.runtime.prompt import PromptFlavour, PromptRenderer
from gemma_tui.runtime.prompt_cache import PromptCache, snapshot_bytes
from gemma_tui.runtime.reply import Reply, Resident
from gemma_tui.runtime.snapshot_store import SnapshotStore, sample_of
from gemma_tui.runtime.tokenizer import Control, Tokenizer
from gemma_tui.runtime.vocabulary_check import check_vocabulary

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from gemma_tui.conversation import Usage
    from gemma_tui.generation import GenerationRequest, Media, MediaInfo, PromptSize
    from gemma_tui.runtime.disk_cache import DiskCache
    from gemma_tui.runtime.gemma4.config import TextConfig
    from gemma_tui.runtime.jobs import Job
    from gemma_tui.runtime.loader import LoadedModel
    from gemma_tui.runtime.replay import Replay

BUFFER_CACHE_BYTES: Final = 256 * 1024 * 1024
"""Freed buffers that MLX keeps for reuse. Its default is all the memory it may use, and chunks of a
growing prompt leave buffers of ever new sizes; a step of decoding reuses far less than this."""

LEAVE_SECONDS: Final = 10.0
"""How long the disk may take for what a model remembers before the next one is loaded."""

_NO_MODEL: Final = ("No model is loaded.", "Choose a model first.")


class Inference:
    """At most one model, and what it is asked.

    Args:
        log: Told how long things took, never what they were about.
        disk: Keeps what would be slow to compute again; None keeps nothing.
        free_memory: How many bytes arrays may take.
        look_into: Tells what a file is; None looks into it in this process.
        compiles: Whether MLX may compile for a CPU.
    """

    def __init__(
        self,
        log: logging.Logger,
        disk: DiskCache | None = None,
        *,
        free_memory: Callable[[], int] = free_memory,
        look_into: Callable[[Path, str], MediaInfo] | None = None,
        compiles: bool = False,
    ) -> None:
        self._look_into = look_into
        self._compiles = compiles
        self._log = log
        self._disk = disk
        self._free_memory = free_memory
        self._reply: Reply | None = None
        self._replay: Replay | None = None
        mx.set_cache_limit(BUFFER_CACHE_BYTES)
        self._resident: Resident | None = None
        self._counter: PromptCounter | None = None
        """Of the loaded model, for other threads, which must not keep its weights alive."""
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

    def count(self, request: GenerationRequest) -> PromptSize:
        """What the prompt of `request` takes; from any thread, also while a reply is written.

        Raises:
            ModelError: No model is loaded.
        """
        counter = self._counter
        if counter is None:
            raise ModelError(*self._problem)
        return counter.count(request)

    def memory(self) -> tuple[int, int]:
        """Bytes that arrays take now, and the most they took during the latest reply."""
        return mx.get_active_memory(), mx.get_peak_memory()

    def device(self) -> ComputeDevice:
        """What this process computes on, and what is free there."""
        info = mx.device_info()
        name = str(info.get("device_name") or info.get("architecture") or "unknown")
        return ComputeDevice(name, mx.metal.is_available(), self._free_memory())

    def knows(self, media: Media) -> bool:
        """Whether the soft tokens of a medium are remembered."""
        resident = self._resident
        if resident is None:
            return False
        return resident.encoder.count(media_key(media)) is not None

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
                reply = Reply(self._resident, request, job)
                end = reply.write()
                job.emit(end)
                self._log.info("reply: %s, %s", end.reason, _cost(end.usage))
                self._reply = reply
            case Unload():
                self._free()
                job.emit(Unloaded())
            case Estimate(folder=folder, context_length=context, token_budget=budget):
                plan = plan_memory(Path(folder), self._free_memory())
                job.emit(plan.estimate(context, budget))
            case MeasureBandwidth():
                loaded = self._resident.loaded if self._resident else None
                job.emit(measure_bandwidth(self._free_memory() - mx.get_active_memory(), loaded))
            case Convert():
                job.emit(_convert(job.work, job))
            case _:
                assert_never(job.work)

    def keep_reply(self) -> None:
        """Remember the state behind the reply that was just written; before the next job."""
        reply, self._reply = self._reply, None
        if reply is not None:
            self._replay = reply.keep()

    def use_pause(self, is_interrupted: Callable[[], bool]) -> None:
        """Prepare for the next turn while nobody waits, until done or interrupted.

        Reads the latest reply as the next prompt will repeat it, and stores on disk what is new.
        """
        if self._resident is None:
            return
        if self._replay is not None and self._replay.read(is_interrupted):
            self._replay = None
        self._resident.prompt_cache.save(is_interrupted)

    def leave(self) -> None:
        """Store on disk what the present model remembers, for when it is loaded again.

        Of a reply that was not read yet as later prompts repeat it, one step at most is read:
        whoever waits for another model should not wait for that.
        """
        if self._resident is None or self._disk is None:
            return
        self.use_pause(partial(next, iter((False,)), True))
        self._resident.prompt_cache.save(lambda: False)
        if not self._disk.flush(LEAVE_SECONDS):
            self._log.info("the disk is slow: snapshots are still being written")

    def forget(self) -> None:
        """Drop every remembered state, after an error that nobody understands."""
        self._reply = self._replay = None
        if self._resident is not None:
            self._resident.forget()

    def _load(self, folder: Path, job: Job) -> ModelInfo:
        def show(phase: LoadPhase, fraction: float) -> None:
            job.emit(LoadProgress(phase, fraction))

        self._free()
        started = time.perf_counter()
        try:
            loaded = load_model(
                folder, show, free_bytes=self._free_memory(), compiles=self._compiles
            )
            tokenizer = Tokenizer.load(loaded.tokenizer_file)
            check_vocabulary(tokenizer, loaded.config)
        except ModelError as error:
            # Prompts that are sent before anyone reads this answer get the same sentence. Not the
            # error itself: its traceback would hold the weights that were read so far.
            self._problem = (error.message, error.hint)
            raise
        # Whatever generation_config.json says: what follows is for the tool to say.
        awaits_tool = tokenizer.id_of(Control.TOOL_RESPONSE_START)
        loaded = replace(loaded, stop_ids=loaded.stop_ids | {awaits_tool})
        renderer = PromptRenderer(tokenizer, flavour_of(loaded.config.text))
        prompt_cache, encoder = self._remembering(folder, loaded)
        self._resident = Resident(loaded, tokenizer, renderer, prompt_cache, encoder)
        is_unified = isinstance(loaded.config.audio, WaveformEmbedderConfig)
        sound_tokens = waveform_tokens if is_unified else audio_tokens
        self._counter = PromptCounter(
            tokenizer, renderer, loaded.info, sound_tokens, self._look_into
        )
        self._log.info("loaded %s in %.2f s", folder, time.perf_counter() - started)
        return loaded.info

    def _remembering(self, folder: Path, loaded: LoadedModel) -> tuple[PromptCache, MediaEncoder]:
        """What is remembered for a model: in memory, and on disk if there is a place for it."""
        model, max_bytes = loaded.model, snapshot_bytes()
        if self._disk is None:
            return PromptCache(model.make_cache, max_bytes=max_bytes), MediaEncoder(model)
        libraries = f"mlx {version('mlx')} mlx-lm {version('mlx-lm')}"
        digest = f"{model_digest(folder)} {libraries} {mx.default_device()}"
        sample, window = sample_of(model, loaded.config.tokens.bos)
        snapshots = SnapshotStore(self._disk, digest, sample, window)
        soft_tokens = SoftTokenStore(self._disk, digest, loaded.config.text.hidden_size)
        return (
            PromptCache(model.make_cache, store=snapshots, max_bytes=max_bytes),
            MediaEncoder(model, store=soft_tokens),
        )

    def _free(self) -> None:
        """Give the memory of the present model back."""
        self._resident = self._counter = self._reply = self._replay = None
        self._problem = _NO_MODEL
        gc.collect()
        mx.clear_cache()
        give_back()


def _convert(work: Convert, job: Job) -> Converted:
    def show(done: int, total: int) -> None:
        if job.is_cancelled():
            raise stopped_conversion()
        job.emit(ConvertProgress(done, total))

    conversion = Conversion(work.bits, work.group_size, work.per_layer_bits)
    size = convert_folder(Path(work.folder), Path(work.target), conversion, report=show)
    return Converted(work.target, size)


def _cost(usage: Usage) -> str:
    return (
        f"{usage.cached_tokens} of {usage.prompt_tokens} prompt tokens known, "
        f"{usage.prefill_seconds:.2f} s; {usage.generated_tokens} tokens written, "
        f"{usage.decode_seconds:.2f} s; peak {usage.peak_memory_bytes >> 20} MiB"
    )


def flavour_of(text: TextConfig) -> PromptFlavour:
    """How the size's canonical template ends a prompt when thinking is off.

    E2B and E4B leave it open, and are the sizes with per-layer inputs; 12B, 26B-A4B and 31B write
    a thought that is already closed.
    """
    return PromptFlavour.OPEN if text.hidden_size_per_layer_input else PromptFlavour.EMPTY_THOUGHT
