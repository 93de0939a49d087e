"""The tables of the settings file."""

from __future__ import annotations

from typing import Final

SECTIONS: Final = {
    "model": "Model",
    "replies": "Replies",
    "sampling": "How words are drawn",
    "pictures": "Pictures",
    "sound": "Sound",
    "app": "The app",
}
"""Tables of the file, in the order in which they are shown, and their headings."""
