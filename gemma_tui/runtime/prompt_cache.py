"""Key-value states of recent prompts, so that a conversation pays only for what is new.

A state is reused as it is: its token ids and its media (by sha256, segment and budget) must be the
beginning of the new prompt. Trimming is no way out, as sliding windows forget; so a snapshot is
kept at the end of every turn, as later prompts repeat it, and where a reply was cut off. Equal
token ids do not suffice: two pictures of one size have the same placeholders.

Snapshots of one conversation share their keys and values: n of them take little more than one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.runtime.key_values import NOTHING, restore, take
from gemma_tui.runtime.snapshot import Snapshot, spans_before

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gemma_tui.runtime.key_values import Run
    from gemma_tui.runtime.prompt import Prompt
    from gemma_tui.runtime.snapshot_store import SnapshotStore

LEAST_CACHE_BYTES: Final = 1024 * 1024 * 1024
"""For E2B in 16 bits (18 KB a token at most): conversations of 58,000 tokens in all. The newest
snapshot is kept whatever its size."""

MAX_SNAPSHOTS: Final = 128
"""Some 60 turns of one or of many conversations; every one is compared with a new prompt."""

_SPARED: Final = 3
"""The newest snapshots, which go last: the ends of the user's turn and of the reply to it, which
are asked for next, be it by another reply or by the next turn."""


class PromptCache:
    """The latest snapshots of one model.

    Args:
        make_cache: Makes empty caches of the model.
        store: Where snapshots of earlier days are; None keeps nothing on disk.
        max_bytes: Snapshots beyond this are dropped: first those that only an edit would ask for,
            because a longer one goes on where they end, then the longest unused.
        max_snapshots: The most that are kept.
    """

    def __init__(
        self,
        make_cache: Callable[[], list[Any]],
        *,
        store: SnapshotStore | None = None,
        max_bytes: int = LEAST_CACHE_BYTES,
        max_snapshots: int = MAX_SNAPSHOTS,
    ) -> None:
        self._make_cache = make_cache
        self._store = store
        self._max_bytes = max_bytes
        self._max_snapshots = max_snapshots
        self._snapshots: list[Snapshot] = []
        """The latest used last."""
        self._unsaved: list[Snapshot] = []

    @property
    def token_count(self) -> int:
        """Tokens held, those that snapshots share counted once."""
        runs = {id(run): run for snapshot in tuple(self._snapshots) for run in snapshot.state.whole}
        return sum(run.stop - run.start for run in runs.values())

    @property
    def byte_count(self) -> int:
        """Bytes of all keys and values held."""
        return sum(run.nbytes for run in self._runs().values())

    def take_up(self, prompt: Prompt) -> tuple[list[Any], int]:
        """Caches that have seen as much of `prompt` as is known, and how many tokens that is."""
        best = self._longest(prompt)
        if self._store and (stored := self._store.load(prompt, best)):
            best = stored
            self._add(stored)
        if best is None:
            return self._make_cache(), 0
        self._use(best)
        known = best.reach(prompt)
        return restore(self._make_cache(), best.state, known, room=len(prompt.ids)), known

    def keep(
        self, prompt: Prompt, length: int, cache: Sequence[Any], *, durably: bool = True
    ) -> Snapshot:
        """Remember the state after the first `length` tokens of `prompt`.

        Args:
            prompt: What the caches have seen, and possibly more.
            length: Tokens of the state.
            cache: Caches that have seen these tokens; they may go on, and may have gone on within
                the latest chunk.
            durably: Store it on disk, too, when there is time for that.

        Raises:
            ValueError: The caches have not seen these tokens, or do not hold them any more.
        """
        ids, spans = prompt.ids[:length], spans_before(length, prompt.spans)
        for known in self._snapshots:
            if len(known.ids) == length and (known.ids, known.spans) == (ids, spans):
                self._use(known)
                return known
        turn_ends = tuple(end for end in prompt.turn_ends if end <= length)
        snapshot = Snapshot(ids, spans, turn_ends, NOTHING)
        before = [known for known in self._snapshots if known.is_passed_by(snapshot)]
        nearest = max(before, key=lambda known: len(known.ids), default=snapshot)
        state = take(cache, length, nearest.state)
        snapshot = Snapshot(ids, spans, turn_ends, state)
        self._add(snapshot)
        if durably and self._store:
            self._unsaved.append(snapshot)
        return snapshot

    def save(self, is_interrupted: Callable[[], bool]) -> None:
        """Store on disk what is kept durably, until it is done or interrupted."""
        while self._store and self._unsaved and self._store.save(self._unsaved[0], is_interrupted):
            del self._unsaved[0]

    def drop(self, snapshot: Snapshot) -> None:
        """Forget one snapshot, if it is there."""
        if snapshot in self._snapshots:
            self._snapshots.remove(snapshot)

    def clear(self) -> None:
        """Forget everything that is in memory."""
        self._snapshots.clear()
        self._unsaved.clear()

    def _longest(self, prompt: Prompt) -> Snapshot | None:
        best = max(self._snapshots, key=lambda snapshot: snapshot.reach(prompt), default=None)
        return best if best and best.reach(prompt) else None

    def _use(self, snapshot: Snapshot) -> None:
        self._snapshots.remove(snapshot)
        self._snapshots.append(snapshot)

    def _add(self, snapshot: Snapshot) -> None:
        self._snapshots.append(snapshot)
        while len(self._snapshots) > 1 and (
            len(self._snapshots) > self._max_snapshots or self.byte_count > self._max_bytes
        ):
            self._snapshots.remove(self._least_wanted())

    def _least_wanted(self) -> Snapshot:
        older = self._snapshots[:-_SPARED]
        for snapshot in older:
            if any(snapshot.is_passed_by(other) for other in self._snapshots):
                return snapshot
        return self._snapshots[0]

    def _runs(self) -> dict[int, Run]:
        return {id(run): run for snapshot in self._snapshots for run in snapshot.state.runs}


def snapshot_bytes() -> int:
    """How much of the machine's memory snapshots may take: a sixteenth, a gibibyte at least."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(LEAST_CACHE_BYTES, memory // 16)
