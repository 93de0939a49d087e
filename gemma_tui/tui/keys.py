"""Every key there is, by where it acts: what help, documentation and remapping are made from.

A binding's id is `area.what`. The `[keys]` table of the settings file gives one other keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.binding import Binding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from textual.binding import BindingType

_WORDS: Final = {
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "plus": "+",
    "minus": "-",
    "slash": "/",
    "underscore": "_",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """The keys of one place."""

    area: str
    """How their ids begin."""
    title: str
    bindings: tuple[Binding, ...]
    others: tuple[tuple[str, str], ...] = ()
    """What is pressed or typed there without being bound to it, so that it has no id."""


def key_groups() -> tuple[KeyGroup, ...]:
    """All places, the most used first."""
    # Imported here: those who only want a key in words need none of it.
    from gemma_tui.tui.app import GemmaApp  # noqa: PLC0415
    from gemma_tui.tui.screens.chat_keys import CHAT_KEYS, WORKSPACE_KEYS  # noqa: PLC0415
    from gemma_tui.tui.transcript.widget import Transcript  # noqa: PLC0415
    from gemma_tui.tui.widgets.attachment_tray import AttachmentTray  # noqa: PLC0415
    from gemma_tui.tui.widgets.composer import Composer  # noqa: PLC0415
    from gemma_tui.tui.widgets.conversation_list import ConversationList  # noqa: PLC0415
    from gemma_tui.tui.widgets.find_bar import FindBar  # noqa: PLC0415
    from gemma_tui.tui.widgets.sidebar import Sidebar  # noqa: PLC0415

    return (
        KeyGroup("app", "Everywhere", _own(GemmaApp.BINDINGS), _EVERYWHERE),
        KeyGroup("composer", "Writing", _own(Composer.BINDINGS), _WRITING),
        KeyGroup("chat", "The chat", _own(CHAT_KEYS)),
        KeyGroup("tabs", "Conversations side by side", _own(WORKSPACE_KEYS)),
        KeyGroup("chips", "What is attached", _own(AttachmentTray.BINDINGS), _ATTACHED),
        KeyGroup("message", "A chosen message", _own(Transcript.BINDINGS)),
        KeyGroup("find", "Finding in the conversation", _own(FindBar.BINDINGS)),
        KeyGroup(
            "list",
            "The list of conversations",
            (*_own(ConversationList.BINDINGS), *_own(Sidebar.BINDINGS)),
        ),
        *_dialogues(),
    )


def _dialogues() -> Iterator[KeyGroup]:
    from gemma_tui.tui.screens.agreement import AgreementScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.conversation_menu import ConversationMenu  # noqa: PLC0415
    from gemma_tui.tui.screens.gallery import GalleryScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.help import HelpScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.models import ModelScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.notices import NoticeScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.password import PasswordScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.path import PathScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.prose import ProseScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.record_keys import RECORD_KEYS  # noqa: PLC0415
    from gemma_tui.tui.screens.search import SearchScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.settings import SettingsScreen  # noqa: PLC0415
    from gemma_tui.tui.screens.tour import TourScreen  # noqa: PLC0415
    from gemma_tui.tui.widgets.scope_switch import ScopeSwitch  # noqa: PLC0415
    from gemma_tui.tui.widgets.settings_list import SettingsList  # noqa: PLC0415

    of_settings = (SettingsScreen.BINDINGS, SettingsList.BINDINGS, ScopeSwitch.BINDINGS)
    yield KeyGroup("search", "Searching all conversations", _own(SearchScreen.BINDINGS))
    yield KeyGroup("settings", "Settings", tuple(b for some in of_settings for b in _own(some)))
    yield KeyGroup("prose", "The editor of a system prompt", _own(ProseScreen.BINDINGS))
    yield KeyGroup("models", "Models", _own(ModelScreen.BINDINGS))
    yield KeyGroup("gallery", "The attachments of a conversation", _own(GalleryScreen.BINDINGS))
    yield KeyGroup("menu", "The menu of a conversation", _own(ConversationMenu.BINDINGS))
    yield KeyGroup("path", "Typing a path", _own(PathScreen.BINDINGS))
    yield KeyGroup("password", "The password of a document", _own(PasswordScreen.BINDINGS))
    yield KeyGroup("agreement", "A yes or a no", _own(AgreementScreen.BINDINGS))
    yield KeyGroup("record", "Recording", _own(RECORD_KEYS))
    yield KeyGroup("tour", "The tour", _own(TourScreen.BINDINGS))
    yield KeyGroup("notices", "Notices", _own(NoticeScreen.BINDINGS))
    yield KeyGroup("help", "Help", _own(HelpScreen.BINDINGS))


def editing_keys() -> frozenset[str]:
    """The keys of a text area, which act before any other while one is written in."""
    from textual.widgets import TextArea  # noqa: PLC0415  # as in `key_groups`

    return frozenset(
        key.strip() for binding in _own(TextArea.BINDINGS) for key in binding.key.split(",")
    )


def key_words(keys: str) -> str:
    """Keys as people write them: `ctrl+n` is `Ctrl+N`, `f4,plus` is `F4  +`."""
    return "  ".join(_one_key(key.strip()) for key in keys.split(","))


def keys_of(binding: Binding, keymap: Mapping[str, str]) -> str:
    """The keys of a binding in words, as they are now."""
    return key_words(keymap.get(binding.id or "", binding.key))


def now_on(words: str, keymap: Mapping[str, str]) -> str:
    """The keys, in words, of what has the key `words` by default."""
    if not keymap:
        return words
    for binding in (binding for group in key_groups() for binding in group.bindings):
        if binding.id in keymap and words in key_words(binding.key).split("  "):
            return keys_of(binding, keymap)
    return words


def _one_key(key: str) -> str:
    *modifiers, base = key.split("+")
    if len(base) == 1 and base.isupper():
        modifiers.append("shift")
    word = _WORDS.get(base) or (base.upper() if len(base) == 1 else base.capitalize())
    return "+".join((*(modifier.capitalize() for modifier in modifiers), word))


def _own(bindings: Iterable[BindingType]) -> tuple[Binding, ...]:
    return tuple(binding for binding in bindings if isinstance(binding, Binding))


_EVERYWHERE: Final = (("Ctrl+P", "Command palette: everything by its name"),)
_WRITING: Final = (
    ("Enter", "Send"),
    ("/", "A command: Tab completes, Enter runs; //word sends a text"),
    ("@", "A file below the working folder or, with ~ and /, anywhere"),
    ("↑", "In the empty composer: edit your last message; Esc leaves that"),
    ("drop, paste", "Attach a file, or insert a text"),
)
_ATTACHED: Final = (("a click", "On the tokens: the next budget; on the cross: remove"),)


def usable_keys(wanted: Mapping[str, str]) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """What of the wanted keys can be had, and why not the rest; see `keymap.check_keymap`."""
    if not wanted:
        return {}, ()
    from gemma_tui.tui.keymap import check_keymap  # noqa: PLC0415  # few change their keys

    return check_keymap(wanted)
