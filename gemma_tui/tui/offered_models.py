"""What can be had, and what of it is here: the catalogue, the shared cache, imported folders.

Implements `ModelHub`. Nothing here touches the network but a download, which is a process of its
own. Everything else blocks, and is called in threads.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.disk_faults import free_space
from gemma_tui.hub.fit import Host, built_in_memory, fit_variant
from gemma_tui.hub.on_disk import find_models, read_model, real_path
from gemma_tui.paths import builtin_model
from gemma_tui.tui.model_rows import Fit, ModelPlace, ModelRow, row_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
    from pathlib import Path

    from gemma_tui.bench.saved import SavedBenchmarks
    from gemma_tui.engine.interface import ComputeDevice
    from gemma_tui.hub.download_events import DownloadEvent
    from gemma_tui.hub.downloaded import DownloadedModel
    from gemma_tui.hub.fit import Fit as VariantFit
    from gemma_tui.hub.variant import Variant
    from gemma_tui.hub.verify import Verified, VerifyProgress
    from gemma_tui.network import NetworkGuard


class OfferedModels:
    """The catalogue and the shared cache as rows.

    Args:
        config: The config folder, whose `catalog.toml` adds to the catalogue.
        imported: The folder of models that were imported from another disk.
        benchmarks: What was measured on this machine, for the speed to expect.
        network: Told of the connections that the process of a download has.
    """

    def __init__(
        self,
        config: Path,
        imported: Path,
        benchmarks: SavedBenchmarks,
        network: NetworkGuard | None = None,
    ) -> None:
        self._config = config
        self._imported = imported
        self._benchmarks = benchmarks
        self._network = network

    @property
    def host(self) -> str:
        """The name of the hub, or of the mirror that is set."""
        from gemma_tui.hub.cache import hub_endpoint  # noqa: PLC0415  # imports the hub's library

        return urlsplit(hub_endpoint()).netloc

    def find(self) -> tuple[ModelRow, ...]:
        """As `ModelHub`."""
        from gemma_tui.hub.cache import shared_cache  # noqa: PLC0415  # as above
        from gemma_tui.hub.downloaded import downloaded_models  # noqa: PLC0415

        here = _best(downloaded_models(shared_cache()))
        variants = load_catalog(self._config).variants
        rows = [_row(variant, here.pop(variant.repo.lower(), None)) for variant in variants]
        others = (_other_row(model) for model in here.values())
        imported = find_models(builtin_model(), (), str(self._imported))[1:]
        return (*map(row_of, imported), *rows, *others)

    def judged(
        self, rows: Sequence[ModelRow], device: ComputeDevice | None, bandwidth: float
    ) -> tuple[ModelRow, ...]:
        """As `ModelHub`."""
        from gemma_tui.hub.cache import shared_cache  # noqa: PLC0415  # as above

        if device is None:
            return tuple(rows)
        catalog, memory = load_catalog(self._config), built_in_memory()
        advised = catalog.recommended(memory)
        variants = {variant.repo: variant for variant in catalog.variants}
        bandwidth = bandwidth or self._benchmarks.bandwidth()
        disk = free_space(shared_cache())
        host = Host(memory, device.free_bytes, device.has_gpu, disk, bandwidth)
        measured = self._benchmarks.speeds()
        judged = []
        for row in rows:
            variant = variants.get(row.repo)
            fit = fit_variant(variant, host, measured) if variant else None
            is_advised = variant is not None and variant is advised
            judged.append(_judged(row, fit, host, is_advised=is_advised) if fit else row)
        return tuple(judged)

    def freed_bytes(self, row: ModelRow) -> int:
        """As `ModelHub`."""
        from gemma_tui.hub.remove import removal  # noqa: PLC0415  # rarely used

        model = self._downloaded(row)
        return removal(model).freed_bytes if model else 0

    def remove(self, row: ModelRow) -> int:
        """As `ModelHub`."""
        from gemma_tui.hub.remove import remove  # noqa: PLC0415  # rarely used

        model = self._downloaded(row)
        return remove(model).freed_bytes if model else 0

    def verify(self, row: ModelRow) -> Iterator[VerifyProgress | Verified]:
        """As `ModelHub`."""
        from gemma_tui.hub.verify import verify  # noqa: PLC0415  # rarely used

        model = self._downloaded(row)
        if model is not None:
            yield from verify(model)

    async def download(self, repo: str, revision: str) -> AsyncGenerator[DownloadEvent, None]:
        """As `ModelHub`."""
        from gemma_tui.hub.cache import hub_endpoint, shared_cache  # noqa: PLC0415  # as above
        from gemma_tui.hub.download_events import DownloadOrder  # noqa: PLC0415
        from gemma_tui.hub.download_process import download_apart  # noqa: PLC0415

        order = DownloadOrder(repo, shared_cache(), hub_endpoint(), revision or "main")
        guard = self._network
        with guard.elsewhere(self.host) if guard else nullcontext():
            async with aclosing(download_apart(order)) as events:
                async for event in events:
                    yield event

    async def discard(self, repo: str) -> int:
        """As `Hub`."""
        from gemma_tui.hub.cache import shared_cache  # noqa: PLC0415  # as above
        from gemma_tui.hub.remove import discard_partial  # noqa: PLC0415

        return await asyncio.to_thread(discard_partial, shared_cache(), repo)

    def _downloaded(self, row: ModelRow) -> DownloadedModel | None:
        from gemma_tui.hub.cache import shared_cache  # noqa: PLC0415  # as above
        from gemma_tui.hub.downloaded import find_downloaded  # noqa: PLC0415

        return find_downloaded(shared_cache(), row.repo, row.revision)


def _best(models: Iterable[DownloadedModel]) -> dict[str, DownloadedModel]:
    """One copy of each repository: verified before unverified before partial."""
    from gemma_tui.hub.downloaded import ModelState  # noqa: PLC0415  # imports the hub's library

    order, found = list(ModelState), dict[str, "DownloadedModel"]()
    for model in sorted(models, key=lambda model: order.index(model.state)):
        found.setdefault(model.repo.lower(), model)
    return found


def _row(variant: Variant, here: DownloadedModel | None) -> ModelRow:
    name, _, kind = variant.title.partition(", ")
    row = ModelRow(
        key=variant.repo,
        name=name,
        place=ModelPlace.HUB,
        repo=variant.repo,
        revision=variant.revision,
        kind=kind,
        senses=variant.senses,
        size_bytes=variant.size_bytes,
        purpose=_sentence(f"{variant.size.good_for}; {variant.good_for}"),
    )
    return row if here is None else _with_files(row, here)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def _with_files(row: ModelRow, here: DownloadedModel) -> ModelRow:
    return replace(
        row,
        place=ModelPlace.CACHE,
        revision=here.revision or row.revision,
        folder=here.folder if here.is_usable else None,
        real_folder=real_path(here.folder) if here.is_usable else "",
        size_bytes=here.size_bytes or row.size_bytes,
        done_bytes=here.done_bytes,
        trust=here.state.value,
    )


def _other_row(model: DownloadedModel) -> ModelRow:
    """A model of the cache that is not in the catalogue."""
    read = read_model(model.folder)
    name = model.repo if read.problem else read.name.replace(model.revision, model.repo)
    kind = f"{read.bits}-bit" if read.bits else ""
    row = ModelRow(model.repo, name, ModelPlace.CACHE, repo=model.repo, kind=kind)
    return _with_files(replace(row, senses=read.senses), model)


def _judged(row: ModelRow, fit: VariantFit, host: Host, *, is_advised: bool) -> ModelRow:
    sentence, speed, advice = fit.sentence, "", ""
    if row.place is ModelPlace.HUB and not fit.has_disk:
        sentence += " There is not enough room on the disk."
    elif is_advised and fit.verdict != "no":
        advice = f"for a machine with {round(host.memory_bytes / 2**30)} GB of memory."
    if fit.speed is not None and fit.verdict != "no":
        speed = fit.speed.numbers
    return replace(row, fit=Fit(fit.verdict, sentence), speed=speed, advice=advice)
