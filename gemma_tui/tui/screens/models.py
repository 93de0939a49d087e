"""The models: what each can do, whether it fits, where it stands; and what can be done with it.

Returns the one to switch to. What is begun here goes on when the screen is closed: the rows and
the work belong to `model_library`.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList

from gemma_tui.byte_size import format_size
from gemma_tui.errors import GemmaError
from gemma_tui.hub.on_disk import find_models, real_path
from gemma_tui.paths import builtin_model
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.model_rows import ModelPlace, ModelRow, advised, details, nothing_fits
from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.widgets.line_input import LineInput
from gemma_tui.tui.widgets.model_table import ModelTable
from gemma_tui.tui.widgets.short_text import ShortText

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult

    from gemma_tui.engine.interface import Engine
    from gemma_tui.tui.model_library import ModelLibrary
    from gemma_tui.tui.preferences import Preferences

KEYS: Final = "Enter · D download · V verify · M default · Del · Esc"
NOTE: Final = "The conversation goes on with the model you choose. Nothing is downloaded unasked."
TOO_LARGE: Final = (
    "No model of the catalogue fits into the memory of this machine. A server of yours can answer"
    " in its place: gemma-tui servers add."
)
_REPO: Final = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


class ModelScreen(Dialogue["ModelRow | None"]):
    """A table, what there is to say of one model, and a field for another one.

    Args:
        preferences: Which folders are known.
        engine: Its state says which one answers.
        library: The models, and what happens to them.
    """

    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "ModelTable"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-roomy")]  # noqa: RUF012  # as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+l", "dismiss", "Close", priority=True, id="models.close"),
        Binding("d", "download", "Download; again: pause, go on", id="models.download"),
        Binding("v", "verify", "Verify every byte of it", id="models.verify"),
        Binding("m", "make_default", "Let it answer after each start", id="models.default"),
        Binding(
            "delete", "remove", "Delete it, give up a download, or forget a folder",
            show=False, id="models.forget",
        ),
    ]  # fmt: skip

    def __init__(self, preferences: Preferences, engine: Engine, library: ModelLibrary) -> None:
        super().__init__()
        self._preferences = preferences
        self._engine = engine
        self._library = library
        self._table = ModelTable()
        self._details = ShortText(name="details")
        self._field = LineInput(
            placeholder="A model folder, or owner/name on the hub", compact=True
        )
        self._note = ShortText(NOTE, name="note")
        self._placed = ""  # where the cursor was put; it goes there again until somebody moves it

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(id="panel") as panel:
            panel.border_title = "Models"
            panel.border_subtitle = KEYS
            yield self._table
            yield self._details
            yield self._field
            yield self._note

    def on_mount(self) -> None:
        """Show what is known already, and look again."""
        self._unwatch = (
            self._engine.watch(lambda _: self._show()),
            self._library.watch(self._show),
        )
        self._show()
        self._work(self._library.find)

    def on_unmount(self) -> None:
        """Stop listening."""
        for unwatch in self._unwatch:
            unwatch()

    def action_download(self) -> None:
        """Begin a download after a yes, let it rest, or go on with it."""
        row = self._table.row
        if row is None:
            return
        if row.download is not None and row.download.is_under_way:
            self._library.pause(row)
        elif row.download is not None or (row.repo and row.trust in {"partial", "damaged"}):
            self._library.bring(row)
        elif not row.can_be_downloaded:
            self._tell(f"{row.name} is here already." if row.folder else "There is nothing to get.")
        else:
            self._ask(download_question(row, self._library.host), partial(self._library.bring, row))

    def action_verify(self) -> None:
        """Read all of it again, and compare."""
        row = self._table.row
        if row is None or row.place is not ModelPlace.CACHE or row.download is not None:
            self._tell("Only what was downloaded can be compared with the hub's own digests.")
        else:
            self._outlasting(partial(self._library.verify, row))

    async def action_make_default(self) -> None:
        """Let it answer after each start, and from the next message on."""
        row = self._table.row
        if row is None:
            return
        try:
            await self._library.make_default(row)
        except GemmaError as error:
            self._tell(str(error))
        else:
            self._tell(f"{row.name} answers from the next message on, and after each start.")

    async def action_remove(self) -> None:
        """Free the disk after a yes; a folder that was added only leaves the list."""
        row = self._table.row
        if row is None or not self._table.has_focus:
            return
        if row.place is ModelPlace.FOLDER:
            await self._forget(row)
            return
        try:
            freed = await self._library.freed_bytes(row)
        except GemmaError as error:
            self._tell(str(error))
            return
        self._ask(
            removal_question(row, freed),
            lambda: self._outlasting(partial(self._library.remove, row)),
        )

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self._show_details()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self._table.row
        if row is None:
            return
        if row.can_be_loaded:
            self.dismiss(row)
        elif row.can_be_downloaded:
            self.action_download()
        else:
            self._tell(f"{row.name} cannot be used: {row.problem}.")

    @on(Input.Submitted)
    async def _path_typed(self, event: Input.Submitted) -> None:
        path = event.value.strip().strip("\"'")
        if not path:
            return
        found = await asyncio.to_thread(find_models, builtin_model(), [path], "")
        model = found[-1]
        if model.problem and _REPO.fullmatch(path) and self._library.host:
            wanted = ModelRow(path, path, ModelPlace.HUB, repo=path, revision="main")
            self._ask(
                download_question(wanted, self._library.host), partial(self._library.bring, wanted)
            )
            return
        if model.problem:
            self._tell(f"{path}: {model.problem}.")
            return
        self._field.value = ""
        self._table.focus()
        known = self._preferences.settings.known_models
        folder = real_path(path)
        if folder not in map(real_path, known):
            known = (*known, folder)
        await self._keep(known)

    async def _forget(self, row: ModelRow) -> None:
        known = self._preferences.settings.known_models
        kept = tuple(name for name in known if real_path(name) != row.real_folder)
        if kept == known:
            self._tell("It is not one that was added, so it stays in the list.")
            return
        await self._keep(kept)

    async def _keep(self, known: tuple[str, ...]) -> None:
        try:
            await self._preferences.set("known_models", known, "all")
        except GemmaError as error:
            self._tell(str(error))
        self._work(self._library.find)

    def _ask(self, question: str, agreed: Callable[[], object]) -> None:
        from gemma_tui.tui.screens.agreement import AgreementScreen  # noqa: PLC0415  # rare

        def answered(is_agreed: bool | None) -> None:
            if is_agreed:
                agreed()

        self.app.push_screen(AgreementScreen(question), answered)

    def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        async def guarded() -> None:
            try:
                await work()
            except GemmaError as error:
                self._tell(str(error))

        self.run_worker(guarded(), exclusive=True)

    def _outlasting(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do what goes on when this screen is closed; here its error is shown, else by the app."""

        async def guarded() -> None:
            try:
                await work()
            except GemmaError as error:
                if not self.is_current:
                    raise
                self._tell(str(error))

        self._library.perform(guarded)

    def _show(self) -> None:
        self._table.show(self._library.rows)
        here = self._table.row
        if self._library.rows and (here is None or here.key == self._placed):
            self._placed = first_choice(self._library.rows).key
            self._table.choose(self._placed)
        if nothing_fits(self._library.rows) and self._note.whole == NOTE:
            self._tell(TOO_LARGE)
        self._show_details()

    def _show_details(self) -> None:
        row = self._table.row
        if row is not None:
            self._details.update(sanitize("\n".join(map(sanitize_line, details(row)))))

    def _tell(self, sentence: str) -> None:
        self._note.update(sanitize(sentence))


def first_choice(rows: Sequence[ModelRow]) -> ModelRow:
    """Where the cursor begins: on what answers, but on the advice while only the demo is here."""
    return advised(rows) or next((row for row in rows if row.answers), rows[0])


def download_question(row: ModelRow, host: str) -> str:
    """What to know before a model is fetched: how much, from where."""
    what = sanitize_line(" ".join(filter(None, (row.name, row.kind))))
    size = format_size(row.size_bytes) if row.size_bytes else "An unknown size"
    from_where = f"{size} from {sanitize_line(host)} ({sanitize_line(row.repo)})"
    fit = ""
    if row.fit is not None and row.fit.verdict in {"no", "tight"}:
        fit = f" On this machine: {sanitize_line(row.fit.sentence).rstrip('.')}."
    return f"Download {what}? {from_where}.{fit} It can be paused, and goes on while you chat."


def removal_question(row: ModelRow, freed_bytes: int) -> str:
    """What to know before a model is deleted."""
    name = sanitize_line(row.name)
    if row.download is not None:
        return f"Give up the download of {name}? {format_size(freed_bytes)} are removed."
    after = " After the next start the built-in demo answers." if row.is_default else ""
    return f"Delete {name} from the disk? That frees {format_size(freed_bytes)}.{after}"
