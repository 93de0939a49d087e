"""The model's memory is freed when nobody uses the app, and there again when it is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from gemma_tui.engine.interface import EngineState
from gemma_tui.tui.idle_unload import IdleUnload
from tests.scripted_engine import MODEL, Hold, ScriptedEngine
from tests.tui.test_models import folders, open_real

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from textual.timer import Timer
    from textual.worker import Worker

    from tests.tui.conftest import Opener, Running
    from tests.tui.test_models import Real

__all__ = ["folders", "open_real"]

HOUR = 3600.0


@dataclass
class Alarm:
    """A timer that a test lets ring."""

    seconds: float
    call: Callable[[], None]
    is_stopped: bool = False

    def stop(self) -> None:
        self.is_stopped = True


@dataclass
class Scene:
    """Time and timers of a test."""

    engine: ScriptedEngine
    minutes: int = 60
    is_busy: bool = False
    now: float = 0.0
    alarms: list[Alarm] = field(default_factory=list)
    work: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.idle = IdleUnload(
            self.engine,
            minutes=lambda: self.minutes,
            is_busy=lambda: self.is_busy,
            perform=self.perform,
            set_timer=self.set_timer,
            clock=lambda: self.now,
        )
        self.engine.watch(self.idle.engine_changed)

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        self.work.append(work)
        return cast("Worker[None]", None)

    def set_timer(self, seconds: float, call: Callable[[], None]) -> Timer:
        alarm = Alarm(seconds, call)
        self.alarms.append(alarm)
        return cast("Timer", alarm)

    async def ring(self) -> None:
        """Let the time pass for which the one timer was set."""
        (alarm,) = [alarm for alarm in self.alarms if not alarm.is_stopped]
        self.alarms.clear()
        self.now += alarm.seconds
        alarm.call()
        for work in self.work:
            await work()
        self.work.clear()

    @property
    def phase(self) -> str:
        return self.engine.state.phase


async def test_it_is_unloaded_after_the_time_of_the_setting() -> None:
    scene = Scene(ScriptedEngine())
    scene.idle.settle()
    await scene.ring()
    assert scene.now == HOUR
    assert scene.phase == "unloaded"
    assert not scene.alarms
    scene.engine.wake()
    assert scene.alarms  # counted anew once it is there again


async def test_every_use_begins_the_time_anew() -> None:
    scene = Scene(ScriptedEngine())
    scene.idle.settle()
    scene.now = HOUR / 2
    scene.idle.used()
    scene.alarms[0].seconds = HOUR / 2
    await scene.ring()
    assert scene.phase == "ready"
    assert scene.alarms[0].seconds == HOUR / 2
    await scene.ring()
    assert scene.phase == "unloaded"
    assert scene.now == 1.5 * HOUR


async def test_what_is_under_way_keeps_it() -> None:
    scene = Scene(ScriptedEngine(), is_busy=True)
    scene.idle.settle()
    await scene.ring()
    await scene.ring()
    assert scene.phase == "ready"
    scene.is_busy = False
    scene.engine.set_state(EngineState("generating", MODEL))  # a title, which is no turn
    await scene.ring()
    assert scene.phase == "generating"
    scene.engine.set_state(EngineState("ready", MODEL))
    await scene.ring()
    assert scene.phase == "unloaded"


async def test_a_changed_setting_holds_at_once() -> None:
    scene = Scene(ScriptedEngine(), minutes=0)
    scene.idle.settle()
    assert not scene.alarms
    scene.minutes, scene.now = 30, 10 * 60.0
    scene.idle.settle()
    assert scene.alarms[0].seconds == 20 * 60.0
    scene.minutes = 0
    scene.idle.settle()
    assert [alarm.is_stopped for alarm in scene.alarms] == [True]


def let_time_pass(running: Running) -> None:
    idle = running.app.chat_screen.choosing.idle
    idle._used_at -= 2 * HOUR
    idle._look()


async def test_typing_loads_it_again(open_app: Opener) -> None:
    engine = ScriptedEngine()
    async with open_app(engine) as running:
        let_time_pass(running)
        await running.shown("model unloaded")
        await running.pilot.press("f1", "escape")
        assert engine.state.phase == "unloaded"
        await running.type("h")
        await running.until(lambda: engine.state.phase == "ready", "the model")
        assert "model unloaded" not in running.status


async def test_a_key_counts_as_use_and_a_reply_too(open_app: Opener) -> None:
    hold = Hold()
    engine = ScriptedEngine(["One", hold, " two"])
    async with open_app(engine) as running:
        idle = running.app.chat_screen.choosing.idle
        idle._used_at -= 2 * HOUR
        await running.pilot.press("f1")
        idle._look()
        await running.pilot.pause()
        assert "model unloaded" not in running.status
        await running.pilot.press("escape")
        await running.send("hello")
        await running.until(hold.reached.is_set, "the reply")
        let_time_pass(running)
        await running.pilot.pause()
        assert running.app.chat_screen.desk.turn is not None
        assert "model unloaded" not in running.status
        hold.release()
        await running.shown("One two")


async def test_the_next_question_is_answered_by_the_model_that_was_unloaded(
    open_real: Callable[..., AbstractAsyncContextManager[Real]],
) -> None:
    async with open_real() as running:
        await running.settled("built-in demo")
        await running.answer("hello", 2)
        client = running.client
        await running.until(lambda: client.state.phase == "ready", "a pause")
        let_time_pass(running)
        await running.shown("model unloaded")
        phases: list[str] = []
        client.watch(lambda state: phases.append(state.phase))
        assert (await client.status()).model is None
        running.app.chat_screen.choosing.models.wake = lambda: None  # type: ignore[method-assign]
        await running.answer("hello again", 4)  # without the head start that typing gives
        assert phases[0] == "loading"
        assert [message.model for message in await running.branch()][3] == "built-in demo"
