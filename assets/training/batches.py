"""Batches of the joint stage: conversations about pictures, clips and nothing, with their media.

The order of the soft tokens in a batch is the order of the placeholders, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from canvas import pick_size
from chat import (
    IGNORED,
    Encoded,
    Turn,
    encode,
    picture_part,
    picture_turn,
    sound_part,
    sound_turn,
    talk_turn,
)
from pictures import Labelled, Supply, draw
from see import stack
from sound import Clips, token_count

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Texts:
    """Padded conversations: ids [batch, length]; labels [batch, length] with `IGNORED`."""

    ids: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True, slots=True)
class Pictures:
    """Conversations about pictures.

    Attributes:
        texts: the conversations.
        items: the pictures with their facts.
        patches: float32 [pictures, cells * 9, 768].
        positions: int64 [pictures, cells * 9, 2].
        order: the picture behind each media part, in the order of the placeholders.
    """

    texts: Texts
    items: list[Labelled]
    patches: torch.Tensor
    positions: torch.Tensor
    order: list[int]


@dataclass(frozen=True, slots=True)
class Sounds:
    """Conversations about clips: features [clips, frames, 128], mask, and labels per clip."""

    texts: Texts
    labels: list[str]
    mels: torch.Tensor
    mask: torch.Tensor
    order: list[int]


def pad(encoded: list[Encoded]) -> Texts:
    """Pads on the right."""
    longest = max(len(e.ids) for e in encoded)
    ids = torch.zeros(len(encoded), longest, dtype=torch.long)
    labels = torch.full((len(encoded), longest), IGNORED)
    for row, one in enumerate(encoded):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        labels[row, : len(one.labels)] = torch.tensor(one.labels)
    return Texts(ids, labels)


def talk_batch(rng: Rng, tokenizer: Tokenizer, count: int) -> Texts:
    """Text conversations of one to three turns."""
    turns = [
        [talk_turn(rng) for _ in range(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])))]
        for _ in range(count)
    ]
    return pad([encode(rng, tokenizer, t) for t in turns])


def picture_talk(
    rng: Rng, items: list[Labelled], first: int, tokens: int
) -> tuple[list[Turn], list[int]]:
    """One conversation that starts with picture `first`, and the pictures it uses."""
    kind = rng.random()
    media = picture_part(tokens)
    turns, used = [picture_turn(rng, items[first], media)], [first]
    if kind < 0.1:
        turns = [*(talk_turn(rng) for _ in range(int(rng.integers(1, 3)))), *turns]
    elif kind < 0.2:
        turns.append(talk_turn(rng))
    if kind > 0.84 or 0.1 < kind < 0.14:
        other = int(rng.integers(len(items)))
        turns.append(picture_turn(rng, items[other], media))
        used.append(other)
    if rng.random() < 0.3:
        turns += [picture_turn(rng, items[used[-1]], "") for _ in range(int(rng.integers(1, 3)))]
    return turns, used


class PictureTalks:
    """Batches of conversations about pictures."""

    def __init__(self, rng: Rng, limit: int) -> None:
        self.rng, self.supply = rng, Supply(rng, limit)

    def cells(self, easy: bool) -> tuple[list[Labelled], torch.Tensor, torch.Tensor]:
        """Pictures of a step: at first mostly many with dropped cells, then mostly few in full."""
        rng = self.rng
        kind = rng.random()
        if kind < (0.2 if easy else 0.8):
            budget = int(rng.choice([70, 140, 280], p=[0.7, 0.19, 0.11]))
            count = {70: 16, 140: 6, 280: 3}[budget]
            size = pick_size(rng)
            items = [draw(rng, size, self.supply.limit) for _ in range(count)]
            return items, *stack(rng, items, [budget] * count, 0)
        keep = int(rng.integers(22, 33))
        items = [self.supply.take() for _ in range(round(620 / keep))]
        choices, share = ([70, 140, 280], [0.64, 0.19, 0.17])
        budgets = [int(b) for b in rng.choice(choices, len(items), p=share)]
        return items, *stack(rng, items, budgets, keep)

    def batch(self, tokenizer: Tokenizer, talks: int, easy: bool) -> Pictures:
        """A batch with at most `talks` conversations; all pictures go to the helper heads."""
        items, patches, positions = self.cells(easy)
        tokens = patches.shape[1] // 9
        encoded, order = [], []
        for first in range(min(talks, len(items))):
            turns, used = picture_talk(self.rng, items, first, tokens)
            encoded.append(encode(self.rng, tokenizer, turns))
            order += used
        return Pictures(pad(encoded), items, patches, positions, order)


class SoundTalks:
    """Batches of conversations about clips."""

    def __init__(self, rng: Rng, bank: list, count: int) -> None:
        self.rng, self.clips = rng, Clips(rng, bank, count)

    def batch(self, tokenizer: Tokenizer) -> Sounds:
        """A batch in which every clip starts a conversation."""
        rng = self.rng
        labels, mels, mask = self.clips.take()
        tokens = [token_count(int(n)) for n in mask.sum(1)]
        encoded, order = [], []
        for first in range(len(labels)):
            turns, used = [sound_turn(rng, labels[first], sound_part(tokens[first]))], [first]
            kind = rng.random()
            if kind < 0.1:
                turns.insert(0, talk_turn(rng))
            elif kind < 0.15:
                turns.append(talk_turn(rng))
            elif kind < 0.22:
                other = int(rng.integers(len(labels)))
                turns.append(sound_turn(rng, labels[other], sound_part(tokens[other])))
                used.append(other)
            encoded.append(encode(rng, tokenizer, turns))
            order += used
        return Sounds(pad(encoded), labels, torch.from_numpy(mels), torch.from_numpy(mask), order)
