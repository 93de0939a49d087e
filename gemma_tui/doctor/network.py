"""Whether anything of this run reached a network, or tried to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.doctor.finding import Finding, State
from gemma_tui.errors import GemmaError

if TYPE_CHECKING:
    from gemma_tui.engine.interface import Engine
    from gemma_tui.network import NetworkGuard


async def network(guard: NetworkGuard, engine: Engine) -> Finding:
    """What the guards of this process and of the engine have counted.

    Args:
        guard: That of this process.
        engine: Started; asked last, so that everything it does is counted.
    """
    here = guard.activity
    try:
        there = await engine.status()
    except GemmaError:
        counts, who = (here.connections, here.refused), "the engine could not be asked"
    else:
        counts = here.connections + there.connections, here.refused + there.refused_connections
        who = "app and engine together"
    connections, refused = counts
    plural = "" if connections == 1 else "s"
    sentence = f"{connections} connection{plural} this run ({who}), {refused} refused"
    if refused:
        advice = "Something tried to reach a network without leave: the engine's log may say what."
        return Finding("network", State.PROBLEM, sentence, advice)
    return Finding("network", State.NOTE if connections else State.OK, sentence)
