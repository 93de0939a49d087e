"""A reply as later prompts repeat it, read while the user reads the reply.

Prompts repeat a reply without its thought, stripped, and with its turn closed: other tokens than
were drawn. What is not in the caches yet is read once the reply is finished, in steps short enough
for the next question not to wait. Runs on the MLX thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import TextPart
from gemma_tui.generation import PromptMessage
from gemma_tui.runtime.generate import prefill

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.generation import GenerationRequest
    from gemma_tui.runtime.gemma4.model import Gemma4
    from gemma_tui.runtime.prompt import Prompt
    from gemma_tui.runtime.prompt_cache import PromptCache
    from gemma_tui.runtime.snapshot import Snapshot

STEP_TOKENS: Final = 64
"""Tokens read between two looks at whether someone waits: a tenth of a second for a large model."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The end of a reply's turn, to be remembered."""

    model: Gemma4
    prompt_cache: PromptCache
    prompt: Prompt
    """Of the next turn; what follows the last closed turn is not read."""
    superseded: Snapshot | None
    """Of no use any more once this is done."""

    def read(self, is_interrupted: Callable[[], bool]) -> bool:
        """Read what is new of the turn, and keep the state at its end; False if interrupted.

        When it is interrupted, what has been read so far is kept. Does nothing when media would
        have to be encoded again.
        """
        end = self.prompt.turn_ends[-1]
        cache, known = self.prompt_cache.take_up(self.prompt)
        if known >= end or any(span.start >= known for span in self.prompt.spans):
            return True
        done = known
        while done < end and not is_interrupted():
            stop, ids = min(done + STEP_TOKENS, end), self.prompt.ids
            *_, done = prefill(self.model, ids, start=done, stop=stop, cache=cache, soft=None)
        if done == end:
            self.prompt_cache.keep(self.prompt, end, cache)
            if self.superseded is not None:
                self.prompt_cache.drop(self.superseded)
        elif done > known:
            self.prompt_cache.keep(self.prompt, done, cache, durably=False)
        return done == end


def with_reply(request: GenerationRequest, text: str) -> GenerationRequest:
    """The conversation with a reply appended to it."""
    reply = PromptMessage("model", (TextPart(text),))
    return replace(request, messages=(*request.messages, reply))
