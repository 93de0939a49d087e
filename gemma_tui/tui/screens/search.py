"""Search over everything that was ever said: hits as one types, and from there to the message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from gemma_tui.errors import StorageError
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.widgets.conversation_rows import UNTITLED
from gemma_tui.tui.widgets.line_input import LineInput
from gemma_tui.tui.widgets.paged_list import PagedList
from gemma_tui.tui.widgets.short_text import ShortText

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult
    from textual.timer import Timer

    from gemma_tui.storage.search import SearchHit, SearchPage

DEBOUNCE_SECONDS: Final = 0.08
"""After the last key: shorter than the pause of a slow typist, longer than a fast one's."""

_NEAR_END: Final = 5
"""So many hits before the end of the list the next page is read."""

HINT: Final = 'words, whose ends may be missing · "a phrase" · -without'
"""What can be typed."""


@dataclass(frozen=True, slots=True)
class SearchChoice:
    """Where the user wants to go."""

    conversation_id: int
    message_id: int | None
    """None if the title was found."""
    text: str
    """What was looked for, for the search inside the conversation."""


class SearchScreen(Dialogue[SearchChoice | None]):
    """A line to type, and the hits below, the newest first.

    Args:
        search: Finds a page of hits: `ConversationStore.search`.
        text: What was looked for last.
    """

    CSS_PATH = "search.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f3", "dismiss", "Close", priority=True, id="search.close"),
        Binding("down", "move(1)", "Next hit", priority=True, show=False, id="search.down"),
        Binding("up", "move(-1)", "Previous hit", priority=True, show=False, id="search.up"),
        Binding(
            "pagedown",
            "move(10)",
            "Ten hits down",
            priority=True,
            show=False,
            id="search.page_down",
        ),
        Binding(
            "pageup", "move(-10)", "Ten hits up", priority=True, show=False, id="search.page_up"
        ),
    ]

    def __init__(
        self,
        search: Callable[[str, int | None], Awaitable[SearchPage]],
        text: str = "",
    ) -> None:
        super().__init__()
        self._search = search
        self._input = LineInput(text, placeholder="Search all conversations", compact=True)
        self._found = PagedList(markup=False)
        self._told = ShortText(name="told")
        self._hits: list[SearchHit] = []
        self._next: int | None = None
        self._timer: Timer | None = None
        self._asked = 0
        self.text = ""
        """What the hits shown were asked with."""

    def compose(self) -> ComposeResult:
        """What is looked for, what was found, how much."""
        with Vertical(id="search"):
            yield self._input
            yield self._found
            yield self._told

    def on_mount(self) -> None:
        """The hits are walked from the line that is typed in."""
        self._found.can_focus = False
        self._begin()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self._begin)

    def _begin(self) -> None:
        self._asked += 1
        self.run_worker(self._find(self._input.value, None, self._asked))

    async def _find(self, text: str, before: int | None, asked: int) -> None:
        try:
            page = await self._search(text, before)
        except StorageError as error:
            self._told.update(Content(sanitize(str(error))))
            return
        if asked != self._asked:
            return  # something else is asked for by now
        if before is None:
            self._hits, self.text = [], text
            self._found.clear_options()
        first = len(self._hits)
        self._hits += page.hits
        self._next = page.next_before
        now = datetime.now().astimezone()
        self._found.add_options(Option(_line(hit, now)) for hit in page.hits)
        if not first and page.hits:
            self._found.highlighted = 0
        self._tell()

    def _tell(self) -> None:
        count, more = len(self._hits), "+" if self._next is not None else ""
        if not self.text.strip():
            self._told.update(HINT)
        elif not count:
            self._told.update(f"Nothing found. {HINT}")
        else:
            archived = sum(hit.conversation.is_archived for hit in self._hits)
            tail = f" · {archived} archived" if archived else ""
            noun = "hit" if count == 1 and not more else "hits"
            self._told.update(f"{count:,}{more} {noun}{tail} · Enter goes there · Esc closes")

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self._next is not None and event.option_index >= len(self._hits) - _NEAR_END:
            before, self._next = self._next, None
            self.run_worker(self._find(self.text, before, self._asked))

    def action_move(self, steps: int) -> None:
        """Choose a hit further down or up."""
        if self._hits:
            index = (self._found.highlighted or 0) + steps
            self._found.highlighted = max(0, min(len(self._hits) - 1, index))

    @on(Input.Submitted)
    async def _submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the hit; typed faster than it was found, to the first one."""
        event.stop()
        if self._input.value != self.text:
            if self._timer is not None:
                self._timer.stop()
            self._asked += 1
            await self._find(self._input.value, None, self._asked)
        if self._hits:
            self._choose(self._found.highlighted or 0)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option_index)

    def _choose(self, index: int) -> None:
        hit = self._hits[index]
        self.dismiss(SearchChoice(hit.conversation.id, hit.message_id, self.text))


def _line(hit: SearchHit, now: datetime) -> Content:
    """Two rows: where and when, then what was found, with the matches marked."""
    title = sanitize_line(hit.conversation.title) or UNTITLED
    who = {"user": "You", "model": "Gemma", None: "Title"}[hit.role]
    marks = " · archived" if hit.conversation.is_archived else ""
    when = _when(datetime.fromtimestamp(hit.created_at).astimezone(), now)
    # Characters become one each, so that ranges stay true.
    snippet = Content(sanitize_line(hit.snippet))
    for start, end in hit.ranges:
        snippet = snippet.stylize("bold $text-warning", start, end)
    head = Content.assemble((title, "bold"), (f"  {who} · {when}{marks}", "$foreground 75%"))
    return Content("\n").join([head, snippet])


def _when(moment: datetime, now: datetime) -> str:
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    return f"{moment.day} {moment:%b}" + ("" if moment.year == now.year else f" {moment.year}")
