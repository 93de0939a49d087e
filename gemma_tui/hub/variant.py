"""What the catalogue is made of: sizes of Gemma 4, and their published variants. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from gemma_tui.network_shape import NetworkShape

QuantisationKind: TypeAlias = Literal["full", "affine", "qat", "mixed"]
"""Full weights; rounded after training; trained for few bits; more bits in some layers."""

KIND_WORDS: Final[dict[QuantisationKind, str]] = {
    "full": "bf16",
    "affine": "{bits} bit",
    "qat": "{bits} bit QAT",
    "mixed": "{bits} bit mixed",
}

MEMORY_CLASSES: Final = (8, 16, 24, 32, 48)
"""Memory of machines in GiB for which a variant is recommended; the last is for all above, too."""

GROUP_SIZE: Final = 64
"""Weights that share a scale and an offset of 16 bits in published variants (MLX's default)."""


@dataclass(frozen=True, slots=True)
class ModelSize:
    """One of the sizes of Gemma 4."""

    name: str
    """As on the model card, for example `26B-A4B`."""
    shape: NetworkShape
    can_hear: bool
    decoder_parameters: int
    """All but those that see and hear."""
    active_parameters: int
    """Those read for every token that is written."""
    tower_parameters: int
    """Those that see and hear."""
    good_for: str

    @property
    def can_see(self) -> bool:
        """Whether it takes pictures."""
        return self.shape.vision is not None


@dataclass(frozen=True, slots=True)
class Variant:
    """A model that can be downloaded."""

    name: str
    """What a user types, for example `e4b-qat-4bit`."""
    size: ModelSize
    repo: str
    """`owner/name` on the hub."""
    revision: str
    """The commit it is pinned to; empty: none is known, so it is what is published at the time."""
    kind: QuantisationKind
    bits: int
    """Of most weights; 16 where they are not quantised."""
    size_bytes: int
    """Of all files together, as published, to 10 MB."""
    good_for: str
    recommended_gb: tuple[int, ...] = ()
    """Of `MEMORY_CLASSES`, those for which it is the one to take."""

    @property
    def title(self) -> str:
        """Its name for people, for example `Gemma 4 E4B, 4 bit QAT`."""
        return f"Gemma 4 {self.size.name}, {KIND_WORDS[self.kind].format(bits=self.bits)}"

    @property
    def can_see(self) -> bool:
        """Whether it takes pictures."""
        return self.size.can_see

    @property
    def can_hear(self) -> bool:
        """Whether it takes sound."""
        return self.size.can_hear

    @property
    def senses(self) -> str:
        """What it can do beside reading and writing, as of a folder on disk."""
        words = [word for word, can in (("sees", self.can_see), ("hears", self.can_hear)) if can]
        return ", ".join((*words, "thinks"))

    @property
    def context_length(self) -> int:
        """Most tokens of prompt and reply together."""
        return self.size.shape.context_length

    @property
    def window(self) -> int:
        """Tokens that a sliding layer sees."""
        return self.size.shape.window

    @property
    def cache_bytes_per_token(self) -> int:
        """By which keys and values in bf16 grow with every token beyond the window."""
        return 2 * self.size.shape.cached_numbers

    @property
    def is_pinned(self) -> bool:
        """Whether it is known to the byte what will be downloaded."""
        return bool(self.revision)

    def weight_bytes(self, *, has_gpu: bool) -> int:
        """What its weights take in memory.

        A GPU computes with them as they are. On a CPU numbers in bf16 become fp32: all of them
        where nothing is quantised, else towers, scales and offsets.
        """
        if has_gpu:
            return self.size_bytes
        if self.kind == "full":
            return 2 * self.size_bytes
        towers = 2 * self.size.tower_parameters
        scales = (self.size_bytes - towers) * 32 // (32 + GROUP_SIZE * self.bits)
        return self.size_bytes + towers + scales

    @property
    def step_bytes(self) -> int:
        """What is read of the weights to write one token: the active share of the decoder."""
        active = self.size.active_parameters / self.size.decoder_parameters
        return round((self.size_bytes - 2 * self.size.tower_parameters) * active)
