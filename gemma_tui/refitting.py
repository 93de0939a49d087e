"""Attachments that nobody chose a budget or parts for, fitted to whichever model answers.

How many pages, lines or frames are sent, and what a picture may cost, follows from the model; what
the user chose stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.documents import is_divisible, left_out_note
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.videos import parse_rate

if TYPE_CHECKING:
    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment
    from gemma_tui.preprocessing.budget import TokenBudget


class Refitting:
    """Knows what was attached as the program chose.

    Args:
        chat: Knows what fits.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._unchosen: dict[str, tuple[Attachment, TokenBudget | None, str]] = {}
        """As attached, the budget that was set for new ones, and the frame rate; by sha256."""

    def attached(self, item: Attachment, token_budget: TokenBudget | None, frame_rate: str) -> None:
        """Remember how the program attached something.

        Args:
            item: As it is in the draft.
            token_budget: What the settings say of new pictures.
            frame_rate: What they say of new videos.
        """
        self._unchosen[item.sha256] = item, token_budget, frame_rate

    def is_unchosen(self, item: Attachment) -> bool:
        """Whether an attachment is as the program attached it, and may change with the model."""
        known = self._unchosen.get(item.sha256)
        if known is None or known[0] != item:
            return False
        is_picture = item.kind == "image" and known[1] is None
        return is_picture or is_divisible(item) or is_video(item)

    async def fitted(self, item: Attachment, used_tokens: int) -> Attachment:
        """An attachment as the loaded model wants it; what the user chose stays as it is.

        Args:
            item: Of the draft.
            used_tokens: Of the context, by what stands before it.

        Raises:
            AttachmentError: A document cannot be read any more.
            EngineError: Nobody could look into it.
            StorageError: The stored copy of a text is gone.
        """
        default = self._chat.default_token_budget
        if default is None or not self.is_unchosen(item):
            return item
        _, budget, rate = self._unchosen[item.sha256]
        if is_video(item):
            fitted = self._chat.documents.first_frames(item, parse_rate(rate), used_tokens)
        elif is_divisible(item):
            fitted = await self._chat.documents.fit(item, budget, used_tokens)
        else:
            return self.with_default_budget(item)
        self.attached(fitted, budget, rate)
        return fitted

    def with_default_budget(self, item: Attachment) -> Attachment:
        """A picture at the default budget of the loaded model; anything else stays as it is."""
        default = self._chat.default_token_budget
        has_parts = is_divisible(item) or is_video(item)
        if default is None or has_parts or not self.is_unchosen(item):
            return item
        fitted = replace(item, token_budget=default)
        self.attached(fitted, *self._unchosen[item.sha256][1:])
        return fitted

    def note(self, before: Attachment, after: Attachment, advice: str) -> str:
        """What to say of a file of which another part is sent than before; empty if none is.

        Args:
            before: As it was.
            after: As it is now.
            advice: How other parts are chosen.
        """
        if before.segments == after.segments:
            return ""
        if not is_video(after):
            return left_out_note(after, advice)
        rate = self._unchosen[after.sha256][2]
        return self._chat.documents.video_note(after, parse_rate(rate))
