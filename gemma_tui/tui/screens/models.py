"""The models on this disk: what each can do, what it takes, whether it fits, which one answers.

Returns the one to switch to. Looking at the disk and asking the engine happen in the background.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from gemma_tui.byte_size import format_size
from gemma_tui.engine.protocol import Estimate
from gemma_tui.errors import EngineError, GemmaError
from gemma_tui.hub.on_disk import find_models, real_path
from gemma_tui.hub.remote_models import remote_models
from gemma_tui.paths import builtin_model
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.widgets.line_input import LineInput
from gemma_tui.tui.widgets.short_text import ShortText
from gemma_tui.tui.widgets.status_line import format_count

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import ComposeResult

    from gemma_tui.engine.interface import Engine
    from gemma_tui.generation import MemoryEstimate
    from gemma_tui.hub.on_disk import ModelOnDisk
    from gemma_tui.tui.preferences import Preferences

KEYS = "Enter switch · Tab add a folder · Del forget · Esc"
NOTE = "The conversation goes on with the model you choose; nothing is sent or downloaded."


class ModelScreen(ModalScreen["ModelOnDisk | None"]):
    """Two lines for each model, and a field for another folder.

    Args:
        preferences: Which folders are known.
        engine: Says what fits.
        is_loaded: Whether a folder is the model that answers now.
    """

    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+l", "dismiss", "Close", priority=True, id="models.close"),
        Binding("delete", "forget", "Forget", show=False, id="models.forget"),
    ]

    def __init__(
        self, preferences: Preferences, engine: Engine, is_loaded: Callable[[Path], bool]
    ) -> None:
        super().__init__()
        self._preferences = preferences
        self._engine = engine
        self._is_loaded = is_loaded
        self._list = OptionList(markup=False, compact=True)
        self._field = LineInput(placeholder="Path of another model folder", compact=True)
        self._note = ShortText(NOTE, name="note")
        self._models: tuple[ModelOnDisk, ...] = ()
        self._fits: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(id="panel") as panel:
            panel.border_title = "Models on this disk"
            panel.border_subtitle = KEYS
            yield self._list
            yield self._field
            yield self._note

    def on_mount(self) -> None:
        """Look at the disk, then ask the engine."""
        self._unwatch = self._engine.watch(lambda _: self._show())
        self.run_worker(self._find(), exclusive=True)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unwatch()

    async def action_forget(self) -> None:
        """Take a folder that was added out of the list; the folder itself stays."""
        index = self._list.highlighted
        if not self._list.has_focus or index is None:
            return
        chosen = real_path(self._models[index].folder)
        known = self._preferences.settings.known_models
        kept = tuple(name for name in known if real_path(name) != chosen)
        if kept == known:
            self._note.update("It is not one that was added, so it stays in the list.")
            return
        await self._keep(kept)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        model = self._models[event.option_index]
        if model.problem:
            self._note.update(sanitize(f"{model.name} cannot be used: {model.problem}."))
        else:
            self.dismiss(model)

    @on(Input.Submitted)
    async def _path_typed(self, event: Input.Submitted) -> None:
        path = event.value.strip().strip("\"'")
        if not path:
            return
        found = await asyncio.to_thread(find_models, builtin_model(), [path], "")
        model = found[-1]
        if model.problem:
            self._note.update(sanitize(f"{path}: {model.problem}."))
            return
        self._field.value = ""
        self._list.focus()
        known = self._preferences.settings.known_models
        folder = real_path(path)
        if folder not in map(real_path, known):
            known = (*known, folder)
        await self._keep(known)

    async def _keep(self, known: tuple[str, ...]) -> None:
        try:
            await self._preferences.set("known_models", known, "all")
        except GemmaError as error:
            self._note.update(sanitize(str(error)))
        self.run_worker(self._find(), exclusive=True)

    async def _find(self) -> None:
        settings, foreign = self._preferences.settings, self._preferences.foreign_model
        known = (*settings.known_models, *filter(None, (settings.model, foreign)))
        self._models = (
            *await asyncio.to_thread(find_models, builtin_model(), known, settings.model_library),
            *remote_models(self._preferences.configuration.servers.values()),
        )
        self._show()
        loaded = (i for i, m in enumerate(self._models) if self._is_loaded(m.folder))
        self._list.highlighted = next(loaded, 0)
        for model in self._models:
            if not (model.problem or model.url):
                self._fits[str(model.folder)] = await self._ask(model)
                self._show()

    async def _ask(self, model: ModelOnDisk) -> str:
        try:
            return fit_words(await self._engine.estimate(Estimate(str(model.folder))))
        except EngineError:
            return "the engine cannot say whether it fits"
        except GemmaError as error:
            return error.message

    def _show(self) -> None:
        kept = self._list.highlighted
        self._list.set_options(Option(self._row(model)) for model in self._models)
        self._list.highlighted = kept

    def _row(self, model: ModelOnDisk) -> Content:
        is_loaded = self._is_loaded(model.folder)
        bits = f" · {model.bits}-bit" if model.bits else ""
        first = f"{sanitize_line(model.name)}{bits} · {model.senses}"
        unknown = "runs on a server" if model.url else "looking whether it fits …"
        fits = model.problem or self._fits.get(str(model.folder), unknown)
        size = f"{format_size(model.size_bytes)} · " if model.size_bytes else ""
        where = "comes with gemma-tui" if model.is_builtin else model.url or str(model.folder)
        second = f"{size}{fits} · {where}"
        return Content.assemble(
            ("● " if is_loaded else "  ", "$success"),
            (first, "bold" if is_loaded else "italic $text-disabled" if model.problem else ""),
            (" · answers now" if is_loaded else "", "$success"),
            ("\n    " + sanitize_line(second), "$foreground 75%"),
        )


def fit_words(estimate: MemoryEstimate) -> str:
    """Whether a model fits, and with how much context, in words."""
    needed = f"{estimate.total_bytes / 1e9:.1f} of {estimate.free_bytes / 1e9:.1f} GB"
    if estimate.fits:
        return f"fits ({needed})"
    if estimate.fitting_context:
        return f"fits with a context of {format_count(estimate.fitting_context)}"
    return f"does not fit ({needed})"
