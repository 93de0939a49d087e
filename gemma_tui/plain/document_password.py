"""The password of a locked document without a window: from the environment, or typed unseen.

Never an option: arguments are visible to every program on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.errors import LockedDocumentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

PASSWORD_VARIABLE: Final = "GEMMA_TUI_PDF_PASSWORD"  # noqa: S105  # its name, no password
"""The environment variable."""


class DocumentPassword:
    """Knows passwords, as `AskPassword` says.

    Args:
        environ: The environment; its password is tried first.
        ask: Shows a prompt and returns what is typed, None for nothing; None where nobody types.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        ask: Callable[[str], Awaitable[str | None]] | None = None,
    ) -> None:
        self._environ = environ
        self._ask = ask

    async def __call__(self, name: str, is_wrong: bool) -> str | None:
        """The password of the document with this name, fit to be shown.

        Raises:
            LockedDocumentError: Nobody can be asked.
        """
        known = self._environ.get(PASSWORD_VARIABLE, "")
        if known and not is_wrong:
            return known
        if self._ask is not None:
            wrong = "That password does not open it. " if is_wrong else ""
            return await self._ask(f"{wrong}Password of “{name}”, unseen: ")
        if is_wrong:
            raise LockedDocumentError(
                f"The password in {PASSWORD_VARIABLE} does not open “{name}”.", "Correct it."
            )
        raise LockedDocumentError(
            f"“{name}” is locked with a password.",
            f"Set {PASSWORD_VARIABLE} to it, or run the command in a terminal, which asks.",
        )
