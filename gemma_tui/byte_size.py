"""Numbers of bytes, for people."""

from __future__ import annotations


def format_size(size_bytes: int) -> str:
    """A size in powers of 1000: `812 B`, `240 kB`, `3.2 MB`, `4.2 GB`."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    if size_bytes < 999_500:
        return f"{size_bytes / 1e3:.0f} kB"
    if size_bytes < 999_950_000:
        return f"{size_bytes / 1e6:.1f} MB"
    return f"{size_bytes / 1e9:.1f} GB"
