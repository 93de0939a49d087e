"""How work that may fail with a sentence for the user is begun: as a worker of the chat screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from textual.worker import Worker

Perform: TypeAlias = Callable[[Callable[[], Awaitable[None]]], Worker[None]]
"""Runs it; a `GemmaError` is told above the composer."""
