"""A conversation of a ChatGPT export as one of ours.

The format is nowhere described by its maker; what is read here is what exports of 2023 to 2026
hold. `mapping` is a tree of nodes. What ChatGPT does in one turn (thinking, calling a tool, its
output, the answer) is a chain of nodes there and one message here: the answer is its text, the
rest its thought.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gemma_tui.conversation import (
    Conversation,
    Draft,
    Message,
    MessageState,
    title_from,
)
from gemma_tui.exchange import fields
from gemma_tui.exchange.chatgpt_parts import Said, said, with_more
from gemma_tui.exchange.chatgpt_parts import pointers as pointers_of
from gemma_tui.exchange.fields import FieldError
from gemma_tui.storage.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from gemma_tui.conversation import Part, Role
    from gemma_tui.tool_call import JsonObject


def media_keys(item: JsonObject) -> Iterator[str]:
    """What the messages of a conversation refer to, each once or more often.

    Raises:
        FieldError: It has no mapping.
    """
    for node in fields.as_object(item.get("mapping"), "its mapping").values():
        message = node.get("message") if isinstance(node, dict) else None
        if isinstance(message, dict):
            yield from pointers_of(message)


def to_tree(item: JsonObject, media: Set[str]) -> Tree:
    """The conversation.

    Args:
        item: An element of `conversations.json`.
        media: The keys whose bytes are there; other attachments become a line of text.

    Raises:
        FieldError: It has no messages, or they are no tree.
    """
    walk = _Walk(fields.as_object(item.get("mapping"), "its mapping"), media, _time(item))
    walk.visit_all()
    if not walk.messages:
        raise FieldError("it has no messages")
    messages = tuple(pending.to_message(n) for n, pending in enumerate(walk.messages, start=1))
    current = item.get("current_node")
    leaf = walk.places.get(current) if isinstance(current, str) else None
    title = item.get("title")
    conversation = Conversation(
        id=0,
        title=title if isinstance(title, str) and title.strip() else _title(messages),
        created_at=_time(item),
        updated_at=_time(item, "update_time") or _time(item),
        title_origin="user" if isinstance(title, str) and title.strip() else "question",
        is_pinned=bool(item.get("pinned_time") or item.get("is_starred")),
        is_archived=item.get("is_archived") is True,
        leaf_id=(leaf if leaf is not None else len(messages) - 1) + 1,
    )
    return Tree(conversation, messages, Draft())


@dataclass(slots=True)
class _Pending:
    """A message that more nodes may be added to."""

    role: Role
    parent: int | None
    """Index of the message it follows."""
    created_at: float
    parts: tuple[Part, ...] = ()
    model: str = ""
    is_cut_off: bool = False

    def add(self, more: Said) -> None:
        self.parts = with_more(self.parts, more.parts)
        self.model = more.model or self.model
        self.is_cut_off = more.is_cut_off

    def to_message(self, number: int) -> Message:
        is_reply = self.role == "model"
        return Message(
            id=number,
            conversation_id=0,
            parent_id=None if self.parent is None else self.parent + 1,
            role=self.role,
            parts=self.parts,
            state=MessageState.COMPLETE,
            created_at=self.created_at,
            model=self.model if is_reply else "",
            finish_reason=("length" if self.is_cut_off else "stop") if is_reply else "",
        )


@dataclass(slots=True)
class _Walk:
    """The way through a mapping, from its roots down; without recursion, as chains are long."""

    mapping: JsonObject
    media: Set[str]
    time: float
    messages: list[_Pending] = field(default_factory=list)
    places: dict[str, int | None] = field(default_factory=dict)
    """By node: the message that says it, or the last one above it."""

    def visit_all(self) -> None:
        children = self._children()
        waiting: list[tuple[str, int | None, bool]] = [
            (key, None, False) for key in reversed(children.pop("", []))
        ]
        while waiting:
            key, above, is_only_child = waiting.pop()
            place, goes_on = self._visit(key, above, is_only_child=is_only_child)
            below = children.get(key, [])
            goes_on = goes_on and len(below) == 1
            waiting.extend((child, place, goes_on) for child in reversed(below))
        if self.mapping and not self.places:
            raise FieldError("its messages go round in a circle")

    def _children(self) -> dict[str, list[str]]:
        """The nodes below each node, those without one above below the empty name."""
        found: dict[str, list[str]] = {}
        for key, node in self.mapping.items():
            parent = fields.as_object(node, "a node").get("parent")
            above = parent if isinstance(parent, str) and parent in self.mapping else ""
            found.setdefault(above, []).append(key)
        for key, below in found.items():
            node = self.mapping.get(key)
            order = node.get("children") if isinstance(node, dict) else None
            if isinstance(order, list):
                ranks = {child: n for n, child in enumerate(order) if isinstance(child, str)}
                below.sort(key=lambda child: ranks.get(child, len(ranks)))
        return found

    def _visit(
        self, key: str, above: int | None, *, is_only_child: bool
    ) -> tuple[int | None, bool]:
        """Take what a node says; returns where it is said and whether that may go on below."""
        node = self.mapping[key]
        message = node.get("message") if isinstance(node, dict) else None
        found = said(message, self.media) if isinstance(message, dict) else None
        self.places[key] = above
        if found is None or not isinstance(message, dict):
            return above, is_only_child
        last = self.messages[above] if above is not None else None
        if not (last and is_only_child and found.role == "model" == last.role):
            created_at = _time(message) or self.time
            self.messages.append(_Pending(found.role, above, created_at))
            above = len(self.messages) - 1
        self.messages[above or 0].add(found)
        self.places[key] = above
        return above, True


def _time(item: JsonObject, name: str = "create_time") -> float:
    try:
        return fields.number(item, name)
    except FieldError:  # older exports hold null
        return 0.0


def _title(messages: tuple[Message, ...]) -> str:
    return title_from(Draft(next((m.text for m in messages if m.role == "user"), "")))
