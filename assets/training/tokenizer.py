"""Trains the tokenizer: byte-fallback BPE with spaces as U+2581, 1024 ids, Gemma 4's control tokens.

Usage: python tokenizer.py OUT.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from canvas import COLOURS
from chat import ASK_COLOUR, ASK_DIGIT, ASK_PICTURE, ASK_SHAPE, ASK_SOUND, SYSTEM, styled, talk_turn
from shapes import SHAPES
from talk import INTENTS
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from vocabulary import SPECIAL, VOCABULARY

if TYPE_CHECKING:
    from collections.abc import Iterator

ALPHABET = "▁\n0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,!?'/-+:;*`\"()=_#|{}&%@$<>[]"


def corpus() -> Iterator[str]:
    """The texts the merges are learnt from: questions in varied style, and all answers."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        for topic, answer, asks in INTENTS:
            yield from (answer, topic)
            yield from (styled(rng, ask) for ask in asks.split("|"))
        for asks in (ASK_PICTURE, ASK_COLOUR, ASK_SHAPE, ASK_DIGIT, ASK_SOUND):
            yield from (styled(rng, ask) for ask in asks)
    for _ in range(3000):
        turn = talk_turn(rng)
        yield from (turn.ask, turn.answer, turn.thought)
    for colour in COLOURS:
        for shape in SHAPES:
            yield f"A {colour} {shape}. Yes, it is {colour}. No, it is a {shape}."
            yield f"The user shows a picture. I see a {colour} {shape}. I see the digit 3."
    for _ in range(60):
        yield from (*SYSTEM, "user\n", "model\n", "system\n", "thought\n")


def train() -> dict:
    """The content of tokenizer.json."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    pieces = Regex(r"\n+|[0-9]|▁?[^▁\n0-9\W_]+|▁|\W")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(pieces, "isolated")])
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))],
        min_frequency=2,
        show_progress=False,
        initial_alphabet=list(ALPHABET),
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    content = json.loads(tokenizer.to_str())
    vocabulary = content["model"]["vocab"]
    while len(vocabulary) < VOCABULARY:
        vocabulary[f"<unused{len(vocabulary)}>"] = len(vocabulary)
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] in SPECIAL]
    content["decoder"] = {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
        ],
    }
    return content


def main() -> None:
    """Writes tokenizer.json."""
    Path(sys.argv[1]).write_text(json.dumps(train(), ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
