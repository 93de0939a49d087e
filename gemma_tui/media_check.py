"""Whether the attachments of a turn can be answered about; it asks the file system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.errors import CapabilityError
from gemma_tui.preprocessing.budget import check_budget
from gemma_tui.storage.blobs import missing_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gemma_tui.conversation import Attachment
    from gemma_tui.generation import ModelInfo


def check_media(
    attachments: Iterable[Attachment], path_of: Callable[[str], Path], model: ModelInfo | None
) -> None:
    """Refuse a turn whose attachments cannot be answered about.

    Args:
        attachments: Those of the whole branch, the question's last.
        path_of: Where the bytes of a sha256 are.
        model: The loaded model, if one is.

    Raises:
        BudgetError: A picture's budget is not one of the token budgets.
        AttachmentError: The copy of an attachment is gone.
        CapabilityError: The model lacks a sense.
    """
    for attachment in attachments:
        kinds = attachment.media_kinds  # the sound of a video may be left out
        if "image" in kinds:
            check_budget(attachment.token_budget)
        if not path_of(attachment.sha256).is_file():
            raise missing_blob(attachment.name)
        if model and "image" in kinds and not model.can_see:
            raise _lacks_sense(model, "see", attachment.name)
        if model and attachment.kind == "audio" and not model.can_hear:
            raise _lacks_sense(model, "hear", attachment.name)


def _lacks_sense(model: ModelInfo, sense: str, name: str) -> CapabilityError:
    first = " have it written down by one first (/transcribe)," if sense == "hear" else ""
    return CapabilityError(
        f"{model.name} cannot {sense}, so it cannot take “{name}”.",
        f"Load a model that can {sense},{first} or ask without the file in a new conversation.",
    )


def lacking_senses(attachments: Iterable[Attachment], model: ModelInfo) -> str:
    """What a model cannot take of the attachments of a conversation; empty if it takes all.

    Args:
        attachments: Those of the whole branch and of the draft.
        model: The loaded model.
    """
    found = tuple(attachments)
    sentences = []
    # The sound of a video is left out where it cannot be heard; nothing is refused for it.
    for kind, can, sense, what, then in (
        ("image", model.can_see, "see", "picture", "questions here are refused"),
        ("audio", model.can_hear, "hear", "sound", "earlier ones are skipped"),
    ):
        count = sum(kind in a.media_kinds if kind == "image" else a.kind == kind for a in found)
        if count and not can:
            these = f"a {what}" if count == 1 else f"{count} {what}s"
            sentences.append(
                f"It cannot {sense}, and this conversation has {these}: {then}"
                f" until a model that can {sense} is chosen. Nothing is removed."
            )
    return " ".join(sentences)
