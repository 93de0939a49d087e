"""The shown branch of a conversation as Markdown, with its media as files in a folder beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.conversation import AttachmentPart, TextPart, ThoughtPart
from gemma_tui.exchange.branch import branch_of, day_of, ending_of, title_of, tool_text, writer_of
from gemma_tui.exchange.markdown_text import embedded, escaped, fenced, quoted
from gemma_tui.exchange.output import safe_name
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePath

    from gemma_tui.conversation import Attachment, Message
    from gemma_tui.storage.trees import Tree


def media_names(tree: Tree) -> dict[str, str]:
    """The sha256 of each attachment of the shown branch, and its safe and unique file name."""
    names: dict[str, str] = {}
    for message in branch_of(tree):
        for attachment in message.attachments:
            if attachment.sha256 not in names:
                number = len(names) + 1
                names[attachment.sha256] = f"{number:02d}-{safe_name(attachment.name, 'file')}"
    return names


def markdown(tree: Tree, media: Mapping[str, PurePath]) -> str:
    """The document.

    Args:
        tree: The conversation.
        media: Where the file of a sha256 is, seen from the document; what is missing is named only.
    """
    known = tree.conversation
    blocks = [f"# {escaped(title_of(tree))}"]
    if known.system_prompt.strip():
        blocks += [_details("System prompt", fenced(known.system_prompt))]
    for message in branch_of(tree):
        blocks += ["---", *_message(message, media)]
    return "\n\n".join(blocks) + "\n"


def _message(message: Message, media: Mapping[str, PurePath]) -> Iterator[str]:
    day = day_of(message.created_at)
    yield f"**{escaped(writer_of(message))}**" + (f" · {day}" if day else "")
    for part in message.parts:
        match part:
            case TextPart(text) | ThoughtPart(text) if not text.strip():
                pass
            case TextPart(text) if message.role == "user":
                yield quoted(text)
            case TextPart(text):
                yield embedded(text)
            case ThoughtPart(text):
                yield _details("Thought", fenced(text))
            case AttachmentPart(attachment):
                yield _attachment(attachment, media.get(attachment.sha256))
            case ToolCall() | MalformedToolCall() | ToolResult():
                heading, text = tool_text(part)
                yield _details(escaped(heading), fenced(text))
    if ending := ending_of(message):
        yield f"*({escaped(ending)})*"


def _attachment(attachment: Attachment, place: PurePath | None) -> str:
    name = escaped(attachment.name) or attachment.kind
    if place is None:
        return f"*{name} (its file is missing)*"
    # In angle brackets a path may hold spaces and brackets; `safe_name` left no others.
    # Pages and frames are pictures to the model only.
    sign = "!" if attachment.media_type.startswith("image/") else ""
    return f"{sign}[{name}](<{place.as_posix()}>)"


def _details(summary: str, block: str) -> str:
    return f"<details>\n<summary>{summary}</summary>\n\n{block}\n\n</details>"
