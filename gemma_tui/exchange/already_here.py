"""Which conversations of a file are here already, so that importing it again copies nothing."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from gemma_tui.exchange.json_format import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gemma_tui.storage.trees import Tree, TreeStore
    from gemma_tui.tool_call import JsonValue


class AlreadyHere:
    """Knows the conversations as they were before an import.

    Args:
        trees: The conversations.
        ids: The ids of those that are in the list, by the times they were created at.
    """

    def __init__(self, trees: TreeStore, ids: Mapping[float, Sequence[int]]) -> None:
        self._trees = trees
        self._ids = ids
        self._by_first: dict[float, dict[str, list[int]]] = {}

    async def has(self, tree: Tree) -> bool:
        """Whether everything that was said in `tree` is here, and what waits to be said, too.

        A conversation that went on here since still has it. Title, tags and the like do not count.

        Raises:
            StorageError: The conversations cannot be read.
        """
        said, draft = _messages(tree), tree.draft
        for conversation_id in await self._alike(tree.conversation.created_at, said):
            present = await self._trees.read(conversation_id)
            has_draft = draft.is_empty or present.draft == draft
            if has_draft and _messages(present)[: len(said)] == said:
                return True
        return False

    async def _alike(self, created_at: float, said: list[JsonValue]) -> Sequence[int]:
        """Conversations of this time that begin with the same message.

        Where many have one time, as those of a program that keeps none, each is read only once.
        """
        ids = self._ids.get(created_at, ())
        if len(ids) < 2 or not said:
            return ids
        if created_at not in self._by_first:
            found: dict[str, list[int]] = {}
            for conversation_id in ids:
                messages = _messages(await self._trees.read(conversation_id))
                if messages:
                    found.setdefault(_fingerprint(messages[0]), []).append(conversation_id)
            self._by_first[created_at] = found
        return self._by_first[created_at].get(_fingerprint(said[0]), ())


def _fingerprint(message: JsonValue) -> str:
    return hashlib.sha256(json.dumps(message).encode()).hexdigest()


def _messages(tree: Tree) -> list[JsonValue]:
    """The messages without the numbers of their rows."""
    found = to_json(tree)["messages"]
    assert isinstance(found, list)
    return found
