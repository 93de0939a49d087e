"""Averages the weights of several states of one run, which reads strangers better than any of them.

Model soups (Wortsman et al., 2022): states that were trained on from each other lie in one valley.
Usage: python average.py OUT_FOLDER STATE_FOLDER STATE_FOLDER ...
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch


def main() -> None:
    """Writes a state with the mean weights, and the helper heads of the last state."""
    out, *states = map(Path, sys.argv[1:])
    loaded = [torch.load(state / "model.pt") for state in states]
    networks = [state["network"] for state in loaded]
    mean = {
        name: sum(network[name] for network in networks) / len(networks)
        if weight.is_floating_point()
        else weight
        for name, weight in networks[0].items()
    }
    out.mkdir(parents=True, exist_ok=True)
    content = {"network": mean, "helpers": loaded[-1]["helpers"], "step": 0, "minutes": 0.0}
    torch.save(content, out / "model.pt")


if __name__ == "__main__":
    main()
