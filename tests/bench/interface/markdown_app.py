"""Textual's own `Markdown` widget as a chat: `python -m tests.bench.interface.markdown_app MESSAGES`.

One widget for each message in a scroll view, and a line to write in, as its documentation shows.
What is sent is answered with 100 tokens a second, made in this process.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from typing import TYPE_CHECKING

from textual.app import App
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown

from tests.bench.interface.texts import CHARACTERS, MOST_SECONDS, TOKENS_PER_SECOND, talk, text_of

if TYPE_CHECKING:
    from textual.app import ComposeResult


class MarkdownChat(App[None]):
    """Shows so many messages, and follows their end."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._texts = talk(count)

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            for text in self._texts:
                yield Markdown(text)
        yield Input(placeholder="Ask")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).anchor()
        self.query_one(Input).focus()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        event.input.clear()
        answer = Markdown()
        scroll = self.query_one(VerticalScroll)
        await scroll.mount(answer)
        scroll.anchor()
        self.run_worker(self._answer(answer))

    async def _answer(self, answer: Markdown) -> None:
        text = text_of("prose", CHARACTERS * TOKENS_PER_SECOND * MOST_SECONDS)
        stream, begun = Markdown.get_stream(answer), time.monotonic()
        for count in itertools.count():
            await asyncio.sleep(max(0.0, begun + count / TOKENS_PER_SECOND - time.monotonic()))
            await stream.write(text[count * CHARACTERS : (count + 1) * CHARACTERS])


if __name__ == "__main__":
    MarkdownChat(int(sys.argv[1])).run()
