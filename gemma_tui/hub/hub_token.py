"""The user's token for a hub. Read where it is needed; never stored or logged."""

from __future__ import annotations

import os
from pathlib import Path


def hub_token() -> str:
    """The user's token, from `HF_TOKEN` or the file that `hf auth login` writes; empty if none."""
    from huggingface_hub import constants  # noqa: PLC0415  # its own rules for the place

    if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        return ""
    token = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN") or ""
    if not token:
        try:
            token = Path(constants.HF_TOKEN_PATH).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""
    token = token.strip()
    return token if token.isascii() and token.isprintable() else ""
