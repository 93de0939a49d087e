"""A vocabulary built like the published Gemma 4 one, small and hostile where that one may be."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import AddedToken, decoders, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from gemma_tui.runtime.tokenizer import Control

CONTROL_NAMES = (
    *("<pad>", "<unk>", "<mask>"),
    *(control.value for control in Control),
)
BYTE_NAMES = tuple(f"<0x{byte:02X}>" for byte in range(256))

_CORPUS = (
    "user\nWhat is this? user\nWhat do you hear?\n\n",
    "model\nA red circle.\n\n\nmodel\nA blue square.\n",
    "system\nYou are brief.  system\nthought\nIt looks round.\n",
    "the channel, the image and the audio turn in a turn; think bos and eos\n",
    "<b>html</b> | <i>pipes</i> || <| and |> Grüße é 世界\n",
)


def gemma_like(*, flagged: bool = True, merged: tuple[str, ...] = ()) -> Backend:
    """Normaliser, pre-tokeniser, BPE with byte fallback and decoder as in Gemma's file.

    Nothing keeps its merges from crossing spaces and line breaks.

    Args:
        flagged: Whether the control tokens are flagged as special.
        merged: Control tokens that the merges, too, can put together from letters.
    """
    learned = _learn()
    names = (*CONTROL_NAMES, *BYTE_NAMES)
    merges = [(name[:end], name[end]) for name in merged for end in range(1, len(name))]
    merges += [pair for pair in map(tuple, learned["merges"]) if pair not in merges]
    texts = dict.fromkeys([*learned["vocab"], *(a for a, _ in merges), *(b for _, b in merges)])
    vocab = {text: place for place, text in enumerate(dict.fromkeys([*names, *texts]))}
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    backend = Backend(
        BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    _shape(backend)
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    control = [AddedToken(name, special=flagged, normalized=False) for name in CONTROL_NAMES]
    if flagged:
        backend.add_special_tokens(control)
    else:
        backend.add_tokens(control)
    backend.add_tokens([AddedToken("\n\n", normalized=False), AddedToken("<b>", normalized=False)])
    return backend


def _learn() -> dict[str, Any]:
    backend = Backend(BPE(unk_token="<unk>"))
    _shape(backend)
    backend.train_from_iterator(_CORPUS * 20, BpeTrainer(vocab_size=400, show_progress=False))
    learned: dict[str, Any] = json.loads(backend.to_str())["model"]
    return learned


def _shape(backend: Backend) -> None:
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
