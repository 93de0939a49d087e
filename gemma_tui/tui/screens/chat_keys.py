"""The keys of the main screen; the command palette offers those that are shown."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

CHAT_KEYS: Final[list[BindingType]] = [
    Binding("escape", "stop", "Stop the reply"),
    Binding("ctrl+n", "new_conversation", "New conversation"),
    Binding("ctrl+b", "toggle_list", "Show or hide the conversations"),
    Binding("ctrl+o", "attach", "Attach a file by its path"),
    Binding("ctrl+t", "toggle_thinking", "Thinking on or off"),
    Binding("ctrl+r", "retry", "Answer again"),
    Binding("ctrl+g", "continue_reply", "Go on with the reply that was cut off"),
    Binding("alt+up", "read('messages')", "Choose a message: copy, edit, answer again…"),
    Binding("ctrl+f", "read('find')", "Find in this conversation"),
    Binding("f8", "toggle_overflow", "When the context is full: leave out turns, or refuse"),
    Binding("f4", "change_budget", "Next token budget of the picture"),
    Binding("pageup", "scroll_transcript(-1)", "Scroll up", show=False),
    Binding("pagedown", "scroll_transcript(1)", "Scroll down", show=False),
]

WORKSPACE_KEYS: Final[list[BindingType]] = [
    Binding("f3,ctrl+shift+f", "search", "Search all conversations"),
    Binding("f5,ctrl+pagedown", "move_tab(1)", "Next tab"),
    Binding("shift+f5,ctrl+pageup", "move_tab(-1)", "Previous tab"),
    Binding("alt+n", "new_tab", "New conversation in a tab of its own"),
    Binding("alt+w", "close_tab", "Close this tab"),
    *(Binding(f"alt+{n}", f"show_tab({n})", f"Tab {n}", show=False) for n in range(1, 10)),
]
"""Keys of all that lies beside each other: conversations as wholes."""
