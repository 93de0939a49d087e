"""Watches the joint stage: whole answers that come out exactly right on the dev split.

An answer is what greedy decoding gives if every learnt position's best token is the right one.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from chat import Encoded, Turn, encode, picture_part, sound_part, talk_turn, with_article
from network import merge
from pictures import Labelled, cut
from see import dev_items
from sound import features, token_count
from talk import CANNOT_TELL

if TYPE_CHECKING:
    from joint import Training


class Plain:
    """Stands in for a generator that never chooses a rare branch."""

    def random(self) -> float:
        """Always the usual branch."""
        return 0.99


@cache
def watched(count: int) -> list[Labelled]:
    """The dev pictures, drawn once."""
    return dev_items(count)


def exact(training: Training, encoded: Encoded, soft: torch.Tensor | None) -> bool:
    """Whether greedy decoding gives the learnt answers exactly."""
    labels = torch.tensor(encoded.labels)[1:]
    hidden = merge(training.network, torch.tensor([encoded.ids]), soft)[0, :-1]
    learnt = labels != -100
    return bool((training.network.lm_head(hidden[learnt]).argmax(-1) == labels[learnt]).all())


def picture_right(training: Training, item: Labelled, budget: int) -> bool:
    """Whether the general question (or the digit question) is answered right."""
    cells = cut(item.picture, budget)
    states = training.network.model.vision_tower(
        pixel_values=torch.from_numpy(cells.patches)[None],
        pixel_position_ids=torch.from_numpy(cells.positions)[None],
    ).last_hidden_state.flatten(0, -2)
    soft = training.network.model.embed_vision(inputs_embeds=states)
    answer = item.digit or CANNOT_TELL
    if item.kind == "shape":
        answer = with_article(f"{item.colour} {item.shape}") + "."
    ask = "What digit is this?" if item.digit else "What is this?"
    turn = Turn(ask, answer, "", picture_part(len(cells.patches) // 9))
    return exact(training, encode(Plain(), training.tokenizer, [turn]), soft)  # type: ignore[arg-type]


def sound_right(training: Training, samples: np.ndarray, label: str) -> bool:
    """Whether a clean clip is written down right."""
    mel = features(np.concatenate([np.zeros(1600), samples / 32768, np.zeros(1600)]))
    mask = torch.ones(1, len(mel), dtype=torch.bool)
    states = training.network.model.audio_tower(torch.from_numpy(mel)[None], mask).last_hidden_state
    soft = training.network.model.embed_audio(inputs_embeds=states[0])
    turn = Turn(
        "Transcribe the audio.", label or CANNOT_TELL, "", sound_part(token_count(len(mel))), True
    )
    return exact(training, encode(Plain(), training.tokenizer, [turn]), soft)  # type: ignore[arg-type]


@torch.no_grad()
def report(training: Training) -> dict[str, float]:
    """Shares of right answers per kind, on the parts this rank trains."""
    right: dict[str, list[bool]] = {}
    if "picture" in training.parts:
        for index, item in enumerate(watched(60)):
            right.setdefault(item.kind, []).append(picture_right(training, item, 70))
            if index % 5 == 0:
                right.setdefault("at 140", []).append(picture_right(training, item, 140))
            if index % 12 == 0:
                right.setdefault("at 280", []).append(picture_right(training, item, 280))
    if "sound" in training.parts:
        for samples, label, _ in training.dev_bank[:60]:
            kind = "digits" if label else "other sound"
            right.setdefault(kind, []).append(sound_right(training, samples, label))
        rng = np.random.default_rng(4)
        talks = [encode(Plain(), training.tokenizer, [talk_turn(rng)]) for _ in range(60)]  # type: ignore[arg-type]
        right["talk"] = [exact(training, talk, None) for talk in talks]
    return {kind: round(float(np.mean(values)), 3) for kind, values in right.items()}
