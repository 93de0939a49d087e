"""The keys of the main screen; the command palette offers those that are shown."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

CHAT_KEYS: Final[list[BindingType]] = [
    Binding("escape", "stop", "Stop the reply", id="chat.stop"),
    Binding("ctrl+n", "new_conversation", "New conversation", id="chat.new"),
    Binding("ctrl+b", "toggle_list", "Show or hide the conversations", id="chat.toggle_list"),
    Binding("ctrl+o", "attach", "Attach a file by its path", id="chat.attach"),
    Binding(
        "alt+a", "attachments", "Attachments: see, use again, save, open", id="chat.attachments"
    ),
    Binding(
        "ctrl+v", "paste_clipboard", "Paste: a picture, files or text", id="chat.paste_clipboard"
    ),
    Binding("f9", "record", "Record with the microphone", id="chat.record"),
    Binding("ctrl+t", "toggle_thinking", "Thinking on or off", id="chat.toggle_thinking"),
    Binding("ctrl+r", "retry", "Answer again", id="chat.retry"),
    Binding(
        "ctrl+g",
        "continue_reply",
        "Go on with the reply that was cut off",
        id="chat.continue_reply",
    ),
    Binding(
        "alt+up",
        "read('messages')",
        "Choose a message: copy, edit, answer again…",
        id="chat.messages",
    ),
    Binding("ctrl+f", "read('find')", "Find in this conversation", id="chat.find"),
    Binding(
        "f8",
        "toggle_overflow",
        "When the context is full: leave out turns, or refuse",
        id="chat.toggle_overflow",
    ),
    Binding(
        "f12", "use_demo", "Built-in demo while your model cannot be loaded", id="chat.use_demo"
    ),
    Binding("f4", "change_budget", "Next token budget of the picture", id="chat.change_budget"),
    Binding("pageup", "scroll_transcript(-1)", "Scroll up", show=False, id="chat.scroll_up"),
    Binding("pagedown", "scroll_transcript(1)", "Scroll down", show=False, id="chat.scroll_down"),
]

WORKSPACE_KEYS: Final[list[BindingType]] = [
    Binding("f3,ctrl+shift+f", "search", "Search all conversations", id="tabs.search"),
    Binding("f5,ctrl+pagedown", "move_tab(1)", "Next tab", id="tabs.next"),
    Binding("shift+f5,ctrl+pageup", "move_tab(-1)", "Previous tab", id="tabs.previous"),
    Binding("alt+n", "new_tab", "New conversation in a tab of its own", id="tabs.new"),
    Binding("alt+w", "close_tab", "Close this tab", id="tabs.close"),
    *(
        Binding(f"alt+{n}", f"show_tab({n})", f"Tab {n}", show=False, id=f"tabs.show_{n}")
        for n in range(1, 10)
    ),
]
"""Keys of all that lies beside each other: conversations as wholes."""
