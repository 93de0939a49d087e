"""What there is to record from, to choose one of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets.option_list import Option

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.widgets.paged_list import PagedList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.microphone.interface import Device


class DeviceList(PagedList):
    """A row for every device, the first for whatever the system's default is."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # as Textual has it
        super().__init__(id=id, markup=False, compact=True)
        self._names: tuple[str, ...] = ()

    @property
    def is_shown(self) -> bool:
        """Whether it is on the screen."""
        return self.has_class("-shown")

    def show(self, devices: Sequence[Device], chosen: str) -> None:
        """Offer devices.

        Args:
            devices: What there is.
            chosen: The name of the one that is used, empty for the default.
        """
        self._names = ("", *(device.name for device in devices))
        default = next((device.name for device in devices if device.is_default), "")
        rows = [f"As the system says{f': {default}' if default else ''}"]
        rows += [f"{d.name} · {d.rate / 1000:g} kHz" for d in devices]
        marks = ("● " if name == chosen else "  " for name in self._names)
        rows = [mark + sanitize_line(row) for mark, row in zip(marks, rows, strict=True)]
        self.set_options(Option(row) for row in rows)
        self.highlighted = self._names.index(chosen) if chosen in self._names else 0
        self.add_class("-shown")
        self.focus()

    def hide(self) -> None:
        """Put it away."""
        self.remove_class("-shown")
        self.screen.set_focus(None)

    def name_at(self, index: int) -> str:
        """The name of a device in the list, empty for the default."""
        return self._names[index]
