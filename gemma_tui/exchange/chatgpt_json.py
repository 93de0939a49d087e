"""Reads the `conversations.json` of a ChatGPT export, one conversation at a time.

A conversation that is not what it should be is left out and told; a file that is broken is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.errors import DamagedExportError
from gemma_tui.exchange import fields
from gemma_tui.exchange.chatgpt import media_keys, to_tree
from gemma_tui.exchange.fields import FieldError
from gemma_tui.exchange.found import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gemma_tui.exchange.found import Found, MediaFile
    from gemma_tui.exchange.json_stream import JsonStream
    from gemma_tui.tool_call import JsonValue


def read_chatgpt_json(
    stream: JsonStream,
    name: str,
    media: Callable[[str], MediaFile | None] = lambda _: None,
    *,
    is_whole: bool = True,
) -> Iterator[Found]:
    """The conversations of an array.

    Args:
        stream: Before the array.
        name: What the file is called in sentences.
        media: Brings the bytes that a message refers to, if they are there.
        is_whole: Whether the array is all there is in the file.

    Yields:
        The media of each conversation, then the conversation.

    Raises:
        DamagedExportError: It is no array of conversations.
        ExportLimitError: A conversation is too large.
    """
    count = 0
    known: dict[str, bool] = {}
    for number, _ in enumerate(stream.elements(), start=1):
        value = stream.value()
        try:
            item = fields.as_object(value, "it")
            for key in media_keys(item):
                if key not in known:
                    found = media(key)
                    known[key] = found is not None
                    if found:
                        yield found
            yield to_tree(item, {key for key, is_there in known.items() if is_there})
            count += 1
        except FieldError as error:
            yield Skipped(f"Conversation {number}{_title(value)} was left out: {error}.")
    if is_whole:
        stream.finish()
    if not count:
        raise DamagedExportError(
            f"“{name}” was not imported: there is no conversation in it that can be read.",
            "Choose the conversations.json of a ChatGPT export.",
        )


def _title(value: JsonValue) -> str:
    title = value.get("title") if isinstance(value, dict) else None
    return f" (“{title[:60]}”)" if isinstance(title, str) and title.strip() else ""
