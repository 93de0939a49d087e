"""Random conversations with branches, every kind of part, and all that a message may hold."""

from __future__ import annotations

import hashlib
import json
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
    Segment,
    TextPart,
    ThoughtPart,
    Usage,
    normalize_tags,
)
from gemma_tui.storage.trees import Tree
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
COUNTS = st.integers(0, 2**40)
TIMES = st.floats(0, 1e11, allow_nan=False)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | st.text(),  # also lone surrogates: a model may write them
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=4,
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "model": st.text(max_size=30),
        "system_prompt": st.text(max_size=30),
        "thinking": st.booleans(),
        "max_thought_tokens": st.none() | st.integers(1, 1_000_000),
        "overflow": st.sampled_from(["refuse", "drop_oldest"]),
        "temperature": st.none() | st.floats(0, 10),
        "seed": st.none() | st.integers(0, 2**63 - 1),
        "token_budget": st.none() | st.sampled_from([70, 140, 280, 560, 1120]),
    },
).map(json.dumps)
BUDGETS = st.sampled_from([70, 280, 1120])


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, Attachment]:
    """Bytes, and an attachment as `conftest.probe` sees them."""
    kind = draw(st.sampled_from(["picture", "sound", "text"]))
    if kind == "text":
        words = "text" + draw(TEXTS).replace("\0", "")
        content = words.encode()
    else:
        content = kind.encode() + draw(st.binary(max_size=8))
    sha256 = hashlib.sha256(content).hexdigest()
    size = len(content)
    if kind == "text":
        chosen = draw(st.lists(st.tuples(st.integers(0, size), st.integers(0, size)), max_size=2))
        lines = (Segment("text", start, length, label=draw(TEXTS)) for start, length in chosen)
        text = Attachment(sha256, "text", draw(TEXTS), "text/markdown", size)
        return content, replace(text, segments=tuple(lines))
    if kind == "picture":
        picture = Attachment(sha256, "image", draw(TEXTS), "image/png", size, size, 2, 0)
        return content, replace(picture, token_budget=draw(BUDGETS))
    sound = Attachment(sha256, "audio", draw(TEXTS), "audio/wav", size, 0, 0, 320 * size)
    starts = draw(st.lists(st.integers(0, size - 1), max_size=3))
    clips = (Segment("audio", 320 * start, 320, label=draw(TEXTS)) for start in starts)
    return content, replace(sound, segments=tuple(clips))


def parts(attachments: list[Attachment]) -> st.SearchStrategy[Part]:
    kinds: list[st.SearchStrategy[Part]] = [
        st.builds(TextPart, TEXTS),
        st.builds(ThoughtPart, TEXTS),
        st.builds(ToolCall, st.text(), st.dictionaries(st.text(), VALUES, max_size=3)),
        st.builds(MalformedToolCall, st.text(), st.text()),
        st.builds(ToolResult, st.text(), VALUES),
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
            title_origin=draw(st.sampled_from(["question", "model", "user"])),
            is_pinned=draw(st.booleans()),
            is_archived=draw(st.booleans()),
            tags=normalize_tags(draw(st.lists(TEXTS, max_size=3))),
            settings=draw(st.just("") | SETTINGS),
            leaf_id=draw(st.none() | st.integers(1, count)) if count else None,
        ),
        tuple(draw(messages(number, attachments)) for number in range(1, count + 1)),
        Draft(draw(TEXTS), tuple(attachments[:1])),
    )
    return tree, {attachment.sha256: content for content, attachment in found}
