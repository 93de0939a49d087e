"""Files on their way into a message of plain mode: folders opened, passwords asked, costs told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from gemma_tui.documents import estimated_tokens, left_out_note
from gemma_tui.errors import AttachmentError, GemmaError
from gemma_tui.frontend.folders import Folders, described_offer, offer_budget, offer_words
from gemma_tui.plain.attachment_words import describe
from gemma_tui.plain.document_password import DocumentPassword
from gemma_tui.plain.hidden_line import hidden_line
from gemma_tui.preprocessing.budget import DEFAULT_TOKEN_BUDGET
from gemma_tui.refitting import Refitting
from gemma_tui.videos import parse_rate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment
    from gemma_tui.frontend.folders import FolderOffer
    from gemma_tui.plain.console import Console
    from gemma_tui.settings.schema import Settings

_ADVICE: Final = "/range chooses others, /budget the tokens of a page."


class PlainAttaching:
    """Attaches files.

    Args:
        chat: Copies them and finds out what they are.
        console: Where questions are asked and costs are told.
    """

    def __init__(self, chat: Chat, console: Console) -> None:
        self._chat = chat
        self._console = console
        self._refitting = Refitting(chat)
        self._folders = Folders(self._agrees)
        self._budget = DEFAULT_TOKEN_BUDGET
        ask = hidden_line if console.edits else None
        self._ask_password = DocumentPassword(os.environ, ask)

    async def attach(
        self,
        paths: Sequence[Path],
        settings: Settings,
        held: Sequence[Attachment],
        used_tokens: int,
    ) -> AsyncIterator[Attachment]:
        """Attach files one after the other, in their order.

        Args:
            paths: Files, and folders, whose pictures are meant.
            settings: What new attachments cost.
            held: What is attached already.
            used_tokens: Of the context, by the conversation.

        Raises:
            GemmaError: What could not be attached, and why, at the end; the others are.
        """
        self._budget = offer_budget(settings.token_budget, self._chat.default_token_budget)
        files, refused = await self._folders.opened(paths)
        failures: list[GemmaError] = [*refused]
        known = list(held)
        for path in files:
            try:
                used = used_tokens + estimated_tokens(known)
                item = await self._attach(path, settings, used)
            except GemmaError as error:
                failures.append(error)
                continue
            known.append(item)
            yield item
        if len(failures) > 1:
            raise AttachmentError("\n".join(str(failure) for failure in failures))
        if failures:
            raise failures[0]

    async def fitted(self, items: Sequence[Attachment], used_tokens: int) -> tuple[Attachment, ...]:
        """Attachments as the model wants them, once it is loaded; what changes is told.

        Args:
            items: What goes with a message.
            used_tokens: Of the context, by the conversation.

        Raises:
            GemmaError: A document cannot be read any more.
        """
        found: list[Attachment] = []
        await self._chat.model_settled()
        for item in items:
            used = used_tokens + estimated_tokens(found)
            fitted = await self._refitting.fitted(item, used)
            found.append(fitted)
            if note := self._refitting.note(item, fitted, _ADVICE):
                self._console.note(note)
        return tuple(found)

    async def _attach(self, path: Path, settings: Settings, used: int) -> Attachment:
        budget, rate = settings.token_budget, parse_rate(settings.frame_rate)
        item = await self._chat.attach(
            path, token_budget=budget, used_tokens=used, ask_password=self._ask_password
        )
        item = self._chat.documents.first_frames(item, rate, used)
        self._refitting.attached(item, budget, settings.frame_rate)
        self._console.say(f"Attached {describe(item)}.")
        note = left_out_note(item, _ADVICE) or self._chat.documents.video_note(item, rate)
        if note:
            self._console.note(note)
        return item

    async def _agrees(self, offer: FolderOffer) -> bool:
        if not self._console.edits:  # a script named the folder, and nobody is there to ask
            self._console.note(f"Attaching {described_offer(offer, self._budget)}")
            return True
        self._console.say(offer_words(offer, self._budget))
        answer = await self._console.line("Y and Enter is yes, Enter alone is no: ")
        return (answer or "").strip().casefold() in {"y", "yes"}
