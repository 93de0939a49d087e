"""A line above the composer for what matters before Enter: what is edited, what does not fit."""

from __future__ import annotations

from gemma_tui.tui.widgets.short_text import ShortText


class NoteLine(ShortText):
    """A note, and behind it a warning, each as long as it holds; nothing while there is neither."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._note = ""
        self._warning = ""

    def tell(self, note: str) -> None:
        """Show a note; an empty one puts it away."""
        self._note = note
        self._show()

    def warn(self, warning: str) -> None:
        """Show a warning; an empty one puts it away."""
        self._warning = warning
        self._show()

    def _show(self) -> None:
        text = "\n".join(filter(None, (self._note, self._warning)))
        self.set_class(bool(self._warning), "-warning")
        self.update(text)
        self.display = bool(text)
