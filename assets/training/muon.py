"""Muon in fp32 for two-dimensional weights, with AdamW for everything else.

The update is orthogonalised by five Newton-Schulz steps (Jordan et al., 2024) and scaled so
that its root mean square is 0.2 times the learning rate (Liu et al., 2025).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon:
    """Same-shape matrices are stacked, so that one batched product serves them all."""

    def __init__(self, weights: Iterable[torch.nn.Parameter], decay: float = 0.02) -> None:
        self.rate = 0.0
        self.decay = decay
        self.groups: dict[tuple[int, ...], list[torch.nn.Parameter]] = {}
        for weight in weights:
            self.groups.setdefault(tuple(weight.shape), []).append(weight)
        self.momentum = {
            shape: torch.zeros(len(group), *shape) for shape, group in self.groups.items()
        }

    @torch.no_grad()
    def step(self) -> None:
        """Applies one update with the gradients that are there."""
        for shape, weights in self.groups.items():
            if all(weight.grad is None for weight in weights):
                continue
            gradient = torch.stack(
                [torch.zeros(shape) if w.grad is None else w.grad for w in weights]
            )
            momentum = self.momentum[shape]
            momentum.mul_(0.95).add_(gradient)
            update = orthogonalise(gradient + 0.95 * momentum)
            scale = 0.2 * max(shape) ** 0.5 * self.rate
            for index, weight in enumerate(weights):
                weight.mul_(1 - self.rate * self.decay).add_(update[index], alpha=-scale)


def orthogonalise(x: torch.Tensor) -> torch.Tensor:
    """Brings the singular values of each matrix of [n, rows, columns] near one."""
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-12)
    a, b, c = COEFFICIENTS
    for _ in range(5):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.transpose(1, 2) if tall else x


class Pair:
    """Muon for matrices and AdamW for embeddings, norms and other weights, as one optimiser."""

    def __init__(self, named: Iterable[tuple[str, torch.nn.Parameter]], scale: float = 1.0) -> None:
        matrices, rest = [], []
        for name, weight in named:
            plain = weight.ndim == 2 and "embed_tokens" not in name and not name.startswith("head")
            (matrices if plain else rest).append(weight)
        self.scale = scale
        self.weights = matrices + rest
        self.muon = Muon(matrices)
        self.adam = torch.optim.AdamW(rest, lr=0.0, betas=(0.9, 0.98), weight_decay=0.01)

    def step(self, rate: float) -> None:
        """Updates the weights at a learning rate and clears their gradients."""
        self.muon.rate = rate * self.scale
        self.adam.param_groups[0]["lr"] = rate * self.scale
        self.muon.step()
        self.adam.step()
        for weight in self.weights:
            weight.grad = None

    def clip(self, limit: float) -> float:
        """Clips the gradient norm; returns the norm before."""
        return float(torch.nn.utils.clip_grad_norm_(self.weights, limit))

    def state(self) -> dict[str, object]:
        """Everything needed to go on later."""
        return {"muon": self.muon.momentum, "adam": self.adam.state_dict()}

    def restore(self, state: dict) -> None:
        """Takes a state from `state`."""
        self.muon.momentum = state["muon"]
        self.adam.load_state_dict(state["adam"])
