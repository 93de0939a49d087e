"""Makes a state of the joint stage from an exported folder, to go on training from it.

The helper heads, which are not exported, start anew. Usage: python resume.py MODEL_FOLDER STATE_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from network import Helpers, build
from safetensors.torch import load_file


def main() -> None:
    """Writes the state; the optimisers start anew too."""
    model, state = Path(sys.argv[1]), Path(sys.argv[2])
    network = build()
    weights = {name: w.float() for name, w in load_file(model / "model.safetensors").items()}
    missing, unknown = network.load_state_dict(weights, strict=False)
    if unknown or set(missing) - {"lm_head.weight"}:
        raise SystemExit(f"not our checkpoint: missing {missing}, unknown {unknown}")
    state.mkdir(parents=True, exist_ok=True)
    content = {"network": network.state_dict(), "helpers": Helpers().state_dict(), "step": 0}
    torch.save(content | {"minutes": 0.0}, state / "model.pt")


if __name__ == "__main__":
    main()
