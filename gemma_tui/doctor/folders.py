"""What is stored: whether it can be written, who else can read it, whether the database is whole.

Looks at files and changes none; a database that another process has open is only read.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from gemma_tui.byte_size import format_size
from gemma_tui.doctor.finding import Finding, State
from gemma_tui.hub.disk_faults import free_space
from gemma_tui.storage.schema import APPLICATION_ID, MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.paths import Paths

LEAST_FREE_BYTES: Final = 1 << 30
"""Below, an attachment or a snapshot may soon not be stored."""

_OTHERS: Final = 0o077

_SHOWN: Final = 3


def data_folder(paths: Paths) -> Finding:
    """Whether what is stored can be written, and is for its owner only."""
    topic, folder = "data folder", paths.data
    if not folder.exists():
        return Finding(topic, State.OK, f"{folder} is not there yet; the first start makes it")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        sentence = f"{folder} cannot be read and written by this user."
        return Finding(
            topic, State.PROBLEM, sentence, f"Try: sudo chown -R $(id -un) {quote(str(folder))}"
        )
    readable = [path for path in _walk(folder) if path.lstat().st_mode & _OTHERS]
    if readable:
        names = ", ".join(str(path.relative_to(folder.parent)) for path in readable[:_SHOWN])
        more = f" and {len(readable) - _SHOWN} more" if len(readable) > _SHOWN else ""
        return Finding(
            topic,
            State.PROBLEM,
            f"Others on this machine can read {names}{more} in {folder.parent}.",
            f"Try: chmod -R go= {quote(str(folder))}",
        )
    return Finding(topic, State.OK, f"{folder}, for you only")


def _walk(folder: Path) -> Iterator[Path]:
    """The folder and all that is in it; links are not followed, and are no concern themselves."""
    yield folder
    for root, folders, files in os.walk(folder):
        yield from (
            path for name in (*folders, *files) if not (path := Path(root) / name).is_symlink()
        )


def disk(paths: Paths, least: int = LEAST_FREE_BYTES) -> Finding:
    """What is free where conversations and the cache are."""
    free = {
        name: free_space(folder) for name, folder in (("data", paths.data), ("cache", paths.cache))
    }
    sentence = ", ".join(f"{format_size(size)} free for the {name}" for name, size in free.items())
    if min(free.values()) >= least:
        return Finding("disk", State.OK, sentence)
    return Finding(
        "disk",
        State.PROBLEM,
        f"Only {sentence}.",
        f"Free some space. {paths.cache} may be deleted at any time.",
    )


def database(path: Path) -> Finding:
    """Whether the database is whole, and what it holds."""
    topic = "database"
    if not path.exists():
        return Finding(topic, State.OK, f"{path} is not there yet; the first start makes it")
    try:
        return _examined(path)
    except sqlite3.Error as error:
        return _damaged(path, str(error))


def _examined(path: Path) -> Finding:
    # Read-only would not do: a log that a crash has left behind has to be looked at as well.
    connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=5.0)
    try:
        connection.execute("PRAGMA query_only = ON")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            return _damaged(path, "it is not a database of gemma-tui")
        if version > len(MIGRATIONS):
            sentence = f"{path} was written by a newer version of gemma-tui."
            return Finding("database", State.PROBLEM, sentence, "Update gemma-tui.")
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            return _damaged(path, "; ".join(map(str, found)))
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  # ours
            for table in ("conversation", "message")
        ]
    finally:
        connection.close()
    size = format_size(path.stat().st_size)
    sentence = f"whole; {counts[0]:,} conversations, {counts[1]:,} messages, {size}"
    return Finding("database", State.OK, sentence)


def _damaged(path: Path, why: str) -> Finding:
    return Finding(
        "database",
        State.PROBLEM,
        f"{path} is damaged: {why}.",
        "The next start keeps it under another name and begins a new one. A copy that you have of"
        " it can be put in its place before.",
    )
