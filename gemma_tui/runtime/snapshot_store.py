"""Snapshots on disk, so that yesterday's conversation goes on without being read again.

Each turn is stored once, as the keys and values of its own tokens: in the global layers, and in
the sliding ones as far as they reach back from its end. A snapshot is the turns up to its own, and
a turn is found by a hash of everything that led to its values: the model, and all tokens and media
from the first one on. So a prompt finds its turns without any index, and nothing but arrays is
taken from a file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

import mlx.core as mx

from gemma_tui.runtime.array_bits import dtype_of, restored, stored
from gemma_tui.runtime.key_values import NOTHING, KeyValues, Run, cut, take, window_of
from gemma_tui.runtime.snapshot import Snapshot, spans_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gemma_tui.runtime.disk_cache import DiskCache, StoredArray
    from gemma_tui.runtime.gemma4.model import Gemma4
    from gemma_tui.runtime.prompt import MediaSpan, Prompt

FORMAT: Final = b"gemma-tui snapshots 1"
"""Goes into every hash; another number makes all older files strangers, to be removed by age."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """The tokens from the end of one turn to the end of the next, and where they are stored."""

    start: int
    stop: int
    name: str

    @property
    def whole(self) -> str:
        return f"kv-{self.name}-whole"

    @property
    def recent(self) -> str:
        return f"kv-{self.name}-recent"


class SnapshotStore:
    """The turns of one model.

    Args:
        disk: Where they are.
        digest: Of the model, and of everything else that decides what keys and values are.
        sample: Keys and values of one token at least, whose shapes and types all others must have.
        window: Tokens that the sliding layers look back.
    """

    def __init__(self, disk: DiskCache, digest: str, sample: KeyValues, window: int) -> None:
        self._disk = disk
        self._digest = digest
        self._sample = sample
        self._window = window

    def load(self, prompt: Prompt, known: Snapshot | None) -> Snapshot | None:
        """The longest stored snapshot that `prompt` goes on from.

        Args:
            prompt: What is to be read.
            known: A snapshot in memory; only a longer one is looked for.
        """
        # The last token is read anyway; a reply that was cut off is stored up to the one before it.
        last = len(prompt.ids) - 1
        turns = list(self._turns(prompt.ids, prompt.spans, prompt.turn_ends, last))
        known_length = len(known.ids) if known else 0
        base = known.state if known and any(t.stop == known_length for t in turns) else NOTHING
        missing = [turn for turn in turns if turn.stop > base.stop]
        while missing:
            if missing[-1].stop > known_length and all(
                self._disk.has(turn.whole) for turn in missing
            ):
                state = self._read(missing, base)
                if state is not None:
                    length = state.stop
                    self._use([turn for turn in turns if turn.stop <= length], length)
                    return Snapshot(
                        prompt.ids[:length],
                        spans_before(length, prompt.spans),
                        tuple(end for end in prompt.turn_ends if end <= length),
                        state,
                    )
            missing.pop()
        return None

    def save(self, snapshot: Snapshot, is_interrupted: Callable[[], bool]) -> bool:
        """Store what is not stored yet of a snapshot; False if that was interrupted."""
        state, length = snapshot.state, len(snapshot.ids)
        turns = list(self._turns(snapshot.ids, snapshot.spans, snapshot.turn_ends, length))
        for turn in turns:
            if is_interrupted():
                return False
            self._write(turn.whole, cut(state.whole, turn.start, turn.stop))
            if state.recent and turn.stop > length - self._window:
                first = max(turn.start, turn.stop - self._window, state.recent[0].start)
                self._write(turn.recent, cut(state.recent, first, turn.stop))
        self._use(turns, length)
        return True

    def _write(self, name: str, run: Run | None) -> None:
        if run is not None and not self._disk.has(name):
            self._disk.write(name, {str(n): bits for n, bits in enumerate(stored(run.arrays))})

    def _read(self, turns: Sequence[_Turn], base: KeyValues) -> KeyValues | None:
        """The state at the end of the last of `turns`, which go on where `base` ends."""
        length = turns[-1].stop
        recent: list[Run] = []
        for turn in reversed(turns):
            if turn.stop <= length - self._window:
                break
            run = self._run(turn.recent, turn, self._sample.recent)
            if run is None or (run.start > turn.start and run.start > length - self._window):
                return None
            recent.insert(0, run)
        whole: list[Run] = []
        for turn in turns:
            run = self._run(turn.whole, turn, self._sample.whole)
            if run is None or run.start != turn.start:
                return None
            whole.append(run)
        kept = [run for run in base.recent if run.stop > length - self._window]
        return KeyValues((*base.whole, *whole), (*kept, *recent))

    def _run(self, name: str, turn: _Turn, sample: Sequence[Run]) -> Run | None:
        """The stored end of a turn, if every array of it is of the right shape and type."""
        content = self._disk.read(name)
        if content is None:
            return None
        wanted = sample[0].arrays
        if content.keys() != {str(number) for number in range(len(wanted))}:
            return None
        bits = [content[str(number)] for number in range(len(wanted))]
        count = bits[0].bits.shape[2] if bits[0].bits.ndim == 4 else 0
        if not 0 < count <= turn.stop - turn.start:
            return None
        if not all(_fits(item, like, count) for item, like in zip(bits, wanted, strict=True)):
            return None
        run = Run(turn.stop - count, turn.stop, tuple(restored(item) for item in bits))
        mx.eval(run.arrays)
        return run

    def _use(self, turns: Sequence[_Turn], length: int) -> None:
        """These go on being needed; what comes first in the prompt is needed by the most."""
        recent = [turn.recent for turn in turns if turn.stop > length - self._window]
        self._disk.used([*(turn.whole for turn in turns), *recent])

    def _turns(
        self, ids: Sequence[int], spans: Sequence[MediaSpan], turn_ends: Sequence[int], length: int
    ) -> Iterator[_Turn]:
        """The turns of a prompt, and what is left behind the last one."""
        digest = hashlib.sha256(FORMAT + self._digest.encode())
        start = 0
        for stop in sorted({*turn_ends, length}):
            media = [astuple(span) for span in spans if start <= span.start < stop]
            digest.update(json.dumps([ids[start:stop], media]).encode())
            yield _Turn(start, stop, digest.hexdigest())
            start = stop


def sample_of(model: Gemma4, token: int) -> tuple[KeyValues, int]:
    """Keys and values of one token, to compare stored ones with, and the window of a network."""
    cache = model.make_cache()
    model.prefill(mx.array([[token]]), cache=cache)
    return take(cache, 1), window_of(cache)


def _fits(item: StoredArray, like: mx.array, count: int) -> bool:
    shape = (*like.shape[:2], count, *like.shape[3:])
    return dtype_of(item) == like.dtype and item.bits.shape == shape
