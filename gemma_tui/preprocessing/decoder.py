"""The decoder process: `python -m gemma_tui.preprocessing.decoder --memory BYTES`.

Codecs are C, and files come from strangers: what crashes, hangs or eats memory here ends here. It
does one call after the other from stdin, answers on stdout, and ends when stdin closes. Everything
that libraries print goes to its standard error.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import GemmaError
from gemma_tui.network import install_guard
from gemma_tui.preprocessing.transport import pack, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

CALLS: Final = {
    "probe": "gemma_tui.preprocessing.probe",
    "preview": "gemma_tui.preprocessing.preview",
    "crop": "gemma_tui.preprocessing.crop",
    "unlock": "gemma_tui.preprocessing.unlocking",
    "picture_pixels": "gemma_tui.preprocessing.picture_part",
    "write_picture": "gemma_tui.preprocessing.media_file",
    "write_clip": "gemma_tui.preprocessing.media_file",
    "next_clip": "gemma_tui.preprocessing.splitting",
    "audio_features": "gemma_tui.preprocessing.audio",
}
"""The functions there are, and their modules; imported when they are first called."""


def limit_process(memory_bytes: int) -> None:
    """Let no file take more memory than this, and let a crash write no image of the memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_AS, memory_bytes)


def limit_call(seconds: int) -> None:
    """Let the next call take so much processor time at most: this ends it even if nobody waits."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds + 1)


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with suppress(OSError, ValueError):  # macOS knows no limit of the address space
        resource.setrlimit(which, (allowed, hard))


def serve(requests: int, answers: int) -> None:
    """Answer calls until there are no more."""
    while head := _read(requests, 4):
        call = unpack(_read(requests, int.from_bytes(head, "big")), _no_arrays)
        name, seconds, arguments = call
        limit_call(seconds)
        _write(answers, _answer(name, arguments))


def _answer(name: str, arguments: tuple[Any, ...]) -> object:
    """`("value", it)`, `("error", class, message, hint)` or `("fault", what, where)`."""
    try:
        function = getattr(importlib.import_module(CALLS[name]), name)
        return ("value", function(*arguments))
    except GemmaError as error:
        return ("error", type(error).__name__, error.message, error.hint)
    except MemoryError:
        raise  # there is none left to go on with
    except BaseException as error:  # noqa: BLE001  # a defect of ours is an answer too
        return ("fault", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))


def _no_arrays(_array: NDArray[Any]) -> None:
    raise ValueError("a call brings no arrays")


def _read(descriptor: int, size: int) -> bytes:
    """Exactly so many bytes, or none if the other side has gone."""
    found = b""
    while len(found) < size:
        piece = os.read(descriptor, size - len(found))
        if not piece:
            return b""
        found += piece
    return found


def _write(descriptor: int, value: object) -> None:
    head, arrays = pack(value)
    views = [memoryview(head), *(array.data.cast("B") for array in arrays if array.size)]
    for view in views:
        at = 0
        while at < len(view):
            at += os.write(descriptor, view[at:])


def main() -> None:
    """Keep the pipes for frames, set the limits, then serve."""
    install_guard()
    parser = argparse.ArgumentParser(prog="gemma_tui.preprocessing.decoder")
    parser.add_argument("--memory", type=int, required=True, metavar="BYTES")
    limit_process(parser.parse_args().memory)
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    with suppress(BrokenPipeError):
        serve(requests, answers)
    sys.stderr.flush()
    os._exit(0)  # not through the codecs' own ends


if __name__ == "__main__":
    main()
