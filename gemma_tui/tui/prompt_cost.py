"""What it would cost to send the draft: counted by the engine a moment after the last key.

The seconds are what this machine needed for the last replies of the same model, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.errors import GemmaError
from gemma_tui.preprocessing.sound_cost import is_unsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Draft
    from gemma_tui.generation import PromptSize
    from gemma_tui.options import GenerationOptions
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.perform import Perform
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

    SetTimer: TypeAlias = Callable[[float, Callable[[], None]], Timer]

DELAY_SECONDS: Final = 0.4
"""After the last key: most people type a key within that, so a word is not counted letter by
letter."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What would be sent, and where."""

    conversation_id: int | None
    draft: Draft
    parent_id: int | None
    options: GenerationOptions
    model: str
    known_tokens: int
    """Tokens of the prompt that the engine has read already, as far as it is known here."""


def cost_sentence(size: PromptSize, seconds: float, width: int) -> str:
    """The cost in one line, as much of it as `width` cells hold.

    Args:
        size: What was counted.
        seconds: Until the first token; 0 if that was never measured.
        width: Cells.
    """
    share = 100 * size.tokens / max(1, size.context_length)
    about = "about " if size.is_estimate else ""
    parts = [f"{about}{size.tokens:,} tokens", f"{share:.0f} % of context"]
    if seconds:
        wait = f"~{seconds:.0f} s" if seconds >= 1 else "under 1 s"
        parts.append(f"first token in {wait}")
    while len(parts) > 1 and len(" · ".join(parts)) > width:
        parts.pop()
    return " · ".join(parts)


def excess_sentence(size: PromptSize, *, drops_oldest: bool, has_long_sound: bool = False) -> str:
    """What to do about a prompt that does not fit; empty if it does.

    Args:
        size: What was counted.
        drops_oldest: Whether turns are left out where they do not fit.
        has_long_sound: Whether a sound of the draft is longer than a clip.
    """
    if not size.excess:
        return ""
    if has_long_sound:
        return (
            f"About {size.excess:,} tokens too many for the context of {size.context_length:,}."
            " On the chip of the sound T turns it into text, R takes a part of it."
        )
    if drops_oldest:
        return f"{size.excess:,} tokens too many: the oldest turns will be left out."
    return (
        f"{size.excess:,} tokens too many for the context of {size.context_length:,}."
        " Shorten it, lower a token budget, begin a new conversation, or let F8 leave out turns."
    )


class PromptCost:
    """Shows in the panel what sending would cost.

    Args:
        chat: Counts.
        store: Knows how fast prompts were read.
        panel: Shows it.
        perform: Runs a coroutine function as a worker.
        set_timer: Calls a function after some seconds.
    """

    def __init__(
        self,
        chat: Chat,
        store: ConversationStore,
        panel: ComposerPanel,
        *,
        perform: Perform,
        set_timer: SetTimer,
    ) -> None:
        self._chat = chat
        self._store = store
        self._panel = panel
        self._perform = perform
        self._set_timer = set_timer
        self._asked: Asked | None = None
        self._timer: Timer | None = None

    def update(self, asked: Asked | None) -> None:
        """Something may have changed.

        Args:
            asked: What would be sent; None if nothing can be.
        """
        if asked == self._asked:
            return
        self._asked = asked
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if asked is None:
            self._show("", "")
        else:
            self._timer = self._set_timer(DELAY_SECONDS, partial(self._begin, asked))

    def _begin(self, asked: Asked) -> None:
        self._timer = None
        self._perform(partial(self._count, asked))

    async def _count(self, asked: Asked) -> None:
        try:
            size = await self._chat.count(
                asked.conversation_id,
                asked.draft,
                parent_id=asked.parent_id,
                options=asked.options,
            )
            speed = await self._store.prefill_speed(asked.model)
        except GemmaError:
            # Sending says what is wrong; nobody asked for this number.
            size, speed = None, 0.0
        if asked != self._asked:
            return
        if size is None:
            self._show("", "")
            return
        new_tokens = max(1, size.tokens - asked.known_tokens)
        seconds = new_tokens / speed if speed and not size.excess else 0.0
        drops_oldest = asked.options.overflow == "drop_oldest"
        self._show(
            cost_sentence(size, seconds, self._panel.size.width - 6),
            excess_sentence(
                size,
                drops_oldest=drops_oldest,
                has_long_sound=any(map(is_unsplit, asked.draft.attachments)),
            ),
        )

    def _show(self, cost: str, warning: str) -> None:
        self._panel.show_cost(cost)
        self._panel.note.warn(warning)
