"""The attachments of a conversation: what each is, what it cost, and what can be done with it.

A list and, for the chosen one, a preview. `Gallery` does what is asked for.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gemma_tui.byte_size import format_size
from gemma_tui.errors import GemmaError
from gemma_tui.preprocessing.media_cost import soft_token_count
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.widgets.chip_text import describe
from gemma_tui.tui.widgets.media_view import MediaView
from gemma_tui.tui.widgets.paged_list import PagedList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from gemma_tui.storage.media_uses import MediaUse
    from gemma_tui.tui.gallery import Gallery

KEYS: Final = "Enter go · A attach again · S save · O open · Esc"


class GalleryScreen(Dialogue[None]):
    """A list of attachments, and the chosen one in small.

    Args:
        gallery: Does what is asked for.
        uses: The attachments, the oldest first; at least one.
    """

    CSS_PATH = "gallery.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,alt+a", "close", "Close", priority=True, id="gallery.close"),
        Binding("a", "attach_again", "Attach again", id="gallery.attach"),
        Binding("s", "save", "Save a copy", id="gallery.save"),
        Binding("o", "open_outside", "Open with the system's viewer", id="gallery.open"),
        Binding("y", "confirm", "Yes, open it", show=False, id="gallery.confirm"),
    ]

    def __init__(self, gallery: Gallery, uses: tuple[MediaUse, ...]) -> None:
        super().__init__()
        self._gallery = gallery
        self._uses = uses
        self._list = PagedList(*map(_option, uses), markup=False, compact=True)
        self._view = MediaView()
        self._about = Static(markup=False, id="about")
        self._note = Static(markup=False, id="note")
        self._wanted: MediaUse | None = None
        """What would be opened outside, if the user says yes."""

    def compose(self) -> ComposeResult:
        """The list, and what is chosen in it."""
        count = len(self._uses)
        with Vertical(id="panel") as panel:
            panel.border_title = f"{count} attachment{'' if count == 1 else 's'}"
            panel.border_subtitle = KEYS
            with Container(id="both"):
                yield self._list
                with Vertical(id="chosen"):
                    yield self._view
                    yield self._about
            yield self._note

    def on_mount(self) -> None:
        """Begin with the newest."""
        self._list.highlighted = len(self._uses) - 1

    @property
    def _chosen(self) -> MediaUse:
        return self._uses[self._list.highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._tell("")
        use = self._uses[event.option_index]
        self._about.update(_about(use))
        self._view.tell("…")
        self.run_worker(self._show(use), group="preview", exclusive=True)

    async def _show(self, use: MediaUse) -> None:
        try:
            preview = await self._gallery.preview(use)
        except GemmaError as error:
            self._view.tell(str(error))
        else:
            self._view.show(preview)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss()
        self._gallery.go_to(self._uses[event.option_index])

    def action_close(self) -> None:
        """Leave a question unanswered, or the gallery."""
        if self._wanted is not None:
            self._tell("Nothing was opened.")
        else:
            self.dismiss()

    def action_attach_again(self) -> None:
        """Put the chosen one into the draft."""
        use = self._chosen
        try:
            self._gallery.attach_again(use)
        except GemmaError as error:
            self._tell(str(error))
        else:
            self._tell(f"{_quoted(use)} is attached to your next message.")

    async def action_save(self) -> None:
        """Ask where to write a copy."""
        from gemma_tui.tui.screens.path import PathScreen  # noqa: PLC0415  # rarely used

        use = self._chosen
        typed = await self._gallery.suggested_path(use)

        def chosen(text: str | None) -> None:
            if text:
                self._perform(partial(self._save, use, text))

        self.app.push_screen(PathScreen("Save a copy as", "saves", typed), chosen)

    async def _save(self, use: MediaUse, typed: str) -> None:
        written = await self._gallery.save(use, typed)
        self._tell(f"Written to {sanitize_line(str(written))}.")

    def action_open_outside(self) -> None:
        """Ask whether the chosen one may leave this program."""
        use, viewer = self._chosen, self._gallery.viewer
        try:
            viewer.check(sanitize_line(use.attachment.name), use.attachment.media_type)
        except GemmaError as error:
            self._tell(str(error))
            return
        question = f"Open a copy of {_quoted(use)} outside, with {viewer.name}? Y opens, Esc not."
        self._tell(question)
        self._wanted = use

    def action_confirm(self) -> None:
        """Open what was asked about."""
        if (use := self._wanted) is not None:
            self._tell(f"Opening {_quoted(use)} …")
            self._perform(partial(self._open, use))

    async def _open(self, use: MediaUse) -> None:
        await self._gallery.open_outside(use)
        self._tell(f"{_quoted(use)} was opened with {self._gallery.viewer.name}.")

    def _perform(self, work: Callable[[], Awaitable[None]]) -> None:
        self.run_worker(self._guard(work))

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except GemmaError as error:
            self._tell(str(error))

    def _tell(self, sentence: str) -> None:
        self._wanted = None
        self._note.update(sanitize(sentence))
        self._note.display = bool(sentence)


def _option(use: MediaUse) -> Option:
    text = describe(use.attachment)
    tokens = soft_token_count(use.attachment)
    cost = f" · {tokens:,} tokens" if tokens else ""
    return Option(Content.assemble(f"{text.icon} {text.name}", (cost, "$foreground 75%")))


def _about(use: MediaUse) -> Content:
    """Three lines: what it is, what it cost, where it stands."""
    item, text = use.attachment, describe(use.attachment)
    tokens = soft_token_count(item)
    seconds = use.seconds(tokens)
    cost = [*filter(None, (text.note,)), text.cost] if tokens else []
    if seconds:
        cost.append("read in under 1 s" if seconds < 1 else f"read in ~{seconds:.0f} s")
    when = datetime.fromtimestamp(use.created_at).astimezone()
    asked = f": “{sanitize_line(use.question.strip())}”" if use.question.strip() else ""
    lines = (
        " · ".join(filter(None, (item.media_type, text.shape, format_size(item.size_bytes)))),
        " · ".join(cost) or "costs what its text costs",
        f"{when.day} {when:%b %Y, %H:%M}{asked}",
    )
    return Content.assemble(
        (text.name, "bold"), *(("\n" + sanitize_line(line), "$foreground 75%") for line in lines)
    )


def _quoted(use: MediaUse) -> str:
    return f"“{sanitize_line(use.attachment.name)}”"
