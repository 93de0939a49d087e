"""The transcript: one widget that draws a whole conversation line by line."""

from gemma_tui.tui.transcript.widget import Transcript

__all__ = ["Transcript"]
