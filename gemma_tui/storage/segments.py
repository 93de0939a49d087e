"""Segments of an attachment as JSON text, as they stand in a column.

Rows grow with a long recording (a clip takes about 20 bytes), so fields stand in order, unnamed.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING

from gemma_tui.conversation import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence


def pack_segments(segments: Sequence[Segment]) -> str:
    """Segments as they are stored; none are an empty text."""
    rows = [astuple(segment) for segment in segments]
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def unpack_segments(stored: str) -> tuple[Segment, ...]:
    """Segments as `pack_segments` stored them."""
    return tuple(Segment(*row) for row in json.loads(stored)) if stored else ()
