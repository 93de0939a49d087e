"""How 12B sees and hears: no towers, its decoder takes nearly raw pixels and samples.

Patches of 48 by 48 pixels are projected once and told their place; frames of 640 samples go through
the same `Embedder` that follows a tower in other sizes, and need no module of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx
from mlx import nn

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.config import PatchEmbedderConfig

_NORM_EPS = 1e-5
"""Epsilon of the norms with weights, which ignore the config's (PyTorch's default)."""


class PatchEmbedder(nn.Module):
    """Embeds the patches of one picture (`Gemma4UnifiedVisionEmbedder` of the reference).

    Args:
        config: Its shape.
    """

    def __init__(self, config: PatchEmbedderConfig) -> None:
        super().__init__()
        self._patch, self._pooling = config.patch_size, config.pooling_kernel_size
        pixels = 3 * (config.patch_size * config.pooling_kernel_size) ** 2
        self.patch_ln1 = nn.LayerNorm(pixels, eps=_NORM_EPS)
        self.patch_dense = nn.Linear(pixels, config.embed_dim)
        self.patch_ln2 = nn.LayerNorm(config.embed_dim, eps=_NORM_EPS)
        self.pos_embedding = mx.zeros((config.position_embedding_size, 2, config.embed_dim))
        self.pos_norm = nn.LayerNorm(config.embed_dim, eps=_NORM_EPS)

    def __call__(self, pixels: mx.array, grid: tuple[int, int]) -> mx.array:
        """Embed one picture.

        Args:
            pixels: [patches, 768], 0 to 1, patches of 16 pixels in rows from the top left.
            grid: Columns and rows of those patches, multiples of 3.

        Returns:
            [patches / 9, embed_dim], in the type of the weights.
        """
        columns, rows = grid[0] // self._pooling, grid[1] // self._pooling
        merged = self._merge(pixels, columns, rows).astype(self.pos_embedding.dtype)
        hidden = self.patch_ln2(self.patch_dense(self.patch_ln1(merged)))
        place = mx.arange(rows * columns)
        across, down = self.pos_embedding[:, 0], self.pos_embedding[:, 1]
        return self.pos_norm(hidden + (across[place % columns] + down[place // columns]))

    def _merge(self, pixels: mx.array, columns: int, rows: int) -> mx.array:
        """Patches of 16 pixels to the 48-pixel patches they make up, each in rows of pixels.

        As `patches_merge` of the reference: [columns * rows * 9, 768] to [columns * rows, 6912].
        """
        side, size = self._pooling, self._patch
        parts = pixels.reshape(rows, side, columns, side, size, size, 3)
        return parts.transpose(0, 2, 1, 4, 3, 5, 6).reshape(rows * columns, -1)
