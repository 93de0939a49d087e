"""Stage 1a: trains the vision tower alone, with helper heads on the mean of its soft tokens.

Usage: python see.py MINUTES OUT.pt   (a state already at OUT is taken up again)
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from canvas import pick_size
from digits import DEV_START, FILTERS, handwriting, ink_on_paper
from muon import Pair
from network import HEADS, Helpers, build, use_pool_cells
from pictures import Labelled, Supply, cell_count, cut, draw
from PIL import Image
from torch import nn
from tower import encode

RATE = 4e-3


def fact(item: Labelled, name: str) -> str:
    """The value of one of the helper heads' facts for a picture."""
    if name == "kind":
        return {"written": "digit", "printed": "digit"}.get(item.kind, item.kind)
    return str(getattr(item, name))


def facts_loss(logits: tuple[torch.Tensor, ...], items: list[Labelled]) -> torch.Tensor:
    """Weighted cross-entropy over the facts that each picture has."""
    total = torch.zeros(())
    for (name, values, weight), scores in zip(HEADS, logits, strict=True):
        known = [values.index(fact(i, name)) if fact(i, name) in values else -100 for i in items]
        share = sum(k >= 0 for k in known) / len(known)
        if share:
            loss = nn.functional.cross_entropy(scores, torch.tensor(known))
            total = total + weight * share * loss
    return total


def stack(
    rng: np.random.Generator, items: list[Labelled], budgets: list[int], keep: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cuts pictures into `keep` cells each: patches [n, p, 768], positions [n, p, 2]."""
    cut_items = []
    for item, wanted in zip(items, budgets, strict=True):
        budget = wanted
        while cell_count(item.picture.size, budget) < keep:
            budget += 3
        cut_items.append(cut(item.picture, budget, keep, rng))
    patches = torch.from_numpy(np.stack([c.patches for c in cut_items]))
    return patches, torch.from_numpy(np.stack([c.positions for c in cut_items]))


def batch(supply: Supply, share: float) -> tuple[list[Labelled], torch.Tensor, torch.Tensor]:
    """Draws one step's pictures; `share` is how much of the stage is done.

    The picture grows from 9 to 70 tokens and more during the stage (budgets below 70 do not
    exist in Gemma 4); it starts at a random place of the position table, so that all of
    the table is learnt. From 25 tokens on, cells are dropped; some late steps take all cells.
    """
    rng = supply.rng
    if share > 0.7 and rng.random() < 0.15:
        size, budget = pick_size(rng), int(rng.choice([70, 140], p=[0.8, 0.2]))
        items = [draw(rng, size, supply.limit) for _ in range(10 if budget == 70 else 5)]
        return items, *stack(rng, items, [budget] * len(items), 0)
    choices, keep = ([9, 12], 9)
    if share > 0.62:
        choices, keep = [36, 70, 70, 140, 280], int(rng.integers(16, 27))
    elif share > 0.4:
        choices, keep = [16, 25, 36, 70], int(rng.integers(14, 18))
    elif share > 0.25:
        choices, keep = [9, 16, 20], 9 if rng.random() < 0.3 else 15
    items = [supply.take() for _ in range(min(36, round(600 / keep)))]
    budgets = [int(b) for b in rng.choice(choices, len(items))]
    patches, positions = stack(rng, items, budgets, keep)
    if share < 0.62:
        positions = positions + 3 * torch.from_numpy(rng.integers(0, 14, (len(items), 1, 2)))
    return items, patches, positions


def dev_items(count: int, seed: int = 5) -> list[Labelled]:
    """Fixed pictures to watch: `count` shapes, others and printed, and `count` dev digits."""
    rng = np.random.default_rng(seed)
    items = [draw(rng, mix={"shape": 0.7, "printed": 0.15, "other": 0.15}) for _ in range(count)]
    images, labels = handwriting()
    for index in range(DEV_START, DEV_START + count):
        mask = Image.fromarray(images[index]).resize((192, 192), FILTERS[index % len(FILTERS)])
        picture = ink_on_paper(rng, pick_size(rng), mask)
        items.append(Labelled(picture, "written", digit=str(labels[index])))
    return items


@torch.no_grad()
def watch(tower: nn.Module, helpers: Helpers, budget: int, count: int = 100) -> dict[str, float]:
    """Share of dev pictures named right by the helper heads, per kind, undropped."""
    right: dict[str, list[bool]] = {}
    for item in dev_items(count):
        cells = cut(item.picture, budget)
        soft = tower(
            pixel_values=torch.from_numpy(cells.patches)[None],
            pixel_position_ids=torch.from_numpy(cells.positions)[None],
        ).last_hidden_state
        named = {}
        for (name, values, _), scores in zip(HEADS, helpers.facts(soft[None]), strict=True):
            named[name] = values[int(scores.argmax())]
        keys = {"shape": ("kind", "colour", "shape"), "other": ("kind",)}.get(
            item.kind, ("kind", "digit")
        )
        right.setdefault(item.kind, []).append(all(named[k] == fact(item, k) for k in keys))
    return {kind: round(float(np.mean(values)), 3) for kind, values in right.items()}


def main() -> None:
    """Trains for some minutes of wall time and writes the tower, the head and the optimiser."""
    minutes, out = float(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    network, helpers = build(), Helpers()
    use_pool_cells(network)
    tower = network.model.vision_tower
    heads = ((n, p) for n, p in helpers.named_parameters("head") if "vision" in n)
    named = [*tower.named_parameters(), *heads]
    optimiser, step, done = Pair(named), 0, 0.0
    if out.exists():
        saved = torch.load(out)
        tower.load_state_dict(saved["tower"])
        helpers.load_state_dict(saved["helpers"])
        optimiser.restore(saved["optimiser"])
        step, done = saved["step"], saved["minutes"]
    supply = Supply(np.random.default_rng(100 + step), DEV_START)
    fast = torch.compile(encode, dynamic=True)
    start, watched, mean = time.time() - done * 60, time.time(), 0.0
    while (share := (time.time() - start) / 60 / minutes) < 1:
        items, patches, positions = batch(supply, share)
        loss = facts_loss(helpers.facts(fast(tower, patches, positions)), items)
        loss.backward()
        optimiser.clip(2.0)
        optimiser.step(
            RATE * min(1, (step + 1) / 40) * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * share)))
        )
        step += 1
        now = loss.item()
        mean = now if step == 1 else 0.97 * mean + 0.03 * now
        if step % 50 == 0:
            print(f"see {step} {share * minutes:.1f} min loss {mean:.3f}", flush=True)
        if time.time() - watched > 200 or share > 0.995:
            print("see DEV", step, watch(tower, helpers, 9 if share < 0.4 else 70), flush=True)
            watched = time.time()
            torch.save({"tower": tower.state_dict(), "helpers": helpers.state_dict(), "step": step,
                        "optimiser": optimiser.state(), "minutes": (time.time() - start) / 60}, out)  # fmt: skip
    print("see FINAL", step, {b: watch(tower, helpers, b) for b in (70, 140)}, flush=True)
    torch.save({"tower": tower.state_dict(), "helpers": helpers.state_dict(), "step": step,
                "optimiser": optimiser.state(), "minutes": minutes}, out)  # fmt: skip


if __name__ == "__main__":
    main()
