"""The conversations that are open side by side, and where each is being read. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gemma_tui.storage.open_tabs import MAX_TABS, OpenTabs

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from gemma_tui.tui.transcript.places import Place


@dataclass(slots=True, eq=False)
class Tab:
    """One open conversation."""

    conversation_id: int | None
    """None is the new conversation; there is only one."""
    title: str = ""
    """As it was last known; empty for the new conversation."""
    place: Place | None = None
    """The first row on the screen when it was left; None follows the end."""
    has_news: bool = False
    """Whether a reply ended in it that has not been looked at."""
    used: int = 0
    """Grows with every look at it."""


@dataclass(slots=True)
class Tabs:
    """At least one tab, of which one is shown."""

    tabs: list[Tab] = field(default_factory=lambda: [Tab(None)])
    index: int = 0
    """Of the one that is shown."""
    _looks: int = 0

    @classmethod
    def of(cls, opened: OpenTabs) -> Tabs:
        """The tabs that were open when the app was left."""
        return cls([Tab(key) for key in opened.conversation_ids], opened.current)

    @property
    def current(self) -> Tab:
        """The tab that is shown."""
        return self.tabs[self.index]

    @property
    def opened(self) -> OpenTabs:
        """What is open, to be remembered."""
        return OpenTabs(tuple(tab.conversation_id for tab in self.tabs), self.index)

    def find(self, conversation_id: int | None) -> Tab | None:
        """The tab of a conversation."""
        return next((tab for tab in self.tabs if tab.conversation_id == conversation_id), None)

    def select(self, tab: Tab) -> None:
        """Show one of the tabs."""
        self.index = self.tabs.index(tab)
        self._looks += 1
        tab.used, tab.has_news = self._looks, False

    def beside(self, steps: int) -> Tab:
        """The tab so many further to the right, round and round."""
        return self.tabs[(self.index + steps) % len(self.tabs)]

    def show(self, conversation_id: int | None) -> None:
        """Show a conversation: in its tab if it has one, else in place of the current one."""
        tab = self.find(conversation_id)
        if tab is None:
            tab = self.tabs[self.index] = Tab(conversation_id)
        self.select(tab)

    def add(self, conversation_id: int | None, keep: Container[int | None] = ()) -> None:
        """Show a conversation in a tab of its own, right of the current one.

        Args:
            conversation_id: The conversation.
            keep: Conversations whose tabs must stay if another one has to make room.
        """
        if self.find(conversation_id) is None:
            self.tabs.insert(self.index + 1, Tab(conversation_id))
        self.show(conversation_id)
        while len(self.tabs) > MAX_TABS:
            others = [t for t in self.tabs if t is not self.current]
            spare = [t for t in others if t.conversation_id not in keep] or others
            self._remove(min(spare, key=lambda tab: tab.used))

    def close(self, conversation_id: int | None) -> None:
        """Close a tab; the last one becomes the new conversation's."""
        tab = self.find(conversation_id)
        if tab is not None:
            self._remove(tab)

    def keep(self, conversation_ids: Iterable[int | None]) -> None:
        """Close the tabs of all other conversations."""
        kept = frozenset(conversation_ids)
        for tab in tuple(self.tabs):
            if tab.conversation_id not in kept:
                self._remove(tab)

    def _remove(self, tab: Tab) -> None:
        current = self.current
        self.tabs.remove(tab)
        if not self.tabs:
            self.tabs.append(Tab(None))
        if current in self.tabs:
            self.index = self.tabs.index(current)
        else:
            self.select(self.tabs[min(self.index, len(self.tabs) - 1)])
