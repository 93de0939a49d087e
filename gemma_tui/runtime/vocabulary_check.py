"""Whether the network and the tokenizer of a folder belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.errors import ModelError
from gemma_tui.runtime.tokenizer import Control

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.config import Gemma4Config
    from gemma_tui.runtime.tokenizer import Tokenizer


def check_vocabulary(tokenizer: Tokenizer, config: Gemma4Config) -> None:
    """The network and the vocabulary must mean the same by an id.

    Raises:
        ModelError: They do not; an id beyond the embeddings would read memory that is not theirs.
    """
    tokens = config.tokens
    wanted = {Control.BOS: tokens.bos}
    if config.vision is not None:
        wanted |= {
            Control.IMAGE_START: tokens.boi,
            Control.IMAGE: tokens.image,
            Control.IMAGE_END: tokens.eoi,
        }
    if config.audio is not None:
        wanted |= {
            Control.AUDIO_START: tokens.boa,
            Control.AUDIO: tokens.audio,
            Control.AUDIO_END: tokens.eoa,
        }
    other = [name.value for name, place in wanted.items() if tokenizer.id_of(name) != place]
    if other or tokenizer.size > config.text.vocab_size:
        what = f"on {other[0]}" if other else "on the number of tokens"
        raise ModelError(
            f"config.json and tokenizer.json disagree {what}: they belong to different models.",
            "Download the model again.",
        )
