"""The engine process, held to 100 tokens a second: the real model, but no faster than that."""

from __future__ import annotations

import time

from gemma_tui.runtime import worker
from gemma_tui.runtime.generate import TokenStream
from tests.bench.interface.texts import TOKENS_PER_SECOND


class _Pace:
    """The time at which the next token may be handed out."""

    def __init__(self) -> None:
        self._due = 0.0

    def wait(self) -> None:
        """Until then; a token that was late does not make the next one come early."""
        now = time.monotonic()
        self._due = max(now, self._due + 1 / TOKENS_PER_SECOND)
        time.sleep(self._due - now)


if __name__ == "__main__":
    pace, hand_out = _Pace(), TokenStream.__next__

    def _paced(stream: TokenStream) -> int:
        pace.wait()
        return hand_out(stream)

    TokenStream.__next__ = _paced  # type: ignore[method-assign, assignment]
    worker.main()
