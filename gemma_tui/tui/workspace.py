"""What lies beside each other: the list of conversations, the tabs, and the open conversation.

Knows which conversations are open and which is shown; page and reply are the desk's business.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on
from textual.containers import Horizontal

from gemma_tui.errors import StorageError
from gemma_tui.storage.open_tabs import OpenTabsFile
from gemma_tui.tui.filing import Filing, quoted, still_there
from gemma_tui.tui.screens.chat_keys import WORKSPACE_KEYS
from gemma_tui.tui.searching import Searching
from gemma_tui.tui.status import list_marks
from gemma_tui.tui.tabs import Tab, Tabs
from gemma_tui.tui.widgets.conversation_list import ConversationList
from gemma_tui.tui.widgets.conversation_requests import (
    ArchivedToggled,
    ChangeRequested,
    UndoRequested,
)
from gemma_tui.tui.widgets.reading_column import ReadingColumn
from gemma_tui.tui.widgets.sidebar import Sidebar
from gemma_tui.tui.widgets.tab_line import TabLabel, TabLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from gemma_tui.conversation import Conversation
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.desk import Desk
    from gemma_tui.tui.desk_owner import DeskOwner
    from gemma_tui.tui.drafts import DraftKeeper
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel
    from gemma_tui.tui.widgets.conversation_requests import Change, Edit
    from gemma_tui.tui.widgets.transcript_panel import TranscriptPanel


class Workspace(Horizontal):
    """The columns of the main screen.

    Args:
        store: Conversations.
        desk: The open page and the running turn.
        page: What is shown.
        drafts: Which conversations have unsent words.
        reading: Where the open conversation is read.
        panel: Where the draft is written.
        owner: The screen.
        file: Remembers what is open.
    """

    BINDINGS = WORKSPACE_KEYS

    def __init__(
        self,
        store: ConversationStore,
        desk: Desk,
        page: Page,
        drafts: DraftKeeper,
        reading: TranscriptPanel,
        panel: ComposerPanel,
        *,
        owner: DeskOwner,
        file: OpenTabsFile | None = None,
    ) -> None:
        super().__init__(id="columns")
        self._store, self._desk, self._page, self._drafts = store, desk, page, drafts
        self._reading, self._panel, self._owner = reading, panel, owner
        self._file = file or OpenTabsFile(None)
        self.filing = Filing(store, desk, page)
        self._searching = Searching(store, reading, self.turn_to, owner.perform)
        self._tabs = Tabs()
        self._turning = asyncio.Lock()
        self._running_id: int | None = None
        self.sidebar = Sidebar()
        """The list of conversations."""
        self.tab_line = TabLine()
        """The open conversations, if more than one."""

    def compose(self) -> ComposeResult:
        """The list; beside it tabs, transcript and composer."""
        yield self.sidebar
        with ReadingColumn(id="conversation"):
            yield self.tab_line
            yield self._reading
            yield self._panel

    async def begin(self) -> bool:
        """Show what was there when the app was left; see `Desk.begin`."""
        async with self._turning:
            left = await still_there(self._store, await self._file.load())
            had_draft = await self._desk.begin(left)
            if left is not None:
                self._tabs = Tabs.of(left)
            self._follow_page()
            if left is not None and None in self._drafts.kept and not self._tabs.find(None):
                self._tabs.tabs.append(Tab(None))  # words that another process left
        await self._desk.refresh_list()
        return had_draft

    def show(self, conversations: tuple[Conversation, ...]) -> str:
        """Show the conversations, and which are open; returns the title of the one on the page."""
        if not self._turning.locked():
            self._follow_page()
        turn, page = self._desk.turn, self._page
        running = turn.conversation_id if turn else None
        ended = self._tabs.find(self._running_id) if self._running_id != running else None
        if ended is not None and self._running_id is not None:
            ended.has_news = ended is not self._tabs.current
        self._running_id = running
        if self.sidebar.shows_archived:
            self._owner.perform(self._list_archived)
        else:
            self._list(conversations)
        titles = {item.id: item.title for item in conversations}
        if page.conversation is not None:
            titles.setdefault(page.conversation.id, page.conversation.title)
        for tab in self._tabs.tabs:
            if tab.conversation_id is not None:
                tab.title = titles.get(tab.conversation_id, tab.title)
        self._show_tabs()
        return self._tabs.current.title

    def _list(self, conversations: tuple[Conversation, ...]) -> None:
        current = self._page.conversation_id
        marks = list_marks(current, self._drafts.kept, self._desk.turn)
        self.sidebar.can_undo = bool(self._desk.deleted)
        self.sidebar.show(conversations, current=current, marks=marks)

    async def _list_archived(self) -> None:
        self._list(await self._store.list(archived=True))

    def _follow_page(self) -> None:
        """The page has turned by itself: a conversation was created, deleted, or restored."""
        shown, tab = self._page.conversation_id, self._tabs.current
        if tab.conversation_id == shown:
            return
        if tab.conversation_id is None and self._tabs.find(shown) is None:
            tab.conversation_id = shown  # its first message was sent
        else:
            self._tabs.show(shown)

    def _show_tabs(self) -> None:
        tabs = self._tabs
        self.tab_line.show(tuple(map(self._label, tabs.tabs)), tabs.index)
        if tabs.opened != self._file.remembered and not self._turning.locked():
            self._owner.perform(partial(self._file.save, tabs.opened))

    def _label(self, tab: Tab) -> TabLabel:
        mark = " "
        if tab.conversation_id is not None and tab.conversation_id == self._running_id:
            mark = "…"
        elif tab.has_news:
            mark = "●"
        elif tab.conversation_id in self._drafts.kept:
            mark = "✎"
        return TabLabel(tab.title if tab.conversation_id else "New conversation", mark)

    def open(self, conversation_id: int | None, *, in_own_tab: bool = False) -> None:
        """Turn to a conversation, None being the new one."""
        self._turn(partial(self._select, conversation_id, in_own_tab=in_own_tab))

    def _select(self, conversation_id: int | None, *, in_own_tab: bool = False) -> None:
        turn, current = self._desk.turn, self._tabs.current.conversation_id
        is_running = turn is not None and turn.conversation_id == current
        if in_own_tab or is_running:  # a reply that is being written stays in sight
            self._tabs.add(conversation_id, keep=(self._running_id, *self._drafts.kept))
        else:
            self._tabs.show(conversation_id)

    def _turn(self, select: Callable[[], None]) -> None:
        self._owner.page_turns()
        self._owner.perform(partial(self._turn_page, select))
        self._panel.composer.focus()

    def action_search(self, text: str = "") -> None:
        """Search in everything, and go to what is found."""
        self._searching.open(self.app, text)

    async def turn_to(self, conversation_id: int) -> None:
        """Show a conversation, as `open` does; returns when it is shown."""
        self._owner.page_turns()
        await self._turn_page(partial(self._select, conversation_id))

    async def _turn_page(self, select: Callable[[], None]) -> None:
        async with self._turning:
            await self._desk.settled()
            self._follow_page()
            self._tabs.current.place = self._page.transcript.reading_place
            before = replace(self._tabs, tabs=[*self._tabs.tabs])
            select()
            tab = self._tabs.current
            try:
                await self._desk.open(tab.conversation_id, place=tab.place)
            except StorageError:
                self._tabs = before
                raise
        await self._desk.refresh_list()

    def action_move_tab(self, steps: int) -> None:
        """Show the tab so many further to the right."""
        if len(self._tabs.tabs) > 1:
            self._turn(lambda: self._tabs.select(self._tabs.beside(steps)))

    def action_show_tab(self, number: int) -> None:
        """Show the n-th tab, counted from 1."""
        if 0 < number <= len(self._tabs.tabs):
            tab = self._tabs.tabs[number - 1]
            self._turn(lambda: self._tabs.select(tab) if tab in self._tabs.tabs else None)

    def action_new_tab(self) -> None:
        """Begin a conversation, and leave open what is open."""
        self.open(None, in_own_tab=True)

    def action_close_tab(self) -> None:
        """Close the tab that is shown."""
        if len(self._tabs.tabs) > 1:
            self._close(self._tabs.current)

    def _close(self, tab: Tab) -> None:
        if tab is self._tabs.current:
            self._turn(lambda: self._tabs.close(tab.conversation_id))
        elif tab in self._tabs.tabs:
            self._tabs.close(tab.conversation_id)
            self._show_tabs()

    async def tag_this(self, tags: str) -> None:
        """Give the conversation that is shown these tags; without any, let them be written."""
        if tags and self._page.conversation_id is not None:
            await self.filing.write("tags", self._page.conversation_id, tags)
        else:
            self.action_this("tags")

    def action_this(self, what: str) -> None:
        """Rename, tag, pin, archive or delete the conversation that is shown."""
        if self._page.conversation_id is None:
            self.notify("This conversation begins with its first message.", markup=False)
        elif what in ("rename", "tags"):
            if not self.sidebar.list.display:
                self._owner.action_toggle_list()
            if not self.sidebar.edit_of(self._page.conversation_id, cast("Edit", what)):
                self.notify("It is not in the list: archived, or filtered out.", markup=False)
        elif self._page.conversation is not None:
            self.post_message(ChangeRequested(cast("Change", what), self._page.conversation))

    @on(TabLine.Selected)
    def _tab_selected(self, event: TabLine.Selected) -> None:
        self.action_show_tab(event.index + 1)

    @on(TabLine.CloseRequested)
    def _tab_closed(self, event: TabLine.CloseRequested) -> None:
        for tab in self._tabs.tabs[event.index : event.index + 1]:  # a second click finds none
            self._close(tab)

    @on(ConversationList.Opened)
    def _opened(self, event: ConversationList.Opened) -> None:
        self.open(event.conversation_id, in_own_tab=event.in_own_tab)

    @on(Sidebar.Edited)
    def _edited(self, event: Sidebar.Edited) -> None:
        edit, conversation_id, text = event.edit, event.conversation_id, event.text
        self._owner.perform(partial(self.filing.write, edit, conversation_id, text))

    @on(ArchivedToggled)
    def _archived_toggled(self) -> None:
        self.sidebar.toggle_archived()
        self._owner.perform(self._desk.refresh_list)

    @on(UndoRequested)
    def _undo_wanted(self) -> None:
        self._owner.perform(partial(self.filing.undo_delete, self.app))

    @on(ChangeRequested)
    def _change_wanted(self, event: ChangeRequested) -> None:
        works = {"pin": self.filing.pin, "archive": self._archive, "delete": self._delete}
        self._owner.perform(partial(works[event.change], event.conversation))

    async def _archive(self, conversation: Conversation) -> None:
        self.notify(await self.filing.archive(conversation), markup=False)

    async def _delete(self, conversation: Conversation) -> None:
        tab, is_alone = self._tabs.find(conversation.id), len(self._tabs.tabs) < 2
        if tab is self._tabs.current and not is_alone:
            await self._turn_page(lambda: self._tabs.close(conversation.id))
        elif not is_alone:
            self._tabs.close(conversation.id)
        name = quoted(await self._desk.delete(conversation.id))
        self.notify(f"Deleted {name}. Ctrl+Z in the list brings it back.", markup=False)
