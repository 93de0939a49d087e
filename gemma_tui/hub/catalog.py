"""The catalogue: every Gemma 4 there is to offer, as data in the package and in the user's file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.hub.variant import MEMORY_CLASSES

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.hub.catalog_reading import CatalogReader
    from gemma_tui.hub.variant import Variant

USER_FILE: Final = "catalog.toml"
"""Name of the file in the config folder."""

MAX_FILE_BYTES: Final = 1024 * 1024
"""Far more than every published variant takes."""

_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Catalog:
    """Variants, from the smallest to the largest within each size."""

    variants: tuple[Variant, ...]
    problems: tuple[str, ...] = ()
    """What is wrong with the user's file, one sentence each; the rest of it holds."""

    def find(self, name: str) -> Variant | None:
        """The variant that is called so, or whose repository is, whatever the case."""
        wanted = name.strip().casefold()
        for variant in self.variants:
            if wanted in {variant.name.casefold(), variant.repo.casefold()}:
                return variant
        return None

    def recommended(self, memory_bytes: int) -> Variant | None:
        """The one to take on a machine with so much memory; None below the smallest class.

        Args:
            memory_bytes: All that is built in. A system may keep a few per cent of it for itself.
        """
        classes = [size for size in MEMORY_CLASSES if memory_bytes >= 0.9 * size * _GIB]
        if not classes:
            return None
        return next((v for v in self.variants if classes[-1] in v.recommended_gb), None)


def load_catalog(config: Path | None = None) -> Catalog:
    """The catalogue of the package, with the user's file on top of it if there is one.

    Reads two small files. Never fails for what is in the user's: see `Catalog.problems`.

    Args:
        config: The config folder; None: the package's catalogue alone.
    """
    # Not before somebody asks: TOML and files of the package cost the first paint 15 ms.
    from importlib import resources  # noqa: PLC0415

    from gemma_tui.hub.catalog_reading import CatalogReader  # noqa: PLC0415

    reader = CatalogReader()
    package = resources.files("gemma_tui.hub").joinpath("catalog.toml")
    reader.read(package.read_text("utf-8"), "the catalogue")
    if config is not None:
        _read_users(reader, config / USER_FILE)
    return Catalog(reader.variants(), tuple(reader.problems))


def _read_users(reader: CatalogReader, path: Path) -> None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return
    except OSError as error:
        reader.problems.append(f"{path} cannot be read: {error.strerror}.")
        return
    if len(content) > MAX_FILE_BYTES:
        reader.problems.append(f"{path} is larger than a catalogue is, so nothing in it is used.")
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        reader.problems.append(f"{path} is no text in UTF-8, so nothing in it is used.")
        return
    reader.read(text, str(path))
