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
