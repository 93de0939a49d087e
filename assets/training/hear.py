"""Stage 1b: trains the audio tower alone, with a linear CTC head on its soft tokens.

Usage: python hear.py MINUTES OUT.pt BANK.pkl... DEV.pkl   (a state at OUT is taken up again)
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from muon import Pair
from network import Helpers, build, use_fast_audio
from sound import Clips, features, load_bank, symbols, text_of, token_count
from torch import nn

RATE = 4e-3


def ctc_loss(scores: torch.Tensor, labels: list[str], mask: np.ndarray) -> torch.Tensor:
    """CTC over log-probabilities [batch, tokens, 12].

    Clips of one symbol also pay for the mean of their tokens: without this the network first
    learns for long to say "some digit" at the very first token.
    """
    targets = [symbols(label) for label in labels]
    lengths = torch.tensor([token_count(int(n)) for n in mask.sum(1)])
    loss = nn.functional.ctc_loss(
        scores.transpose(0, 1),
        torch.tensor([s for target in targets for s in target]),
        lengths,
        torch.tensor([len(target) for target in targets]),
        zero_infinity=True,
    )
    single = [row for row, target in enumerate(targets) if len(target) == 1]
    if not single:
        return loss
    means = torch.stack([scores[row, : lengths[row], 1:].mean(0) for row in single])
    wanted = torch.tensor([targets[row][0] - 1 for row in single])
    return loss + 0.5 * nn.functional.cross_entropy(means, wanted)


@torch.no_grad()
def listen(tower: nn.Module, helpers: Helpers, bank: list, count: int = 120) -> float:
    """Share of clean dev utterances whose best CTC path is right."""
    right = 0
    for samples, label, _ in bank[:count]:
        mel = features(np.concatenate([np.zeros(1600), samples / 32768, np.zeros(1600)]))
        soft = tower(torch.from_numpy(mel)[None], torch.ones(1, len(mel), dtype=torch.bool))
        best = helpers.speech(soft.last_hidden_state)[0].argmax(-1).tolist()
        right += text_of(best) == label
    return round(right / min(count, len(bank)), 3)


def main() -> None:
    """Trains for some minutes of wall time and writes the tower, the head and the optimiser."""
    minutes, out = float(sys.argv[1]), Path(sys.argv[2])
    banks = [Path(name) for name in sys.argv[3:]]
    torch.set_num_threads(1)
    use_fast_audio()
    network, helpers = build(), Helpers()
    tower = network.model.audio_tower
    named = [*tower.named_parameters(), *helpers.audio_head.named_parameters("head")]
    optimiser, step, done = Pair(named), 0, 0.0
    if out.exists():
        saved = torch.load(out)
        tower.load_state_dict(saved["tower"])
        helpers.load_state_dict(saved["helpers"])
        optimiser.restore(saved["optimiser"])
        step, done = saved["step"], saved["minutes"]
    rng, bank, dev = np.random.default_rng(200 + step), load_bank(banks[:-1]), load_bank(banks[-1:])
    clips = Clips(rng, bank, 12)
    start, watched, mean = time.time() - done * 60, time.time(), 0.0
    while (share := (time.time() - start) / 60 / minutes) < 1:
        clips.hardness = min(1.0, max(0.0, share - 0.12) * 1.25)
        labels, mels, mask = clips.take()
        soft = tower(torch.from_numpy(mels), torch.from_numpy(mask)).last_hidden_state
        loss = ctc_loss(helpers.speech(soft), labels, mask)
        loss.backward()
        optimiser.clip(2.0)
        optimiser.step(
            RATE * min(1, (step + 1) / 40) * (0.1 + 0.45 * (1 + math.cos(math.pi * share)))
        )
        step += 1
        mean = loss.item() if step == 1 else 0.97 * mean + 0.03 * loss.item()
        if step % 50 == 0:
            print(f"hear {step} {share * minutes:.1f} min loss {mean:.3f}", flush=True)
        if time.time() - watched > 150:
            print("hear DEV", step, listen(tower, helpers, dev), flush=True)
            watched = time.time()
            torch.save({"tower": tower.state_dict(), "helpers": helpers.state_dict(), "step": step,
                        "optimiser": optimiser.state(), "minutes": (time.time() - start) / 60}, out)  # fmt: skip
    print("hear FINAL", step, listen(tower, helpers, dev, 300), flush=True)
    torch.save({"tower": tower.state_dict(), "helpers": helpers.state_dict(), "step": step,
                "optimiser": optimiser.state(), "minutes": minutes}, out)  # fmt: skip


if __name__ == "__main__":
    main()
