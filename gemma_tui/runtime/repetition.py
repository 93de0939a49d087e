"""Notices when a reply says the same thing over and over.

Token ids in, a verdict out. Looks for exact repetition only: a list that counts up is none.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final

MAX_PERIOD: Final = 256
"""The longest block of tokens whose repetition is noticed."""

MIN_REPEATS: Final = 8
"""How often a block must come in a row."""

MIN_TOKENS: Final = 512
"""How long the repetition must be. Tables, rulers, refrains and "ha ha ha" stay below it; a model
that is caught in a loop goes on for ever, so waiting costs seconds only."""


class LoopDetector:
    """Watches the tokens of one reply.

    For every distance at which the newest token stood before, it knows for how many tokens in a
    row that has been so. A token costs as much as it occurs in the last `MAX_PERIOD`.
    """

    def __init__(self) -> None:
        self._count = 0
        self._places: defaultdict[int, deque[int]] = defaultdict(deque)
        """Where each token stood, the newest last; old places go when the token comes again."""
        self._runs: dict[int, int] = {}
        """By distance: how many tokens in a row equal the one at that distance before them."""

    def add(self, token_id: int) -> bool:
        """Take in the next token; whether the reply is caught in a loop."""
        places = self._places[token_id]
        while places and self._count - places[0] > MAX_PERIOD:
            places.popleft()
        distances = [self._count - place for place in places]
        self._runs = {period: self._runs.get(period, 0) + 1 for period in distances}
        places.append(self._count)
        self._count += 1
        # The first block of a repetition has nothing before it to be equal to.
        return any(
            run + period >= max(MIN_TOKENS, MIN_REPEATS * period)
            for period, run in self._runs.items()
        )
