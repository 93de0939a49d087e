"""What the reader does with a picture: let its budget be chosen, cut a part out, look closer.

The tray shows the outcome; what suits a picture and how it is cut, `Pictures` knows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gemma_tui.conversation import Draft
from gemma_tui.errors import UsageError
from gemma_tui.pictures import closer_look
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment, Message
    from gemma_tui.options import GenerationOptions
    from gemma_tui.region import Region
    from gemma_tui.tui.desk import Desk
    from gemma_tui.tui.desk_owner import DeskOwner
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel


class PictureActions:
    """Does what was asked of a picture.

    Args:
        chat: Knows pictures, and attaches parts of them.
        desk: Asks again.
        page: The conversation shown.
        panel: The chips.
        owner: Runs what may fail.
        options: How replies are to be made now.
    """

    def __init__(
        self,
        chat: Chat,
        desk: Desk,
        page: Page,
        panel: ComposerPanel,
        owner: DeskOwner,
        options: Callable[[], GenerationOptions],
    ) -> None:
        self._chat = chat
        self._desk = desk
        self._page = page
        self._panel = panel
        self._owner = owner
        self._options = options

    def choose_budget(self, picture: Attachment) -> None:
        """Give a picture of the draft the budget that suits it, and say why."""
        self._owner.perform(partial(self._choose_budget, picture))

    def cut(self, picture: Attachment, region: Region) -> None:
        """Put a part of a picture behind it, as a picture of its own."""
        self._owner.perform(partial(self.add_part, picture, region))

    async def add_part(self, picture: Attachment, region: Region) -> None:
        """As `cut`.

        Raises:
            GemmaError: It cannot be cut, or not attached.
        """
        number, tray = self._page.number, self._panel.tray
        label = f"{region.label} of {picture.name}"
        tray.pending += (label,)
        try:
            async with self._chat.pictures.part(picture, region) as path:
                part = await self._chat.attach(path, token_budget=picture.token_budget)
            if number == self._page.number:
                tray.add(part)
        finally:
            self._panel.no_longer_pending(label)

    def look_closer(self, message_id: int | None = None) -> None:
        """Ask a question again, the last one unless told, with more tokens for its pictures.

        Raises:
            UsageError: It has no picture, or none that could have more.
        """
        question = self._question(message_id)
        pictures = [a for a in question.attachments if a.kind == "image"] if question else []
        if question is None or not pictures:
            raise UsageError("There is no picture in this question to look closer at.")
        closer = closer_look(question.attachments)
        if closer == question.attachments:
            raise UsageError(
                f"Its pictures have the largest budget, {TOKEN_BUDGETS[-1]} tokens, already.",
                "Attach the part that matters: a digit on a chip, or /crop.",
            )
        self._panel.problem.tell("")
        self._desk.send(Draft(question.text, closer), self._options(), question)

    def _question(self, message_id: int | None) -> Message | None:
        message = self._page.message(message_id) if message_id else self._page.last_question
        if message is not None and message.role == "model" and message.parent_id is not None:
            return self._page.message(message.parent_id)
        return message

    async def _choose_budget(self, picture: Attachment) -> None:
        used = self._page.context_tokens
        chosen = await self._chat.pictures.auto_budget(picture, used)
        self._panel.tray.show_auto(picture.sha256, chosen.budget, chosen.reason)
