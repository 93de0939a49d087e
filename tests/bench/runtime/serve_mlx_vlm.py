"""mlx-vlm: its networks, its image processor and its `generate_step`, greedy. Runs in its own venv."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_map
from mlx_vlm.generate import generate_step  # type: ignore[import-not-found]
from mlx_vlm.models.gemma4.processing_gemma4 import (  # type: ignore[import-not-found]
    Gemma4ImageProcessor,
)
from mlx_vlm.utils import load_model  # type: ignore[import-not-found]
from PIL import Image

from tests.bench.runtime.serve import serve, time_tokens


def main() -> None:
    model: Any = load_model(Path(sys.argv[1]))
    model.update(tree_map(lambda weight: weight.astype(mx.float32), model.parameters()))
    mx.eval(model.parameters())

    def generate(ids: list[int], count: int, image: str = "", budget: int = 0) -> dict[str, Any]:
        mx.reset_peak_memory()
        tokens = steps(ids, count, image, budget)
        return {**time_tokens(tokens, count), "peak": mx.get_peak_memory()}

    def steps(ids: list[int], count: int, image: str, budget: int) -> Any:
        pixels = None
        if image:
            processor = Gemma4ImageProcessor(max_soft_tokens=budget)
            pixels = mx.array(processor.preprocess([Image.open(image)])[0]["pixel_values"])
        yield from generate_step(
            mx.array([ids]), model, pixels, None, max_tokens=count, temperature=0.0
        )

    serve({"generate": generate})


if __name__ == "__main__":
    main()
