"""What a checkpoint's `generation_config.json` says about sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.errors import ModelError, UsageError
from gemma_tui.options import SamplingOptions
from gemma_tui.runtime.sampler import check_sampling

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.json_fields import Fields


def sampling_defaults(generation: Fields) -> SamplingOptions:
    """How the model wants to be sampled; what the file does not say is as for every Gemma 4.

    `do_sample: false` is transformers' way to ask for the likeliest token.

    Raises:
        ModelError: A value is of the wrong type or outside its range.
    """
    is_greedy = not generation.flag("do_sample", default=True)
    wanted = SamplingOptions(
        temperature=0.0 if is_greedy else generation.optional_number("temperature"),
        top_k=generation.optional_integer("top_k"),
        top_p=generation.optional_number("top_p"),
    ).filled()
    try:
        check_sampling(wanted)
    except UsageError as error:
        raise ModelError(
            f"generation_config.json cannot be used: {error.message}", "Download the model again."
        ) from error
    return wanted
