"""What happens when the engine process, or the process that owns it, ends without being asked."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.engine.client import MAX_CRASHES, EngineClient
from gemma_tui.engine.interface import EngineState
from gemma_tui.errors import EngineError, EngineStoppedError
from gemma_tui.generation import TextDelta
from tests.engine.scenes import ask, collect, eventually, finish_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import NewEngine

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def kill_in_the_middle(engine: EngineClient) -> EngineStoppedError:
    """Kill the engine while it writes; returns the error that ends the reply."""
    process_id = (await engine.status()).process_id
    async with aclosing(engine.generate(ask("Count", max_tokens=8000))) as events:
        try:
            async for event in events:
                if isinstance(event, TextDelta):
                    os.kill(process_id, signal.SIGKILL)
        except EngineStoppedError as error:
            return error
    raise AssertionError("the reply ended as if nothing had happened")


async def test_after_a_kill_the_next_answer_works(
    new_engine: NewEngine, endless_model: Path
) -> None:
    engine = new_engine()
    await engine.start(endless_model)
    phases: list[str] = []
    engine.watch(lambda state: phases.append(state.phase))
    error = await kill_in_the_middle(engine)
    assert "SIGKILL" in error.message
    assert "restarted" in error.hint
    assert engine.state.problem == str(error)
    events = await collect(engine.generate(ask("Again", max_tokens=5)))
    assert finish_of(events).usage.generated_tokens == 5
    after = list(dict.fromkeys(phases[phases.index("stopped") :]))
    assert after == ["stopped", "starting", "loading", "ready", "generating"]
    assert engine.state.problem == ""


async def test_a_reply_that_waits_fails_with_the_running_one(
    new_engine: NewEngine, endless_model: Path
) -> None:
    engine = new_engine()
    await engine.start(endless_model)
    process_id = (await engine.status()).process_id
    replies = [
        asyncio.ensure_future(collect(engine.generate(ask("Count", max_tokens=8000))))
        for _ in range(2)
    ]
    await eventually(lambda: engine.state.phase == "generating")
    os.kill(process_id, signal.SIGKILL)
    for reply in replies:
        with pytest.raises(EngineStoppedError):
            await reply


async def test_an_engine_that_always_dies_is_left_alone_until_it_is_asked_again(
    new_engine: NewEngine, tmp_path: Path
) -> None:
    marks = tmp_path / "starts"
    code = f"open({str(marks)!r}, 'a').write('x'); raise SystemExit(3)"
    engine = new_engine((sys.executable, "-c", code))
    await engine.start(tmp_path)
    await eventually(lambda: engine.state.phase == "failed")
    assert marks.read_text() == "x" * MAX_CRASHES
    assert "exit code 3" in engine.state.problem
    assert "engine.log" in engine.state.problem
    with pytest.raises(EngineStoppedError, match="in a row"):
        await collect(engine.generate(ask("Hello")))
    assert marks.read_text() == "x" * (MAX_CRASHES + 1)
    assert engine.state.phase == "failed"


async def test_an_engine_that_cannot_be_started_says_so(new_engine: NewEngine) -> None:
    engine = new_engine(("/nonexistent/engine",))
    with pytest.raises(EngineError, match="could not be started"):
        await engine.status()


async def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    engine = EngineClient(tmp_path / "file" / "engine.log")
    with pytest.raises(EngineError, match="could not be started"):
        await engine.status()
    await engine.close()
    assert engine.state == EngineState("stopped")


async def test_an_engine_that_talks_nonsense_is_ended(new_engine: NewEngine) -> None:
    code = "import os, sys; os.write(1, b'hello, world'); sys.stdin.read()"
    engine = new_engine((sys.executable, "-c", code))
    with pytest.raises(EngineStoppedError, match="SIGKILL"):
        await engine.status()


async def test_an_engine_that_will_not_end_is_killed(
    new_engine: NewEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemma_tui.engine.process.SHUTDOWN_SECONDS", 0.05)
    code = "import os, signal, time\nos.write(2, b'up')\nwhile True: time.sleep(60)"
    engine = new_engine((sys.executable, "-c", code))
    waiting = asyncio.ensure_future(engine.status())
    await eventually(lambda: engine.state.phase == "ready")
    await engine.close()
    with pytest.raises(EngineStoppedError, match="closed"):
        await waiting
    assert engine.state.phase == "stopped"


PARENT = """
import asyncio, sys
from pathlib import Path
from gemma_tui.engine.client import EngineClient
from gemma_tui.generation import TextDelta
from tests.engine.scenes import ask

async def main():
    engine = EngineClient(Path(sys.argv[1]))
    await engine.start(Path(sys.argv[2]))
    said = False
    async for event in engine.generate(ask("Count", max_tokens=8000)):
        if isinstance(event, TextDelta) and not said:
            said = True
            print((await engine.status()).process_id, flush=True)
            if sys.argv[3] == "raise":
                raise RuntimeError("the app broke")

asyncio.run(main())
"""


def is_gone(process_id: int) -> bool:
    """Whether a process has ended, reaped or not."""
    command = ("ps", "-o", "stat=", "-p", str(process_id))
    state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return state in {"", "Z", "Zs", "Z+", "Zl"}


@pytest.mark.parametrize("end", ["kill", "raise"])
async def test_no_engine_survives_its_parent(end: str, endless_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(log), str(endless_model), end),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    process_id = int(await parent.stdout.readline())
    if end == "kill":
        parent.kill()
    assert await parent.wait() != 0
    await eventually(lambda: is_gone(process_id))
    assert "ended" in log.read_text()
