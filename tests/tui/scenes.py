"""Scenes of the app that look different: what is measured, and what pictures are taken of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.widgets import Input

from gemma_tui.errors import EngineStoppedError
from gemma_tui.generation import TextDelta, ThoughtDelta
from tests.scripted_engine import Hold, ScriptedEngine
from tests.scripted_microphone import ScriptedMicrophone, speech
from tests.tui import media_scenes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.scripted_hub import ScriptedHub
    from tests.tui.conftest import Running

ANSWER: Final = """# A heading

Some **strong**, *soft* and ~~wrong~~ words, `code`, and a [link](https://example.org/page).

> A quotation of two lines,
> which goes on here.

1. one
2. two
   - a bullet

```python
# a comment
def area(radius: float) -> float:
    return 3.14159 * radius**2  # "about"
```

| name | size |
|---|---:|
| first | 12 |
| second | 3400 |

---

## Smaller
"""


async def _welcome(running: Running, folder: Path) -> None:
    del folder
    await running.shown("ready")


async def _answered(running: Running, folder: Path) -> None:
    del folder
    await running.send("show me everything you can write")
    await running.until(lambda: "ready" in running.status and "Smaller" in running.text())


async def _writing(running: Running, folder: Path) -> None:
    del folder
    await running.send("begin")
    await running.shown("and so on")


async def _failed(running: Running, folder: Path) -> None:
    del folder
    await running.send("fail")
    await running.shown("engine")
    await running.until(lambda: "ready" in running.status)


async def _chips(running: Running, folder: Path) -> None:
    picture, sound = folder / "a picture.png", folder / "memo.wav"
    picture.write_bytes(b"picture" * 1000)
    sound.write_bytes(b"sound")
    await running.drop(picture, sound)
    await running.type("what are these?\nand what do they cost?")
    running.tray.focus()
    await running.pilot.pause()


async def _gallery(running: Running, folder: Path) -> None:
    picture, sound = folder / "a picture.png", folder / "memo.wav"
    picture.write_bytes(b"picture" * 1000)
    sound.write_bytes(b"sound" * 1000)
    await running.drop(picture, sound)
    await running.send("What is this?")
    await running.until(lambda: not running.tray.attachments and "ready" in running.status)
    await running.pilot.press("alt+a")
    await running.shown("read in")


async def _list(running: Running, folder: Path) -> None:
    await _answered(running, folder)
    if not running.conversations.display:
        await running.pilot.press("ctrl+b")
    running.conversations.focus()
    await running.pilot.pause()


async def _help(running: Running, folder: Path) -> None:
    del folder
    await running.pilot.press("f1")
    await running.shown("Command palette")


async def _settings(running: Running, folder: Path) -> None:
    del folder
    await running.pilot.press("f2")
    await running.shown("Thinking")


async def _models(running: Running, folder: Path) -> None:
    del folder
    await running.pilot.press("ctrl+l")
    await running.shown("built-in")


async def _record(running: Running, folder: Path) -> None:
    del folder
    await running.type("What did I just say?")
    await running.shown("% of context")
    await running.pilot.press("f9")
    await running.shown("0:07")


async def _record_faults(running: Running, folder: Path) -> None:
    await _record(running, folder)
    await running.pilot.press("d")
    await running.shown("Headset")


async def _recorded(running: Running, folder: Path) -> None:
    await _record(running, folder)
    await running.pilot.press("p")
    await running.shown("stop playing")


async def _attach(running: Running, folder: Path) -> None:
    del folder
    await running.typed_path()


async def _palette(running: Running, folder: Path) -> None:
    del folder
    await running.pilot.press("ctrl+p")
    await running.until(lambda: running.app.screen.query(Input), "the palette")
    await running.shown("New conversation")


async def _search(running: Running, folder: Path) -> None:
    await _answered(running, folder)
    await running.pilot.press("escape", "f3")
    await running.until(lambda: running.app.screen.query(Input), "the search")
    await running.pilot.press(*"everything")
    await running.shown("show me everything")


async def _tour(running: Running, folder: Path) -> None:
    del folder
    running.app.action_tour()
    await running.shown("Nothing leaves it")


async def _completion(running: Running, folder: Path) -> None:
    del folder
    await running.type("/")
    await running.shown("/new")


async def _message(running: Running, folder: Path) -> None:
    await _answered(running, folder)
    await running.pilot.press("alt+up")
    await running.shown("back")


@dataclass(frozen=True)
class Scene:
    """One state of the app."""

    name: str
    show: Callable[[Running, Path], Awaitable[None]]
    """Brings a running app there, with files in a folder of the test."""
    engine: Callable[[], ScriptedEngine] = ScriptedEngine
    keeps_colours: bool = False
    """Whether it has to be closed and shown again to get the colours of another theme."""
    heard: Callable[[], ScriptedMicrophone] | None = None
    hub: Callable[[], ScriptedHub | None] = lambda: None
    """Where other models come from."""

    def microphone(self) -> ScriptedMicrophone | None:
        """What the app records from, if it does."""
        return self.heard() if self.heard else None


def _heard() -> ScriptedMicrophone:
    return ScriptedMicrophone([*speech(105), 0.8, 0.3])


def _muted() -> ScriptedMicrophone:
    return ScriptedMicrophone([0.0] * 110)


def _talkative() -> ScriptedEngine:
    return ScriptedEngine([ThoughtDelta("Everything is wanted."), TextDelta(ANSWER)])


def _slow() -> ScriptedEngine:
    return ScriptedEngine(["First, second, and so on", Hold()])


def _broken() -> ScriptedEngine:
    return ScriptedEngine(["Some", EngineStoppedError("The engine stopped.", "Ask again.")])


SCENES: Final = (
    Scene("welcome", _welcome),
    Scene("answered", _answered, _talkative),
    Scene("writing", _writing, _slow),
    Scene("failed", _failed, _broken),
    Scene("chips", _chips),
    Scene("gallery", _gallery),
    Scene("list", _list, _talkative),
    Scene("help", _help),
    Scene("settings", _settings),
    Scene("models", _models),
    Scene("attach", _attach),
    Scene("record", _record, heard=_heard),
    Scene("record-silence", _record_faults, heard=_muted),
    Scene("recorded", _recorded, heard=_heard),
    Scene("search", _search, _talkative),
    Scene("tour", _tour),
    Scene("completion", _completion),
    Scene("message", _message, _talkative),
    Scene("media", media_scenes.show_kinds, media_scenes.listening_engine),
    Scene("password", media_scenes.show_password, media_scenes.listening_engine),
    Scene("palette", _palette, keeps_colours=True),
)

PICTURED: Final = (
    *SCENES,
    Scene("budgets", media_scenes.show_budgets, media_scenes.listening_engine),
    Scene("transcribing", media_scenes.show_transcribing, media_scenes.listening_engine),
    Scene("record-loud", media_scenes.show_loud, heard=media_scenes.too_loud),
)
"""Further ones are made of the same widgets: pictures are taken of them, nothing is measured."""
