"""Every command: the one source for what `/` offers and for the palette. Pure values.

A command is one entry of `COMMANDS` and runs a Textual action, so adding one takes a line here and
an `action_…` method on the chat screen or the app; and in `plain.commands` either a place among
those that plain mode shares, with a `do_…` method of `CommandRunner`, or what to do there instead.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from gemma_tui.errors import UsageError
from gemma_tui.preprocessing.budget import AUTO, TOKEN_BUDGETS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Need: TypeAlias = Literal["conversation", "question", "answer", "cut_off", "writing", "idle"]
"""What a command may need: a stored conversation, a question or an answer in it, a reply that was
cut off, a reply that is being written, or none that is."""

_LACKS: Final[dict[Need, tuple[str, str]]] = {
    "conversation": ("This conversation does not exist yet.", "Send a message first."),
    "question": ("There is no question yet.", "Send a message first."),
    "answer": ("There is no answer yet.", "Send a message first."),
    "cut_off": ("There is no cut-off reply to go on with.", ""),
    "writing": ("No reply is being written.", ""),
    "idle": ("A reply is still being written.", "Wait for it, or press Esc to stop it."),
}


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can ask for by name."""

    name: str
    """Lower case, without the slash."""
    title: str
    """What it does, in a few words."""
    action: str
    """A Textual action without parameters; one that takes an argument gets it as a string."""
    aliases: tuple[str, ...] = ()
    argument: str = ""
    """How the argument is called in lists; empty for a command that takes none."""
    needs_argument: bool = False
    choices: tuple[str, ...] = ()
    """The arguments there are, where that is a known set."""
    prefix: str = ""
    """What may stand before each of them."""
    needs: tuple[Need, ...] = ()
    key: str = ""
    """The key that does the same."""

    @property
    def usage(self) -> str:
        """The command as it is written, for example `/rename title`."""
        return f"/{self.name} {self.argument}".rstrip()

    @property
    def advice(self) -> str:
        """How to write it right."""
        if not self.choices:
            return f"Write {self.usage}."
        known = f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
        return f"Write /{self.name} with {known}."


THEME_NAMES: Final = ("dark", "light", "contrast-dark", "contrast-light", "terminal")
"""As the settings have them; Textual puts `gemma-` in front."""

_BUDGETS: Final = (*map(str, TOKEN_BUDGETS), AUTO)

COMMANDS: Final = (
    Command("new", "New conversation", "screen.new_conversation", ("clear",), key="Ctrl+N"),
    Command("settings", "Everything that can be set", "app.settings", ("set",), key="F2"),
    Command("model", "Choose the model", "app.models", ("models",), key="Ctrl+L"),
    Command(
        "demo", "Let the built-in demo answer while your model cannot be loaded",
        "screen.use_demo", key="F12",
    ),
    Command("stop", "Stop the reply", "screen.stop", needs=("writing",), key="Esc"),
    Command(
        "retry", "Answer again", "screen.retry", ("again",), needs=("question", "idle"),
        key="Ctrl+R",
    ),
    Command(
        "continue", "Go on with the reply that was cut off", "screen.continue_reply",
        needs=("cut_off", "idle"), key="Ctrl+G",
    ),
    Command(
        "edit", "Edit the last question and ask it again", "screen.edit_question",
        needs=("question",), key="Up",
    ),
    Command("copy", "Copy the last answer", "screen.copy_answer", needs=("answer",)),
    Command("attach", "Attach a file", "screen.attach_named", argument="path", key="Ctrl+O"),
    Command(
        "attachments", "Attachments of the conversation: see, use again, save, open",
        "screen.attachments", ("media", "gallery"), needs=("conversation",), key="Alt+A",
    ),
    Command(
        "paste", "Paste the picture, files or text that are copied", "screen.paste_clipboard",
        key="Ctrl+V",
    ),
    Command(
        "record", "Record with the microphone", "screen.record", ("microphone", "mic"), key="F9"
    ),
    Command("detach", "Take the last attachment off again", "screen.detach"),
    Command(
        "budget", "Token budget of the picture", "screen.set_budget", ("image-tokens",),
        argument="tokens", needs_argument=True, choices=_BUDGETS, key="F4",
    ),
    Command(
        "range", "Which pages, lines, part of a sound or frames are sent",
        "screen.choose_parts", ("pages", "lines", "rows", "frames"),
        argument="1-5, 8 or 10:00-12:30", needs_argument=True,
    ),
    Command(
        "crop", "Attach a part of the picture, or a field from 1 to 9",
        "screen.crop_picture", argument="10%,20%,50%,50%", needs_argument=True,
    ),
    Command(
        "transcribe", "Write the sound down, as a text; again: stop", "screen.transcribe",
        ("transcript",), argument="language, --translate language",
    ),
    Command(
        "closer", "Ask again with more tokens for the pictures",
        "screen.look_closer", needs=("question", "idle"),
    ),
    Command(
        "think", "Thinking on or off", "screen.set_thinking", ("thinking",), argument="on or off",
        choices=("on", "off"), key="Ctrl+T",
    ),
    Command(
        "overflow", "When the context is full: leave out turns, or refuse",
        "screen.toggle_overflow", key="F8",
    ),
    Command(
        "system", "What the model is told first in this conversation",
        "screen.set_system_prompt", argument="text",
    ),
    Command(
        "rename", "Give the conversation another title", "screen.rename_conversation",
        ("title",), argument="title", needs_argument=True, needs=("conversation",),
    ),
    Command(
        "pin", "Pin the conversation to the top of the list, or take it off",
        "screen.toggle_pin", ("unpin",), needs=("conversation",),
    ),
    Command(
        "delete", "Delete the conversation; Ctrl+Z in the list brings it back",
        "screen.delete_conversation", needs=("conversation",),
    ),
    Command("undo", "Bring back the conversation that was deleted last", "screen.undo_delete"),
    Command(
        "tags", "Tags of the conversation, with commas", "screen.tag_conversation", ("tag",),
        argument="tags", needs=("conversation",),
    ),
    Command(
        "archive", "Archive the conversation, or take it back", "screen.archive_conversation",
        ("unarchive",), needs=("conversation",),
    ),
    Command(
        "export", "Write the conversation to a file: .md, .html or .json",
        "screen.export_conversation", ("save",), argument="path", needs=("conversation",),
    ),
    Command(
        "import", "Import conversations from a file", "screen.import_conversations",
        argument="path",
    ),
    Command(
        "search", "Search all conversations", "screen.search_conversations", ("find",),
        argument="words", key="F3",
    ),
    Command("list", "Show or hide the conversations", "screen.toggle_list", key="Ctrl+B"),
    Command(
        "theme", "Other colours", "app.choose_theme", ("colours",),
        argument="name", needs_argument=True, choices=THEME_NAMES, prefix="gemma-",
    ),
    Command("notices", "What was told, in full", "app.notices", ("errors",), key="F7"),
    Command("tour", "What there is, in three pages", "app.tour"),
    Command("help", "Help: all keys, attaching, privacy", "app.help", ("keys",), key="F1"),
    Command("quit", "Quit", "app.quit", ("exit", "bye"), key="Ctrl+Q"),
)  # fmt: skip
"""In the order in which lists show them."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command as it was typed."""

    command: Command
    argument: str = ""
    """Without the white space around it."""


_COMMAND: Final = re.compile(r"/([A-Za-z][A-Za-z0-9_-]*)(?:\s+(.*))?", re.DOTALL)


def looks_like_command(text: str) -> bool:
    """Whether a text begins with a slash and a word, as no path but one at the root does."""
    return _COMMAND.fullmatch(text) is not None


def find_command(word: str, commands: Sequence[Command] = COMMANDS) -> Command | None:
    """The command of this name or alias, in whatever case."""
    word = word.lower()
    return next((c for c in commands if word == c.name or word in c.aliases), None)


def parse_call(text: str, commands: Sequence[Command] = COMMANDS) -> Call | None:
    """The command that `text`, all of it, calls; None if no command has that name.

    Args:
        text: What was typed.
        commands: Those there are.

    Raises:
        UsageError: The argument is missing, or none is taken.
    """
    match = _COMMAND.fullmatch(text)
    command = find_command(match[1], commands) if match else None
    if match is None or command is None:
        return None
    argument = (match[2] or "").strip()
    if command.needs_argument and not argument:
        raise UsageError(f"/{command.name} needs an argument.", command.advice)
    if argument and not command.argument:
        raise UsageError(
            f"/{command.name} takes no argument.", "Put a blank before the slash to send a text."
        )
    if not argument or not command.choices:
        return Call(command, argument)
    choice = argument.lower().removeprefix(command.prefix)
    if choice not in command.choices:
        raise UsageError(f"/{command.name} does not know “{argument}”.", command.advice)
    return Call(command, choice)


ONLY_IN_PLAIN_MODE: Final = {
    "open": "Ctrl+B goes to the list of conversations, F3 searches them.",
    "show": "The conversation is on the screen; Home goes to its beginning from a chosen message.",
}
"""What to do instead of commands that only plain mode has."""


def unknown_command(
    text: str,
    commands: Sequence[Command] = COMMANDS,
    elsewhere: Mapping[str, str] = ONLY_IN_PLAIN_MODE,
    overview: str = "Type / to see all commands.",
) -> UsageError:
    """The sentence for a word behind a slash that is no command, with the nearest one.

    Args:
        text: What was typed.
        commands: Those there are.
        elsewhere: What to do instead of those that are only in another mode.
        overview: Where all of them are shown, said if none is near.
    """
    word = text[1:].split(maxsplit=1)[0].lower()
    known = find_command(word)
    if advice := elsewhere.get(known.name if known else word):
        return UsageError(f"/{word} cannot work here.", advice)
    names = [name for command in commands for name in (command.name, *command.aliases)]
    nearest = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    advice = f"Did you mean /{nearest[0]}?" if nearest else overview
    return UsageError(
        f"There is no command /{word}.", f"{advice} Write //{word} to send it as a text."
    )


def check_available(command: Command, met: Collection[Need]) -> None:
    """Say why a command cannot run now, if it cannot.

    Args:
        command: The command.
        met: What is there now.

    Raises:
        UsageError: Something it needs is missing.
    """
    for need in command.needs:
        if need not in met:
            raise UsageError(*_LACKS[need])


def plain_text(text: str) -> str:
    """What is sent of a text: `//word` stands for `/word`, anything else for itself."""
    return text[1:] if text.startswith("//") and looks_like_command(text[1:]) else text
