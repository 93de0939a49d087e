"""What `ask` writes: the answer on stdout, everything else on stderr.

Knows streams, not engines. On a terminal nothing in an answer can act; a pipe gets it unchanged.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gemma_tui.answer_stream import write_answer
from gemma_tui.documents import is_document
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.preprocessing.media_cost import soft_token_count
from gemma_tui.preprocessing.sound_cost import sound_tokens
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.videos import clips_of, frames_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from gemma_tui.conversation import Attachment, Message

_CLEAR_LINE = "\r\x1b[K"


class Answer:
    """Streams the answer to a text stream, and closes its last line.

    Args:
        stream: Where it goes.
        progress: Is cleared before the first piece of text.

    Raises:
        BrokenPipeError: By `write` and `end`: nobody reads any more.
        GemmaError: By `write` and `end`: the stream takes no more, as a file on a full disk.
    """

    def __init__(self, stream: TextIO, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress
        self._is_terminal = stream.isatty()
        self._line_is_open = False

    def write(self, text: str) -> None:
        """Show more of the answer at once."""
        if text:
            self._progress.clear()
            write_answer(self._stream, sanitize(text) if self._is_terminal else text)
            self._line_is_open = not text.endswith("\n")

    def end(self) -> None:
        """Close the last line."""
        self._progress.clear()
        if self._line_is_open:
            write_answer(self._stream, "\n")
            self._line_is_open = False


class Progress:
    """One line that says what is going on, silent where nobody watches; and what must be known.

    Args:
        stream: The standard error; the line is shown only if it is a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_watched = stream.isatty()
        self._is_shown = False

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._is_watched:
            self._stream.write(f"{_CLEAR_LINE}{sanitize_line(text)} …")
            self._stream.flush()
            self._is_shown = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Leave the line to something else, such as a question."""
        self.clear()
        was_watched, self._is_watched = self._is_watched, False
        try:
            yield
        finally:
            self._is_watched = was_watched

    def tell(self, sentence: str) -> None:
        """Say something that must not be missed, on a line of its own, watched or not."""
        self.clear()
        self._stream.write(f"gemma-tui: {sanitize_line(sentence)}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Remove the line."""
        if self._is_shown:
            self._stream.write(_CLEAR_LINE)
            self._stream.flush()
            self._is_shown = False


def to_json(question: Message, reply: Message, *, saved: bool) -> str:
    """One JSON object on one line: the reply, what it cost, and what was attached.

    Args:
        question: As it was stored.
        reply: As it was stored.
        saved: Whether the conversation's id will mean anything later.
    """
    usage = reply.usage
    value = {
        "text": reply.text,
        "thought": reply.thought,
        "model": reply.model,
        "finish_reason": reply.finish_reason,
        "usage": None
        if usage is None
        else {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "generated_tokens": usage.generated_tokens,
            "prefill_seconds": round(usage.prefill_seconds, 4),
            "decode_seconds": round(usage.decode_seconds, 4),
            "tokens_per_second": round(usage.tokens_per_second, 2),
            "peak_memory_bytes": usage.peak_memory_bytes,
        },
        "attachments": [_attachment_value(item) for item in question.attachments],
        "conversation_id": reply.conversation_id if saved else None,
    }
    return json.dumps(value, ensure_ascii=False)


def _attachment_value(item: Attachment) -> dict[str, object]:
    common = {
        "name": item.name,
        "kind": item.kind,
        "media_type": item.media_type,
        "size_bytes": item.size_bytes,
    }
    if item.kind == "audio":
        return {
            **common,
            "sample_count": item.sample_count,
            "clips": len(item.segments) or 1,
            "soft_tokens": sound_tokens(item),
        }
    if item.kind == "text":
        return common
    return {
        **common,
        "width": item.width,
        "height": item.height,
        "token_budget": item.token_budget,
        **({"pages": [page.start + 1 for page in item.segments]} if is_document(item) else {}),
        **_video_value(item),
        "soft_tokens": soft_token_count(item),
    }


def _video_value(item: Attachment) -> dict[str, object]:
    if not is_video(item):
        return {}
    times = [round(frame.start / 1000, 3) for frame in frames_of(item)]
    return {"frames": times, "clips": len(clips_of(item)), "sample_count": item.sample_count}
