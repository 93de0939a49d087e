"""What a benchmark has measured. Values only; seconds are wall time as the app sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemma_tui.hub.speed import MeasuredSpeed

if TYPE_CHECKING:
    from gemma_tui.engine.interface import ComputeDevice


@dataclass(frozen=True, slots=True)
class ContextSpeed:
    """Reading a prompt of some length, and writing behind it."""

    prompt_tokens: int
    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    """0: the model ended its reply before anything could be measured."""


@dataclass(frozen=True, slots=True)
class MediaSpeed:
    """From the bytes of a file to soft tokens: decoding, features and encoder."""

    soft_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelBenchmark:
    """One run with one model."""

    model: str
    """Its name for people, as of a loaded model."""
    weight_bytes: int
    """In memory."""
    measured_at: float
    """Seconds since 1970."""
    device: str
    has_gpu: bool
    load_seconds: float
    first_token_cold_seconds: float
    """From the question to the first token, of a prompt that nobody has read before."""
    first_token_warm_seconds: float
    """Likewise of the next question in the same conversation."""
    contexts: tuple[ContextSpeed, ...]
    """The shortest first."""
    picture: MediaSpeed | None
    """None: the model cannot see."""
    clip: MediaSpeed | None
    peak_memory_bytes: int
    """Of arrays, at the longest context and with media."""
    bandwidth: float
    """Bytes a second that memory moves while an array is copied."""
    step_bytes: int
    """Of weights, read for every token."""

    @property
    def decode_speed(self) -> float:
        """Tokens a second behind the shortest prompt; 0 if not measured."""
        speeds = [c.decode_tokens_per_second for c in self.contexts]
        return next((speed for speed in speeds if speed > 0), 0.0)

    @property
    def prefill_speed(self) -> float:
        """Tokens a second of the longest prompt, the one that one waits for; 0: not measured."""
        return self.contexts[-1].prefill_tokens_per_second if self.contexts else 0.0

    @property
    def bandwidth_share(self) -> float:
        """Of the memory's bandwidth, what reading the weights for `decode_speed` takes.

        Above 1 where the weights fit into a cache of the processor.
        """
        return self.decode_speed * self.step_bytes / self.bandwidth if self.bandwidth > 0 else 0.0

    @property
    def speed(self) -> MeasuredSpeed:
        """What others expect by it."""
        share = self.bandwidth_share if self.bandwidth_share <= 1 else 0.0
        return MeasuredSpeed(self.model, self.weight_bytes, self.decode_speed, share)


@dataclass(frozen=True, slots=True)
class BenchmarkOrder:
    """What is to be measured."""

    contexts: tuple[int, ...]
    """Tokens of the prompts; those that the model cannot hold are left out."""
    decode_tokens: int = 64
    """Written behind each of them."""


@dataclass(frozen=True, slots=True)
class BenchmarkProgress:
    """What is being measured now."""

    what: str
    """For people, for example `a prompt of 4,096 tokens`."""


def describe_device(device: ComputeDevice | None) -> tuple[str, bool]:
    """Name and kind of what models are computed on."""
    return (device.name, device.has_gpu) if device else ("unknown", False)
