"""What an attached picture costs, and a document all of whose pages are pictures.

Integers only, like `budget`, so that the screen and the prompt say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.preprocessing.budget import image_tokens

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment


def picture_sizes(attachment: Attachment) -> tuple[tuple[int, int], ...]:
    """Width and height in pixels of each picture that is sent of an attachment."""
    whole = (attachment.width, attachment.height)
    if not attachment.segments:
        return (whole,) if attachment.kind == "image" else ()
    return tuple(
        (segment.width or whole[0], segment.height or whole[1])
        for segment in attachment.segments
        if segment.kind == "image"
    )


def picture_tokens(attachment: Attachment) -> int:
    """Soft tokens of all its pictures at its token budget."""
    budget = attachment.token_budget
    return sum(image_tokens(*size, budget) for size in picture_sizes(attachment))
