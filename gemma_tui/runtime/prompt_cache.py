"""Key-value states of recent prompts, so that a conversation pays only for what is new.

A state is reused only as a whole: its token ids and its media (by sha256 and budget) must be the
beginning of the new prompt. States are never trimmed, which sliding-window caches could not be
once their window has wrapped. So two are kept per turn: one at the end of the user's turn, which
every other reply to it shares, and one at the end of the reply. Equal token ids do not suffice:
two pictures of one size have the same placeholders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.runtime.prompt import MediaSpan, Prompt

MAX_CACHE_BYTES: Final = 512 * 1024 * 1024
"""For E2B in 16 bits: some 40,000 tokens in the two states of a long conversation, or the ends of
40 short ones. The newest state is kept whatever its size."""

MAX_SNAPSHOTS: Final = 16
"""The last eight turns; more would hardly be asked for again, and every one is compared."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the decoder after some tokens."""

    ids: tuple[int, ...]
    spans: tuple[MediaSpan, ...]
    layers: tuple[tuple[type[Any], Any], ...]
    """Type and state of each layer's cache."""
    byte_count: int

    def begins(self, prompt: Prompt) -> bool:
        """Whether `prompt` goes on where this ends; at least one token must be left of it."""
        length = len(self.ids)
        if length >= len(prompt.ids) or prompt.ids[:length] != self.ids:
            return False
        return tuple(span for span in prompt.spans if span.start < length) == self.spans

    def to_cache(self) -> list[Any]:
        """Caches that continue from here; advancing them leaves this as it is."""
        return [cls.from_state(_own(state)) for cls, state in self.layers]


class PromptCache:
    """The latest snapshots of one model.

    Args:
        max_bytes: Snapshots beyond this are dropped, the longest unused first.
        max_snapshots: The most that are kept.
    """

    def __init__(
        self, *, max_bytes: int = MAX_CACHE_BYTES, max_snapshots: int = MAX_SNAPSHOTS
    ) -> None:
        self._max_bytes = max_bytes
        self._max_snapshots = max_snapshots
        self._snapshots: list[Snapshot] = []

    @property
    def token_count(self) -> int:
        """Tokens held, those of overlapping snapshots counted once each."""
        return sum(len(snapshot.ids) for snapshot in tuple(self._snapshots))

    def find(self, prompt: Prompt) -> Snapshot | None:
        """The longest snapshot that `prompt` begins with."""
        matching = [snapshot for snapshot in self._snapshots if snapshot.begins(prompt)]
        if not matching:
            return None
        best = max(matching, key=lambda snapshot: len(snapshot.ids))
        self._snapshots.remove(best)
        self._snapshots.append(best)
        return best

    def keep(self, ids: Sequence[int], spans: Sequence[MediaSpan], cache: Sequence[Any]) -> None:
        """Remember the state of `cache`, which must have seen exactly `ids`.

        The state is taken by reference: `cache` may go on, its arrays are not written to.

        Raises:
            ValueError: The cache has seen another number of tokens.
        """
        if any(layer.offset != len(ids) for layer in cache):
            raise ValueError(f"a state of {cache[0].offset} tokens is not that of {len(ids)}")
        snapshot = Snapshot(
            tuple(ids),
            tuple(span for span in spans if span.start < len(ids)),
            tuple((type(layer), _own(layer.state)) for layer in cache),
            sum(layer.nbytes for layer in cache),
        )
        self._snapshots = [
            old for old in self._snapshots if (old.ids, old.spans) != (snapshot.ids, snapshot.spans)
        ]
        self._snapshots.append(snapshot)
        self._make_room()

    def clear(self) -> None:
        """Forget everything."""
        self._snapshots.clear()

    def _make_room(self) -> None:
        while len(self._snapshots) > 1 and (
            len(self._snapshots) > self._max_snapshots
            or sum(snapshot.byte_count for snapshot in self._snapshots) > self._max_bytes
        ):
            del self._snapshots[0]


def _own(state: Any) -> Any:  # noqa: ANN401  # mlx-lm's states are tuples of arrays and numbers
    """The same state behind array objects of its own: mlx-lm assigns into those it holds.

    `mx.array` of an array shares its buffer; assigning to one of the two then copies.
    """
    return tuple(mx.array(item) if isinstance(item, mx.array) else item for item in state)
