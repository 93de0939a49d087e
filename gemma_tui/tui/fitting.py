"""Keeps the draft fitted to the model: under another one, what nobody chose is fitted anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from gemma_tui.documents import LEFT_OUT_ADVICE, estimated_tokens, is_divisible
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.refitting import Refitting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.worker import Worker

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment
    from gemma_tui.generation import ModelInfo
    from gemma_tui.preprocessing.budget import TokenBudget
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

NOTE_SECONDS: Final = 15
"""How long it is said that not all of a file is attached; its chip says it too."""


class DraftFitting:
    """Fits what is attached to the draft.

    Args:
        chat: Knows what fits.
        page: Which conversation is shown, and what it takes of the context.
        panel: The chips.
        perform: Runs a coroutine function; shows the `GemmaError` it may raise.
    """

    def __init__(
        self,
        chat: Chat,
        page: Page,
        panel: ComposerPanel,
        perform: Callable[[Callable[[], Awaitable[None]]], Worker[None]],
    ) -> None:
        self._refitting = Refitting(chat)
        self._page = page
        self._panel = panel
        self._perform = perform
        self._model: ModelInfo | None = None

    def attached(self, item: Attachment, token_budget: TokenBudget | None, frame_rate: str) -> None:
        """As `Refitting.attached`."""
        self._refitting.attached(item, token_budget, frame_rate)

    def model_changed(self, model: ModelInfo | None) -> None:
        """A model may be loaded now, or another one; an Enter waits until the draft fits it.

        The same one after none counts as another: what was attached meanwhile fits no context.
        """
        is_other, self._model = model != self._model, model
        if model is None or not is_other:
            return
        items = tuple(filter(self._refitting.is_unchosen, self._panel.tray.attachments))
        for item in items:
            self._put(item, self._refitting.with_default_budget(item))
        items = tuple(item for item in items if is_divisible(item) or is_video(item))
        if items:
            labels = tuple(item.name for item in items)
            self._panel.tray.pending += labels
            self._perform(partial(self._fit, items, labels))

    async def _fit(self, items: tuple[Attachment, ...], labels: tuple[str, ...]) -> None:
        number, tray = self._page.number, self._panel.tray
        try:
            for item in items:
                if number == self._page.number and item in tray.attachments:
                    self._put(item, await self._refitting.fitted(item, self._used_before(item)))
        finally:
            for label in labels:
                self._panel.no_longer_pending(label)

    def _put(self, item: Attachment, fitted: Attachment) -> None:
        note = self._refitting.note(item, fitted, LEFT_OUT_ADVICE)
        if fitted != item and self._panel.tray.put_in_place(item, fitted) and note:
            self._panel.notify(note, timeout=NOTE_SECONDS, markup=False)

    def _used_before(self, item: Attachment) -> int:
        """Tokens of the context that stand before an attachment."""
        held = self._panel.tray.attachments
        return self._page.context_tokens + estimated_tokens(held[: held.index(item)])
