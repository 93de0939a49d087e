"""`gemma-tui models verify`: what is on the disk, compared with its checksums."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gemma_tui.cli.output import Progress
from gemma_tui.errors import DownloadError
from gemma_tui.hub.cache import shared_cache
from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.downloaded import ModelState, downloaded_models
from gemma_tui.hub.imported import imported_model, imported_models, verify_imported
from gemma_tui.hub.verify import Verified, verify
from gemma_tui.hub.wanted_model import on_this_disk, wanted_model
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gemma_tui.hub.verify import VerifyProgress
    from gemma_tui.paths import Paths


def run_verify(names: tuple[str, ...], paths: Paths) -> int:
    """Verify models, one line for each; returns the exit code: 1 if one is not as it should be.

    Args:
        names: What the user wrote; none means all there are.
        paths: Where imported models and the user's catalogue are.

    Raises:
        GemmaError: A name is none, or a file cannot be read.
        KeyboardInterrupt: Ctrl-C.
    """
    progress = Progress(sys.stderr)
    wrong = 0
    for name, events in _checks(names, paths):
        try:
            result = _last(name, events, progress)
        except DownloadError as error:
            if names:
                raise
            wrong += 1
            _say(f"{name}: {error}")
            continue
        finally:
            progress.clear()
        wrong += bool(result.damaged)
        _say(f"{name}: {_verdict(name, result)}")
    return int(wrong > 0)


def _checks(
    names: tuple[str, ...], paths: Paths
) -> Iterator[tuple[str, Iterable[VerifyProgress | Verified]]]:
    cache, catalog = shared_cache(), load_catalog(paths.config)
    if not names:
        for model in downloaded_models(cache):
            if model.state is not ModelState.PARTIAL:
                yield f"{model.repo}@{model.revision[:8]}", verify(model)
        for imported in imported_models(paths.models):
            yield imported.name, verify_imported(imported)
    for name in names:
        folder = imported_model(name, paths.models)
        if folder is not None:
            yield name, verify_imported(folder)
        else:
            yield name, verify(on_this_disk(wanted_model(name, catalog), cache))


def _last(name: str, events: Iterable[VerifyProgress | Verified], progress: Progress) -> Verified:
    for event in events:
        if isinstance(event, Verified):
            return event
        share = 100 * event.done_bytes // max(event.total_bytes, 1)
        progress.show(f"{share:>3} %  {name}: {event.file}")
    raise AssertionError


def _verdict(name: str, result: Verified) -> str:
    if not result.damaged:
        return f"all {result.files} files are right"
    files = ", ".join(result.damaged)
    if "/" in name:
        return f"damaged: {files}. gemma-tui models pull {name} replaces them."
    return f"damaged: {files}. Pull or import it again."


def _say(line: str) -> None:
    sys.stdout.write(f"{sanitize_line(line)}\n")
    sys.stdout.flush()
