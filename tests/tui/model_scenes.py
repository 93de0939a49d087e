"""Scenes of the models screen, for pictures and for looking at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.paths import builtin_model
from gemma_tui.tui.model_rows import ModelPlace
from gemma_tui.tui.widgets.model_table import ModelTable
from tests.scripted_hub import FITS, NOT, TIGHT, ScriptedHub, offered
from tests.tui.scenes import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.tui.model_rows import Fit, ModelRow
    from tests.tui.conftest import Running

BEST: Final = "mlx-community/gemma-4-e4b-4-bit"


def _catalog(small: Fit = FITS, large: Fit = TIGHT) -> list[ModelRow]:
    why = "the best that fits 16 GB with room for long conversations."
    hears, sees = {"speed": "50–62" if small is FITS else ""}, {"senses": "sees, thinks"}
    best = {"speed": "30–41" if small is FITS else "", "advice": why if small is FITS else ""}
    quick = "Quick answers, pictures and sound on any machine."
    return [
        offered("Gemma 4 E2B", "4-bit", 3.6, small, purpose=quick, **hears),
        offered("Gemma 4 E2B", "8-bit", 5.9, small),
        offered("Gemma 4 E4B", "4-bit", 5.2, small, purpose="Everyday questions.", **best),
        offered("Gemma 4 E4B", "8-bit", 8.9, large),
        offered("Gemma 4 12B", "4-bit", 6.7, large, speed="12–18" if large is TIGHT else ""),
        offered("Gemma 4 26B-A4B", "4-bit", 15.6, NOT, **sees),
        offered("Gemma 4 31B", "4-bit", 18.4, NOT, **sees),
    ]


def _first() -> ScriptedHub:
    return ScriptedHub(_catalog())


def _too_large() -> ScriptedHub:
    return ScriptedHub(_catalog(NOT, NOT))


def _all() -> ScriptedHub:
    hub = ScriptedHub(_catalog())
    cached, here = ModelPlace.CACHE, builtin_model()
    facts = {"place": cached, "folder": here, "real_folder": "/models/e2b"}
    hub.put(hub.rows[0].repo, **facts, trust="verified")
    hub.put(hub.rows[1].repo, **facts | {"folder": None}, trust="partial", done_bytes=2_300_000_000)
    hub.put(hub.rows[3].repo, **facts | {"real_folder": "/models/e4b"}, trust="damaged")
    server = replace(hub.rows[0], key="server:studio", name="studio", kind="", repo="", fit=None)
    server = replace(server, place=ModelPlace.SERVER, server="http://studio.local:8000", advice="")
    hub.rows.append(replace(server, size_bytes=0, speed="", trust=""))
    return hub


async def _open(running: Running, folder: Path) -> None:
    del folder
    await running.pilot.press("ctrl+l")
    await running.shown("not downloaded")


async def _downloading(running: Running, folder: Path) -> None:
    await _open(running, folder)
    hub = running.app.chat_screen.choosing.library._hub
    assert isinstance(hub, ScriptedHub)
    running.app.screen.query_one(ModelTable).choose(BEST)
    await running.pilot.press("d")
    await running.shown("hub.example")
    await running.pilot.press("y")
    await running.until(lambda: hub.asked, "the download")
    hub.plan(BEST, 5.2)
    hub.progress(2.184, 5.2)
    await running.shown("downloading 42 %")


MODEL_SCENES: Final = (
    Scene("models-first-run", _open, hub=_first),
    Scene("models-downloading", _downloading, hub=_first),
    Scene("models-nothing-fits", _open, hub=_too_large),
    Scene("models-all-states", _downloading, hub=_all),
)
