"""Random conversations with branches, every kind of part, and all that a message may hold."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import strategies as st

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Conversation,
    Draft,
    Message,
    MessageState,
    Part,
    TextPart,
    ThoughtPart,
    Usage,
)
from gemma_tui.storage.trees import Tree

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
COUNTS = st.integers(0, 2**40)
TIMES = st.floats(0, 1e11, allow_nan=False)
BUDGETS = st.sampled_from([70, 280, 1120])


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, Attachment]:
    """Bytes, and an attachment as `conftest.probe` sees them."""
    is_picture = draw(st.booleans())
    content = (b"picture" if is_picture else b"sound") + draw(st.binary(max_size=8))
    sha256 = hashlib.sha256(content).hexdigest()
    size = len(content)
    if is_picture:
        picture = Attachment(sha256, "image", draw(TEXTS), "image/png", size, size, 2, 0)
        return content, replace(picture, token_budget=draw(BUDGETS))
    return content, Attachment(sha256, "audio", draw(TEXTS), "audio/wav", size, 0, 0, 320 * size)


def parts(attachments: list[Attachment]) -> st.SearchStrategy[Part]:
    kinds: list[st.SearchStrategy[Part]] = [
        st.builds(TextPart, TEXTS),
        st.builds(ThoughtPart, TEXTS),
    ]
    if attachments:
        kinds.append(st.builds(AttachmentPart, st.sampled_from(attachments)))
    return st.one_of(kinds)


@st.composite
def messages(draw: st.DrawFn, number: int, attachments: list[Attachment]) -> Message:
    is_reply = draw(st.booleans())
    usage = st.builds(Usage, COUNTS, COUNTS, COUNTS, TIMES, TIMES, COUNTS)
    return Message(
        id=number,
        conversation_id=0,
        parent_id=draw(st.none() | st.integers(1, number - 1)) if number > 1 else None,
        role="model" if is_reply else "user",
        parts=tuple(draw(st.lists(parts(attachments), max_size=4))),
        state=draw(st.sampled_from([s for s in MessageState if s != MessageState.STREAMING])),
        created_at=draw(TIMES),
        model=draw(TEXTS),
        finish_reason=draw(st.sampled_from(["", "stop", "length", "cancelled", "error"])),
        usage=draw(st.none() | usage),
        error=draw(TEXTS),
        thinking=draw(st.booleans()),
        token_ids=tuple(draw(st.lists(st.integers(0, 2**32 - 1), max_size=3))),
    )


@st.composite
def trees(draw: st.DrawFn) -> tuple[Tree, dict[str, bytes]]:
    """A conversation, and the bytes of its attachments."""
    found = draw(st.lists(files(), max_size=3))
    attachments = [attachment for _, attachment in found]
    count = draw(st.integers(0, 6))
    tree = Tree(
        Conversation(
            id=0,
            title=draw(TEXTS),
            created_at=draw(TIMES),
            updated_at=draw(TIMES),
            system_prompt=draw(TEXTS),
            leaf_id=draw(st.none() | st.integers(1, count)) if count else None,
        ),
        tuple(draw(messages(number, attachments)) for number in range(1, count + 1)),
        Draft(draw(TEXTS), tuple(attachments[:1])),
    )
    return tree, {attachment.sha256: content for content, attachment in found}
