"""What an attachment costs: the soft tokens of everything that is sent of it.

Integers only, like `budget`, so that the screen and the prompt say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.preprocessing.budget import audio_tokens, image_tokens

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment


def soft_token_count(attachment: Attachment) -> int:
    """Soft tokens of a picture, of a sound, or of all segments of a file; 0 for a text.

    A picture whose size or budget is not known (an import may lack them) counts 0.
    """
    if attachment.segments:
        return sum(
            _picture_tokens(
                part.width or attachment.width,
                part.height or attachment.height,
                attachment.token_budget,
            )
            if part.kind == "image"
            else audio_tokens(part.length)
            if part.kind == "audio"
            else 0
            for part in attachment.segments
        )
    if attachment.kind == "audio":
        return audio_tokens(attachment.sample_count)
    if attachment.kind == "image":
        return _picture_tokens(attachment.width, attachment.height, attachment.token_budget)
    return 0


def _picture_tokens(width: int, height: int, budget: int) -> int:
    return image_tokens(width, height, budget) if width and height and budget else 0
