"""How much memory a model may take on this machine."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMINFO = Path("/proc/meminfo")


def free_memory() -> int:
    """Bytes that arrays may take in this process, those it has already included.

    With a GPU that is what Metal recommends at most: macOS moves other programs' pages out of the
    way, so what is unused at the moment says little. On Linux it is what the kernel would hand out
    without swapping.
    """
    return free_bytes(mx.device_info(), _read(_MEMINFO), mx.get_active_memory())


def free_bytes(device: Mapping[str, str | int], meminfo: str, active: int) -> int:
    """The same from what the system says.

    Args:
        device: Of MLX.
        meminfo: Linux's /proc/meminfo; empty elsewhere.
        active: Bytes of arrays in this process.

    Returns:
        Bytes; very many where nothing is known, so that nothing is refused for it.
    """
    recommended = device.get("max_recommended_working_set_size")
    if isinstance(recommended, int) and recommended > 0:
        return recommended
    for line in meminfo.splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024 + active
    size = device.get("memory_size")
    return size if isinstance(size, int) and size > 0 else 1 << 62


def give_back() -> None:
    """Return what was freed to the system: glibc keeps it, and nothing may ask for it again soon.

    Other C libraries, and Metal, do so by themselves.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""
