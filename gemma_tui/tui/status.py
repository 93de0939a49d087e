"""What the status line and the list say, from the state of the engine and of the turn. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.server_name import server_of
from gemma_tui.tui.widgets.status_line import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.engine.interface import EngineState
    from gemma_tui.frontend.turn import Turn
    from gemma_tui.options import GenerationOptions, Overflow
    from gemma_tui.tui.page import Page


def engine_label(state: EngineState) -> str:
    """What the engine does, in words."""
    match state.phase:
        case "stopped" if state.problem:
            return "the engine has stopped"
        case "starting" | "stopped":
            return "starting the engine"
        case "loading":
            loading = f"loading the model {100 * state.fraction:.0f} %"
            return f"asking {state.server}" if state.server else loading
        case "failed":
            return "no model" if state.model is None else "the engine failed"
        case "unloaded":
            return "model unloaded"
        case "ready" | "generating":
            return "ready"


def turn_label(turn: Turn, state: EngineState) -> str:
    """What the turn does; while the model loads, that. That it stops is said at once."""
    if turn.is_stopping:
        return "stopping"
    is_up = state.phase in ("ready", "generating")
    return turn.label if is_up else engine_label(state)


STILL_WRITING: Final = (
    "A reply is still being written. Wait for it, or press Esc to stop it.",
    "A reply is still being written elsewhere. Wait for it, or press Esc to stop it.",
)
"""Why nothing can be sent now, and what to do; true until the reply has ended."""


def still_writing(turn: Turn, page: Page) -> str:
    """The one of `STILL_WRITING` that is true on this page."""
    return STILL_WRITING[turn.conversation_id != page.conversation_id]


NOT_CUT_OFF: Final = "There is no cut-off reply to go on with."
"""What to say when nothing can be continued."""


MODEL_CHANGES: Final = "The model is being changed. Try again once it is there."
"""Why a reply cannot be begun now that nobody would remember to begin later."""


def overflow_sentence(overflow: Overflow) -> str:
    """What happens when the context is full."""
    what = "the oldest turns are left out" if overflow == "drop_oldest" else "nothing is left out"
    return f"When the context is full, {what}."


def list_marks(
    current: int | None, drafts: Iterable[int | None], turn: Turn | None
) -> dict[int, str]:
    """What stands before the conversations in the list."""
    marks = {key: "✎" for key in drafts if key is not None}
    if current is not None:
        marks[current] = "▸"
    if turn is not None and turn.conversation_id is not None:
        marks[turn.conversation_id] = "…"
    return marks


def status_of(
    state: EngineState,
    page: Page,
    turn: Turn | None,
    options: GenerationOptions,
    switch: str = "",
    download: str = "",
) -> Status:
    """Everything the status line can say now.

    Args:
        state: Of the engine.
        page: The open one.
        turn: The reply that is being written.
        options: How the next one is written.
        switch: What a change of the model does.
        download: How far a model is that is being downloaded.
    """
    model = state.model
    phase = turn_label(turn, state) if turn else switch or engine_label(state)
    if turn and switch:
        phase = f"{phase} · {switch}"
    elif switch and state.phase == "loading" and not state.server:
        phase = f"{switch} {100 * state.fraction:.0f} %"
    if model and server_of(model.folder):
        phase = f"remote · {phase}"  # first on the line: it stays where the name has no room
    return Status(
        phase=phase,
        model=model.name if model else "",
        download=download,
        is_busy=turn is not None,
        is_broken=state.phase == "failed" or (state.phase == "stopped" and bool(state.problem)),
        tokens_per_second=turn.tokens_per_second if turn else page.tokens_per_second,
        context_tokens=page.context_tokens,
        context_length=model.context_length if model else 0,
        thinking=options.thinking,
        drops_oldest=options.overflow == "drop_oldest",
    )
