"""The networks of Gemma 4.

They build on the text decoder in `mlx_lm.models`. Importing the package `mlx_lm` itself pulls in
transformers for its command-line tools: 3.2 s of CPU at every start of the engine, against 0.09 s
for the models alone. So the package is registered here without running its `__init__`; its
submodules are found as usual.
"""

import importlib.util
import sys

from gemma_tui.errors import EngineError

if "mlx_lm" not in sys.modules:
    _spec = importlib.util.find_spec("mlx_lm")
    if _spec is None:
        raise EngineError("The package mlx-lm is missing.", "Install gemma-tui again.")
    sys.modules["mlx_lm"] = importlib.util.module_from_spec(_spec)
