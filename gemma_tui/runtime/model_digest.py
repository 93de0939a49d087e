"""What tells one model from another without reading all of it."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from gemma_tui import __version__

if TYPE_CHECKING:
    from pathlib import Path

_SAMPLES: Final = 16
"""Places at which each weight file is looked into: a copy may keep size and time of another."""

_SAMPLE_BYTES: Final = 4096

_MAX_HEADER_BYTES: Final = 1 << 20


def model_digest(folder: Path) -> str:
    """A hash of a model folder: config.json, and of each weight file its header, size and time.

    The program's own version is part of it: another one may compute other values.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256(__version__.encode())
    digest.update((folder / "config.json").read_bytes())
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}".encode())
            digest.update(file.read(_MAX_HEADER_BYTES))
            for place in range(_SAMPLES):
                file.seek(status.st_size * place // _SAMPLES)
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
