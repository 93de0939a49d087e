"""One row for every model there is or could be: on the disk, in the shared cache, offered, remote.

Pure values and the words for them. Where they come from, `model_library` knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from gemma_tui.byte_size import format_size
from gemma_tui.hub.fit import USEFUL_CONTEXT
from gemma_tui.hub.on_disk import real_path
from gemma_tui.server_name import what_is_sent
from gemma_tui.tui.widgets.status_line import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set
    from pathlib import Path

    from gemma_tui.generation import MemoryEstimate
    from gemma_tui.hub.on_disk import ModelOnDisk
    from gemma_tui.tui.downloading import DownloadStatus

Verdict: TypeAlias = Literal["fits", "tight", "no", "unknown"]


class ModelPlace(StrEnum):
    """Where a model is."""

    BUILTIN = "comes with gemma-tui"
    FOLDER = "a folder of yours"
    CACHE = "downloaded"
    HUB = "not downloaded"
    SERVER = "remote"


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits into the memory of this machine."""

    verdict: Verdict
    sentence: str
    """The same with its figures."""


def fit_of(estimate: MemoryEstimate) -> Fit:
    """What the engine's estimate of a folder means, by the measure of `hub.fit`."""
    needed = f"{estimate.total_bytes / 1e9:.1f} of {estimate.free_bytes / 1e9:.1f} GB"
    if estimate.fits:
        return Fit("fits", f"fits ({needed})")
    if not estimate.fitting_context:
        return Fit("no", f"does not fit ({needed})")
    is_roomy = estimate.fitting_context >= min(USEFUL_CONTEXT, estimate.context_length)
    sentence = f"fits with a context of {format_count(estimate.fitting_context)}"
    return Fit("fits" if is_roomy else "tight", sentence)


@dataclass(frozen=True, slots=True)
class ModelRow:
    """All that is known of one model."""

    key: str
    """Tells it from every other one: its repository, else its folder."""
    name: str
    place: ModelPlace
    folder: Path | None = None
    """What is loaded; None while there is nothing to load."""
    real_folder: str = ""
    """The same, whatever links lead to it."""
    repo: str = ""
    """`owner/name` on the hub; empty if it does not come from there."""
    revision: str = ""
    kind: str = ""
    """How its weights are stored: `4-bit`, `QAT 4-bit`."""
    senses: str = ""
    size_bytes: int = 0
    """On the disk, or of the download."""
    fit: Fit | None = None
    """None while nobody has said."""
    speed: str = ""
    """Expected of decoding, in tokens a second."""
    trust: str = ""
    """Of what was downloaded: verified, unverified, partial, damaged."""
    done_bytes: int = 0
    """Of a partial download."""
    purpose: str = ""
    """What it is good for."""
    advice: str = ""
    """Why this one is recommended; empty for all others."""
    server: str = ""
    """The address of a remote model."""
    problem: str = ""
    """Why it cannot be loaded, as far as that can be told from outside."""
    download: DownloadStatus | None = None
    work: str = ""
    """What is done to its files now: `verifying 12 %`."""
    answers: bool = False
    """Whether it answers now."""
    is_default: bool = False
    """Whether it answers after the next start."""

    @property
    def can_be_loaded(self) -> bool:
        """Whether Enter switches to it."""
        return self.folder is not None and not self.problem and self.trust not in _NOT_WHOLE

    @property
    def can_be_downloaded(self) -> bool:
        """Whether something of it is to be fetched."""
        return bool(self.repo) and not (self.can_be_loaded and self.download is None)

    @property
    def state(self) -> str:
        """Where it stands, in few words."""
        if self.download is not None:
            return self.download.label
        if self.work:
            return self.work
        if self.trust == "partial":
            share = self.done_bytes / self.size_bytes if self.size_bytes else 0.0
            return f"partial {min(99, int(100 * share))} %"
        if self.trust == "damaged":
            return "damaged"
        if self.problem:
            return "unusable"
        is_elsewhere = self.place in {ModelPlace.SERVER, ModelPlace.HUB}
        here = self.place.value if is_elsewhere else "on disk"
        if self.trust == "unverified" and not self.answers:
            here = "on disk, unverified"
        return ("answers now" if self.answers else here) + (", default" * self.is_default)

    @property
    def size(self) -> str:
        """What it takes on the disk, or nothing where nobody knows."""
        return format_size(self.size_bytes) if self.size_bytes else ""


_NOT_WHOLE = frozenset(("partial", "damaged"))


def row_of(model: ModelOnDisk) -> ModelRow:
    """A folder of this disk, or a server, as a row. Reads links: not for an event loop."""
    place = real_path(model.folder)
    return ModelRow(
        key=place,
        name=model.name,
        place=_place(model),
        folder=model.folder,
        real_folder=place,
        kind=f"{model.bits}-bit" if model.bits else "",
        senses=model.senses,
        size_bytes=model.size_bytes,
        problem=model.problem,
        server=model.url,
    )


def _place(model: ModelOnDisk) -> ModelPlace:
    if model.url:
        return ModelPlace.SERVER
    return ModelPlace.BUILTIN if model.is_builtin else ModelPlace.FOLDER


@dataclass(frozen=True, slots=True)
class Present:
    """What changes while rows are shown."""

    downloads: Mapping[str, DownloadStatus]
    """By repository."""
    fits: Mapping[str, Fit]
    """What was found out meanwhile, by key."""
    work: Mapping[str, str]
    """What is done to files now, by key."""
    damaged: Set[str]
    """Keys of those in which something wrong was found in this run."""
    answering: str
    """The real folder of the model that answers."""
    default: str
    """The real folder of the model that answers after the next start."""


def joined(rows: Iterable[ModelRow], present: Present) -> tuple[ModelRow, ...]:
    """The rows as they are at this moment, and one for each download that had none."""
    rows = tuple(rows)
    known = {row.repo for row in rows}
    others = (_of_download(d) for repo, d in present.downloads.items() if repo not in known)
    return tuple(
        replace(
            row,
            download=present.downloads.get(row.repo) if row.repo else None,
            fit=present.fits.get(row.key, row.fit),
            work=present.work.get(row.key, ""),
            trust="damaged" if row.key in present.damaged else row.trust,
            answers=bool(row.real_folder) and row.real_folder == present.answering,
            is_default=bool(row.real_folder) and row.real_folder == present.default,
        )
        for row in (*rows, *others)
    )


def _of_download(status: DownloadStatus) -> ModelRow:
    row = ModelRow(status.repo, status.name, ModelPlace.HUB, repo=status.repo)
    return replace(row, revision=status.revision, size_bytes=status.total_bytes)


def advised(rows: Sequence[ModelRow]) -> ModelRow | None:
    """The model to get, while nothing but the demo is here; else None."""
    if any(row.can_be_loaded and row.place is not ModelPlace.BUILTIN for row in rows):
        return None
    return next((row for row in rows if row.advice), None)


def nothing_fits(rows: Sequence[ModelRow]) -> bool:
    """Whether the catalogue has nothing for this machine; False while nobody has looked."""
    verdicts = [row.fit.verdict for row in rows if row.repo and row.fit is not None]
    return bool(verdicts) and set(verdicts) == {"no"}


def advice_words(row: ModelRow, host: str) -> str:
    """Why to get a model, what it costs, and how; in paragraphs."""
    fit = row.fit.sentence if row.fit else ""
    return "\n\n".join(
        (
            f"What answers now is a small demo. {row.name}, {row.kind}, is recommended"
            f" {row.advice} {row.purpose}",
            fit,
            f"It is a download of {row.size} from {host} ({row.repo}). Nothing is downloaded"
            " unasked: Ctrl+L shows it among all models, and D there asks first.",
        )
    )


def details(row: ModelRow) -> tuple[str, ...]:
    """What there is to say of one model, a line each; the first is its name."""
    lines = [" · ".join(filter(None, (row.name, row.kind, row.senses)))]
    if row.download is not None:
        lines.append(row.download.sentence)
    elif row.advice:
        lines.append(f"Recommended: {row.advice}")
    speed = f"{row.speed} tokens a second" if row.speed else ""
    if row.problem:
        lines.append(f"Cannot be used: {row.problem}.")
    else:
        fit = row.fit.sentence.rstrip(".") if row.fit else "looking whether it fits …"
        fit = "" if row.place is ModelPlace.SERVER else fit
        lines.append(" · ".join(filter(None, (row.size, fit, speed))))
    if row.trust == "damaged":
        lines.append("A file of it is not as it should be: D fetches that again.")
    if row.purpose:
        lines.append(row.purpose)
    where = row.server or (str(row.folder) if row.folder and not row.repo else row.repo)
    if where and row.place is not ModelPlace.BUILTIN:
        lines.append(f"{row.place.value}: {where}")
        lines.append(what_is_sent(row.folder) if row.folder else "")
    elif row.place is ModelPlace.BUILTIN:
        lines.append(f"It {row.place.value}, and is a demo.")
    return tuple(filter(None, lines))
