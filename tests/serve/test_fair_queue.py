"""Who is next, and what happens to those who give up."""

from __future__ import annotations

import asyncio

import pytest

from gemma_tui.errors import ApiRequestError
from gemma_tui.serve.fair_queue import FairQueue


class Line:
    """Requests that stand in a queue, and the order in which they get their turns."""

    def __init__(self, limit: int = 16) -> None:
        self.queue = FairQueue(limit)
        self.order: list[str] = []
        self.go_on = asyncio.Semaphore(0)

    async def ask(self, name: str) -> None:
        async with self.queue.turn(name[0]):
            self.order.append(name)
            await self.go_on.acquire()

    async def stand(self, *names: str) -> list[asyncio.Task[None]]:
        tasks = []
        for name in names:
            tasks.append(asyncio.create_task(self.ask(name)))
            await asyncio.sleep(0)
        return tasks

    async def run(self, tasks: list[asyncio.Task[None]]) -> None:
        for _ in tasks:
            self.go_on.release()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_clients_take_turns_and_each_ones_requests_stay_in_order() -> None:
    line = Line()
    tasks = await line.stand("a1", "a2", "a3", "b1", "c1", "b2")
    assert (line.order, line.queue.waiting) == (["a1"], 5)
    await line.run(tasks)
    assert line.order == ["a1", "a2", "b1", "c1", "a3", "b2"]
    assert line.queue.waiting == 0
    await line.run(await line.stand("d1"))
    assert line.order[-1] == "d1"


async def test_one_too_many_is_told_to_come_back() -> None:
    line = Line(limit=2)
    tasks = await line.stand("a1", "b1", "b2")
    with pytest.raises(ApiRequestError, match="2 requests wait already") as caught:
        await line.ask("c1")
    assert caught.value.status == 429
    await line.run(tasks)
    assert line.order == ["a1", "b1", "b2"]


async def test_who_gives_up_keeps_nobody_waiting() -> None:
    line = Line()
    first, second, third = await line.stand("a1", "b1", "c1")
    second.cancel()
    await asyncio.sleep(0)
    assert line.queue.waiting == 1
    await line.run([first, second, third])
    assert line.order == ["a1", "c1"]


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_turn_granted_to_someone_who_gives_up_goes_to_the_next(
    *, cancelled_first: bool
) -> None:
    """In the same moment, in either order."""
    line = Line()
    first, second, third = await line.stand("a1", "b1", "c1")
    if cancelled_first:
        second.cancel()
        first.cancel()
    else:
        first.cancel()
        await asyncio.sleep(0)  # its turn is passed on, and nobody has woken up
        second.cancel()
    line.go_on.release()
    await asyncio.wait_for(third, 60)
    await asyncio.gather(first, second, return_exceptions=True)
    assert line.order == ["a1", "c1"]
    async with asyncio.timeout(60), line.queue.turn("d"):
        pass
