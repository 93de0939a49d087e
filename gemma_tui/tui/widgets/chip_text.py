"""What a chip says: name, size, shape and cost of an attachment, as far as there is room. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from gemma_tui.byte_size import format_size
from gemma_tui.documents import is_document, pages_in_words
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.preprocessing.media_cost import soft_token_count
from gemma_tui.preprocessing.picture_cost import picture_tokens
from gemma_tui.preprocessing.sound_cost import sound_length, sound_tokens_words
from gemma_tui.sanitize import sanitize_line
from gemma_tui.videos import video_in_words

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment


@dataclass(frozen=True, slots=True)
class ChipText:
    """A chip as text, its less important parts apart so that a narrow screen can drop them."""

    icon: str
    name: str
    size: str
    shape: str
    """Pixels of a picture, budget of a page or a frame; empty for sound."""
    cost: str
    note: str = ""
    """Why it costs that, where the program chose; what is sent: pages, frames, how much sound."""

    def fit(self, width: int) -> tuple[str, str]:
        """Icon and name, and the rest, together at most `width` cells (as far as that can be)."""
        details = [part for part in (self.size, self.shape, self.note, self.cost) if part]
        while True:
            tail = "".join(f" · {part}" for part in details)
            room = width - cell_len(tail) - cell_len(self.icon) - 1
            if room >= min(cell_len(self.name), 12) or not details:
                break
            details.pop(0)
        name = self.name
        if cell_len(name) > room:
            name = set_cell_size(name, max(0, room - 1)).rstrip() + "…" if room > 0 else ""
        return f"{self.icon} {name}", tail


def describe(attachment: Attachment, reason: str | None = None) -> ChipText:
    """What a chip says about an attachment; token counts are those the prompt will have.

    Args:
        attachment: The file.
        reason: Why it has its budget, if that was chosen by the program.
    """
    name = sanitize_line(attachment.name)
    size = format_size(attachment.size_bytes)
    if attachment.kind == "audio":
        cost = sound_tokens_words(attachment)
        return ChipText("♪", name, size, "", cost, sound_length(attachment))
    if attachment.kind == "text":
        which = sanitize_line(attachment.segments[0].label) if attachment.segments else ""
        return ChipText("≡", name, size, "", "Enter opens it", which)
    tokens = picture_tokens(attachment)
    note = f"auto: {reason}" if reason else "" if reason is None else "auto …"
    if is_document(attachment):
        each = " · ".join(filter(None, (f"{attachment.token_budget:,} a page at most", note)))
        pages = pages_in_words(attachment)
        return ChipText("▤", name, size, each, f"{tokens:,} tokens", pages)
    if is_video(attachment):
        each = f"{attachment.token_budget:,} a frame at most"
        cost = f"{soft_token_count(attachment):,} tokens"
        return ChipText("▶", name, size, each, cost, video_in_words(attachment))
    shape = f"{attachment.width}x{attachment.height}"
    cost = f"{tokens} of {attachment.token_budget} tokens"
    return ChipText("▣", name, size, shape, cost, note)
