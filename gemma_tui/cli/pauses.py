"""Keeps Python's own pauses out of the app: collecting garbage, and threads that wait for another.

Both take longer than a frame once a few hundred thousand objects live (measured: 40 to 110 ms for a
full collection, 5 ms for a thread that has something to write or was given a key).
"""

from __future__ import annotations

import asyncio
import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTLE_SECONDS: Final = 2.0
"""After this the screen stands, with the conversation that was open last."""

SWITCH_SECONDS: Final = 0.001
"""How long one thread may keep the others waiting; Python's own is 5 ms. The threads that read keys
and write to the terminal and the database have little to do, but it is waited for."""


@contextmanager
def without_pauses() -> Iterator[None]:
    """Run an app on the running loop; nothing is collected until it stands.

    What is there then lives as long as the app: modules, widgets, styles. It is never looked at
    again, so that a full collection finds little to do.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.disable()
    settling = asyncio.get_running_loop().call_later(SETTLE_SECONDS, _settle)
    try:
        yield
    finally:
        settling.cancel()
        gc.unfreeze()
        gc.enable()
        sys.setswitchinterval(interval)


def _settle() -> None:
    gc.freeze()
    gc.enable()
