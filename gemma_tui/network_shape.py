"""What of a Gemma 4 network decides how much memory it takes. Values only, no arrays, no files.

The runtime takes them from a folder's config.json, the catalogue from its own data.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TowerShape:
    """A picture encoder: that of every size but 12B."""

    hidden_size: int
    intermediate_size: int
    attention_heads: int
    head_dim: int
    patch_size: int = 16
    """Pixels along a side."""


@dataclass(frozen=True, slots=True)
class EmbedderShape:
    """What 12B has instead of a picture encoder."""

    hidden_size: int
    token_side: int = 48
    """Pixels along a side of a soft token."""


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """The decoder, and how it sees. Counts and widths are numbers, not bytes."""

    vocabulary: int
    hidden_size: int
    intermediate_size: int
    layers: int
    attention_heads: int
    head_dim: int
    global_head_dim: int
    per_layer_input: int
    """Width of each layer's own input; 0 for sizes without."""
    sliding_layers: int
    """Those with keys of their own, which have a cache; like `global_layers`."""
    global_layers: int
    key_heads: int
    """Of a sliding layer."""
    global_key_heads: int
    window: int
    """Tokens that a sliding layer sees."""
    context_length: int
    """Most tokens of prompt and reply together."""
    active_experts: int = 0
    """Experts that a token meets in each layer; 0 where there are none."""
    expert_size: int = 0
    """Inner width of one of them."""
    ends_global: bool = True
    """Whether the last layer with keys of its own is a global one, as in every released size. A
    chunk of a prompt needs its keys alone, never its attention."""
    keeps_pictures_whole: bool = False
    """Whether a picture is seen both ways, so that it must be in one chunk (12B and larger)."""
    vision: TowerShape | EmbedderShape | None = None

    @property
    def sliding_width(self) -> int:
        """Numbers that a token's keys take in one sliding layer; its values take as many."""
        return self.key_heads * self.head_dim

    @property
    def global_width(self) -> int:
        """The same in a global layer."""
        return self.global_key_heads * self.global_head_dim

    @property
    def cached_numbers(self) -> int:
        """Numbers by which the caches grow with every token beyond the window."""
        return 2 * self.global_layers * self.global_width
