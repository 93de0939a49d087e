"""A bare mlx-lm loop: its decoder, its `generate_step`, greedy, nothing around them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.generate import generate_step
from mlx_lm.utils import load_model

from tests.bench.runtime.serve import serve, time_tokens


def main() -> None:
    model: Any = load_model(Path(sys.argv[1]))[0]
    # What the product computes in on a CPU: the comparison is about the loop, not about bfloat16.
    model.update(tree_map(lambda weight: weight.astype(mx.float32), model.parameters()))
    mx.eval(model.parameters())

    def generate(ids: list[int], count: int) -> dict[str, Any]:
        return time_tokens(generate_step(mx.array(ids), model, max_tokens=count), count)

    serve({"generate": generate})


if __name__ == "__main__":
    main()
