"""What an attachment costs: the soft tokens of everything that is sent of it.

Integers only, like `budget`, so that the screen and the prompt say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.preprocessing.picture_cost import picture_sizes, picture_tokens
from gemma_tui.preprocessing.sound_cost import sound_tokens

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment


def soft_token_count(attachment: Attachment) -> int:
    """Soft tokens of a picture, of a sound, or of all segments of a file; 0 for a text.

    A picture whose size or budget is not known (an import may lack them) counts 0.
    """
    is_known = attachment.token_budget and all(map(all, picture_sizes(attachment)))
    return (picture_tokens(attachment) if is_known else 0) + sound_tokens(attachment)
