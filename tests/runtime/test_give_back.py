"""Memory that was freed does not stay with the process."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest

from gemma_tui.runtime.free_memory import give_back

BLOCK_BYTES = 8 << 20
BLOCKS = 16


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others give it back at once")
def test_holes_between_what_is_used_go_back_to_the_system() -> None:
    np.ones(24 << 20, np.uint8)  # once freed, glibc takes smaller blocks from its heap, too
    held = [(np.ones(BLOCK_BYTES, np.uint8), np.ones(1 << 16, np.uint8)) for _ in range(BLOCKS)]
    before = resident_bytes()
    kept = [small for _, small in held]
    del held
    give_back()
    assert len(kept) == BLOCKS
    assert resident_bytes() < before - 0.8 * BLOCKS * BLOCK_BYTES
