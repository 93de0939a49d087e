"""How many prompt tokens are read at a time: as many as memory has room for.

Whole numbers in, whole numbers out.
"""

from __future__ import annotations

from typing import Final

MIN_CHUNK: Final = 32
"""Below this a chunk costs little less than a token does, whatever memory there is."""

MAX_CHUNK: Final = 512
"""More is hardly faster, and Esc would be noticed later."""

_SHARE: Final = 4
"""A chunk may take this part of what is free: the rest is for the caches and other programs."""


def chunk_size(*, free_bytes: int, token_bytes: int) -> int:
    """Tokens of a chunk: a power of two from `MIN_CHUNK` to `MAX_CHUNK`.

    Powers of two, so that the buffers of one chunk serve the next prompt's as well.

    Args:
        free_bytes: Memory that may be used.
        token_bytes: What one token of a chunk takes while it is computed.
    """
    room = free_bytes // _SHARE // max(1, token_bytes)
    size = 1 << max(0, room.bit_length() - 1)  # the largest power of two that is not above it
    return min(MAX_CHUNK, max(MIN_CHUNK, size))
