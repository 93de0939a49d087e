"""What the sizes of Gemma 4 are called, in the engine and in the list of models on the disk."""

from __future__ import annotations

from typing import Final

BUILTIN_NAME: Final = "built-in demo"

SIZES: Final = {
    (35, 1536): "Gemma 4 E2B",
    (42, 2560): "Gemma 4 E4B",
    (48, 3840): "Gemma 4 12B",
    (30, 2816): "Gemma 4 26B-A4B",
    (60, 5376): "Gemma 4 31B",
}
"""Names by number of layers and hidden size (the model card)."""


def model_name(layers: int, hidden_size: int, folder_name: str) -> str:
    """Name of a model for people; of a size nobody released, with its folder's name."""
    return SIZES.get((layers, hidden_size)) or f"Gemma 4 ({folder_name})"
