"""What a long conversation costs to open, scroll, resize and search; run by hand.

    python -m tests.bench.reading [messages]

Runs the widget on a headless screen of 120 x 40. Answers have a heading, prose, a list, code and a
table, about 700 characters. Times are CPU milliseconds, medians and worst; memory is what the
process grew by.
"""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App

from gemma_tui.tui.transcript import Transcript
from tests.bench.transcript import resident_bytes
from tests.tui.transcript.drawing import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult

    from gemma_tui.conversation import Message

_WORDS = "The quick **brown** fox jumps over the `lazy` dog, and *nobody* minds it. "
_ANSWER = (
    f"## Answer {{0}}\n\n{_WORDS * 5}\n\n- one item\n- another item\n\n```python\ndef f(x):\n"
    f"    return x ** {{0}}\n```\n\n{_WORDS * 3}\n\n| a | b |\n|--|--|\n| 1 | {{0}} |\n"
)


def talk(count: int) -> list[Message]:
    """Questions and answers in turn."""
    return [
        message(n, "user", f"What about number {n}?")
        if n % 2
        else message(n, "model", _ANSWER.format(n))
        for n in range(1, count + 1)
    ]


class ReadingApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Transcript()


def timed(steps: Iterable[Callable[[], object]]) -> str:
    """Median and worst of some steps."""
    spent = []
    for step in steps:
        begin = time.process_time()
        step()
        spent.append(1000 * (time.process_time() - begin))
    spent.sort()
    return f"{spent[len(spent) // 2]:8.1f} {spent[-1]:8.1f}"


async def measure(count: int) -> None:
    """Print everything."""
    app, messages = ReadingApp(), talk(count)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(1)  # the parsers are loaded
        transcript = app.query_one(Transcript)
        height = transcript.size.height
        memory = resident_bytes()

        def paint() -> None:
            for y in range(height):
                transcript.render_line(y)

        def show() -> None:
            transcript.show(messages)
            paint()

        def scroll_to(y: int) -> None:
            transcript.scroll_to(y=y, animate=False, immediate=True)
            paint()

        def resize(width: int) -> None:
            transcript._document.set_width(width)
            transcript._settle(transcript._place())
            paint()

        def grown() -> str:
            return f"{(resident_bytes() - memory) / 1e6:.1f} MB"

        def report(what: str, figures: str) -> None:
            print(f"{what:44} {figures}")  # noqa: T201

        report(f"{count} messages", "  median    worst  (CPU ms)")
        report("open and paint", timed([show]))
        report("memory", grown())
        rows = [*range(0, 900, 3), *range(transcript._document.height, 3000, -3)[:300]]
        report(
            "scroll three rows, at the top and at the end",
            timed([partial(scroll_to, y) for y in rows]),
        )
        middle = transcript._document.height // 2
        report("jump to the middle", timed([lambda: scroll_to(middle)]))
        report("resize, 200 times", timed([partial(resize, 60 + n % 57) for n in range(200)]))
        report("find what is everywhere", timed([lambda: transcript.find("fox")]))
        report("next hit, 200 times", timed([lambda: transcript.find_next(1)] * 200))
        report("find what is nowhere", timed([lambda: transcript.find("nowhere")]))
        transcript.end_find()
        transcript.choose()
        report("cursor up, 200 times", timed([lambda: transcript.action_move(-1)] * 200))
        report("memory", grown())
        report("draw every row", timed([lambda: transcript._document.draw(0, 10**9)]))
        report("memory", grown())


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if sys.argv[1:] else 2000))
