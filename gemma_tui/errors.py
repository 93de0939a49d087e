"""Every error the program raises on purpose, as one tree.

GemmaError
├── UsageError                wrong use of a command or an option
├── AttachmentError           a file that cannot be attached
│   ├── NotAFileError         no such file, a folder, a device, no permission
│   ├── UnsupportedFormatError  not a picture or a sound this program reads
│   ├── LockedDocumentError   a document that needs a password, or got a wrong one
│   ├── DamagedFileError      empty, truncated, or not what it claims to be
│   └── LimitError            too large, too long or too short
├── BudgetError               not one of the token budgets
├── ModelError                a model folder that cannot be loaded
│   ├── CapabilityError       this model cannot see, or cannot hear
│   └── InsufficientMemoryError  it needs more memory than is free
├── DownloadError             a model that cannot be fetched from a hub
│   ├── UnreachableHubError   no network, no such host, or something else answers in its place
│   ├── RefusedDownloadError  the hub says no: no access, no such repository, too many requests
│   └── DamagedDownloadError  what came is not what the hub lists
├── ContextOverflowError      the prompt does not fit the context
├── ExchangeError             conversations that cannot be exported or imported
│   ├── UnknownFormatError    no export this program reads, or one of a newer version
│   ├── DamagedExportError    broken inside, or not what it claims to be
│   └── ExportLimitError      larger, deeper or more than an import takes
├── SettingsError             a setting has a wrong value, or its file cannot be used
├── ClipboardError            what is copied cannot be read, or is nothing that can be pasted
├── MicrophoneError           nothing can be recorded, or played
│   ├── AudioLibraryError     what speaks to the microphone is not installed
│   ├── NoMicrophoneError     there is none, or not the one that was named
│   └── MicrophoneLostError   it disappeared while it recorded
├── ForbiddenConnectionError  something wanted to reach a network that nobody had allowed
├── ApiRequestError           a request of another program that cannot be answered as it is
├── EngineError               the engine process failed
│   ├── EngineStoppedError    it ended while it was needed
│   └── ServerError           the server that should answer did not
│       ├── UnreachableServerError  there is no connection to it, or it takes too long
│       ├── RefusedByServerError    it says no
│       └── BrokenReplyError        it sent what is no reply, or broke one off
└── StorageError              the data folder cannot be read or written
    ├── DiskFullError
    └── DamagedStoreError     the database is damaged or written by a newer version

They become a sentence where somebody can read it: in the chat screen's worker and its dialogues, in
the loop of plain mode, on the command line; in between they are caught only to undo something, or
to go on without it. The engine process turns them into a `Failed` event, from which the client
raises the same class again.
"""

from __future__ import annotations


class GemmaError(Exception):
    """What happened and why, and what to do about it.

    Args:
        message: One sentence: what happened, and why.
        hint: One sentence: what to do. May be empty where nothing can be done.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(GemmaError):
    """A command or an option was used wrongly (exit code 2 on the command line)."""


class AttachmentError(GemmaError):
    """A file that cannot be attached."""


class NotAFileError(AttachmentError):
    """There is no such file, or it is a folder or a device, or it may not be read."""


class UnsupportedFormatError(AttachmentError):
    """The content is not a picture or a sound this program reads, whatever the name says."""


class LockedDocumentError(AttachmentError):
    """The document needs a password, or the one that was typed does not open it."""


class DamagedFileError(AttachmentError):
    """The file is empty, truncated, or broken inside."""


class LimitError(AttachmentError):
    """The file is too large, too long or too short."""


class LongSoundError(LimitError):
    """A sound is longer than one clip may be."""


class BudgetError(GemmaError):
    """The number is not one of the token budgets."""


class ModelError(GemmaError):
    """The model folder cannot be loaded."""


class CapabilityError(ModelError):
    """The loaded model lacks a sense that the prompt needs."""


class InsufficientMemoryError(ModelError):
    """The model needs more memory than is free."""


class DownloadError(GemmaError):
    """A model cannot be fetched from a hub."""


class UnreachableHubError(DownloadError):
    """There is no network, no such host, no answer, or something else answers in its place."""


class RefusedDownloadError(DownloadError):
    """The hub refuses: no access, no such repository or revision, too many requests."""


class DamagedDownloadError(DownloadError):
    """What came is not what the hub lists, also when fetched again."""


class ContextOverflowError(GemmaError):
    """The prompt does not fit the model's context."""


class ExchangeError(GemmaError):
    """Conversations cannot be written to a file, or read from one."""


class UnknownFormatError(ExchangeError):
    """The file is no export that this program reads, or a newer program wrote it."""


class DamagedExportError(ExchangeError):
    """The file is truncated, broken inside, or contradicts itself."""


class ExportLimitError(ExchangeError):
    """Something in the file is larger, deeper or more than an import takes."""


class SettingsError(GemmaError):
    """A setting cannot have this value, or the settings file cannot be read or written."""


class ClipboardError(GemmaError):
    """The clipboard cannot be read, or holds nothing that can be pasted."""


class MicrophoneError(GemmaError):
    """Sound cannot be recorded, or played."""


class AudioLibraryError(MicrophoneError):
    """The library that speaks to the microphone is not installed."""


class NoMicrophoneError(MicrophoneError):
    """There is no microphone, or not the one that was named."""


class MicrophoneLostError(MicrophoneError):
    """The microphone disappeared while it recorded; what came before is kept."""


class ForbiddenConnectionError(GemmaError):
    """A network connection that nobody had asked for was refused."""


class ApiRequestError(GemmaError):
    """A request of another program is wrong, not permitted, or asks for what is not there.

    Args:
        message: As of every error.
        hint: As of every error.
        parameter: The field that is wrong, if one is.
        status: The HTTP status that says the same.
        code: OpenAI's word for it, or one of our own.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        parameter: str = "",
        status: int = 400,
        code: str = "invalid_value",
    ) -> None:
        super().__init__(message, hint)
        self.parameter = parameter
        self.status = status
        self.code = code


class EngineError(GemmaError):
    """The engine process failed in a way no other class names."""


class EngineStoppedError(EngineError):
    """The engine process ended while it was needed."""


class ServerError(EngineError):
    """A server of the settings did not answer as it should."""


class UnreachableServerError(ServerError):
    """There is no connection to the server, or it takes longer than it may."""


class RefusedByServerError(ServerError):
    """The server refused what it was asked for.

    Args:
        message: As of `GemmaError`, like `hint`.
        status: Of HTTP; 0 if it said so otherwise.
    """

    def __init__(self, message: str, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


class BrokenReplyError(ServerError):
    """What the server sent is no reply, or a reply that was broken off."""


class StorageError(GemmaError):
    """The data folder cannot be read or written."""


class DiskFullError(StorageError):
    """There is no space left where something had to be written."""


class DamagedStoreError(StorageError):
    """The database is damaged, or was written by a newer version."""


def error_classes() -> dict[str, type[GemmaError]]:
    """Every class of the tree by its name, for carrying an error across the pipe."""
    found: dict[str, type[GemmaError]] = {}
    waiting: list[type[GemmaError]] = [GemmaError]
    while waiting:
        cls = waiting.pop()
        found[cls.__name__] = cls
        waiting.extend(cls.__subclasses__())
    return found
