"""How broken files end: `python -m tests.bench.broken_media [files]`, by hand, half a minute.

Breaks that many files (1,000) of every format in turn by hypothesis, takes each the way of an
attachment (store, decoder process, features), and prints how they ended, the slowest one, and how
many decoders a file has ended.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gemma_tui.runtime.decoders import Decoders
from gemma_tui.storage.blobs import BlobStore
from tests.runtime.broken_media import KINDS, attach, broken


class Trial:
    """Attaches broken files, and remembers how that ended."""

    def __init__(self, folder: Path) -> None:
        self._blobs, self._path = BlobStore(folder / "blobs"), folder / "it"
        self.decoders = Decoders(logging.getLogger("broken"))
        self.slowest = (0.0, "")
        self.processes: set[int] = set()

    def attach(self, kind: str, files: int) -> Counter[str]:
        """Break so many files of one kind."""
        ends: Counter[str] = Counter()

        @settings(max_examples=files, deadline=None, phases=[Phase.generate], database=None)
        @given(st.data())
        def break_some(data: st.DataObject) -> None:
            content = data.draw(broken(kind))
            started = time.perf_counter()
            ends[attach(content, self._path, self._blobs, self.decoders)] += 1
            self.slowest = max(self.slowest, (time.perf_counter() - started, kind))
            self.processes.update(self.decoders.process_ids)

        break_some()
        return ends


def main() -> None:
    """Break, attach, count."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder))
        for kind in KINDS:
            ends = trial.attach(kind, -(-files // len(KINDS)))
            total += ends
            print(f"{kind:16}", dict(ends), flush=True)  # noqa: T201
        trial.decoders.close()
    seconds, kind = trial.slowest
    print(f"{total.total()} files:", dict(total))  # noqa: T201
    ended = len(trial.processes) - 1
    print(f"slowest {seconds:.2f} s ({kind}); decoders ended by a file: {ended}")  # noqa: T201


if __name__ == "__main__":
    main()
