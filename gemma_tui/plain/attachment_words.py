"""What an attachment is, in words for somebody who listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.documents import is_document, pages_in_words
from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.preprocessing.media_cost import soft_token_count
from gemma_tui.preprocessing.picture_cost import picture_tokens
from gemma_tui.preprocessing.sound_cost import sound_tokens
from gemma_tui.videos import video_in_words

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment


def describe(item: Attachment) -> str:
    """What an attachment is, and what it costs, in words."""
    name = f"“{item.name}”"
    match item.kind:
        case "image":
            tokens = picture_tokens(item)
            if is_document(item):
                pages = pages_in_words(item)
                each = f"at most {item.token_budget:,} a page"
                return f"the document {name}, {pages}, {tokens:,} tokens, {each}"
            if is_video(item):
                total, each = soft_token_count(item), f"at most {item.token_budget:,} a frame"
                return f"the video {name}, {video_in_words(item)}, {total:,} tokens, {each}"
            size = f"{item.width} by {item.height} pixels"
            return f"the picture {name}, {size}, {tokens} of {item.token_budget} tokens"
        case "audio":
            seconds = item.sample_count / SAMPLE_RATE
            clips = f" in {len(item.segments)} clips" if item.segments else ""
            return f"the sound {name}, {seconds:.1f} seconds{clips}, {sound_tokens(item):,} tokens"
        case "text":
            which = f", {item.segments[0].label}" if item.segments else ""
            return f"the text {name}, {item.size_bytes:,} bytes{which}"
