"""`gemma-tui doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from gemma_tui.answer_stream import write_answer
from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.doctor.examination import Patient, examine
from gemma_tui.doctor.finding import Finding, State
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.microphone.client import SystemMicrophone
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile

if TYPE_CHECKING:
    from gemma_tui.network import NetworkGuard
    from gemma_tui.paths import Paths

MARKS: Final = {State.OK: "ok", State.NOTE: "note", State.PROBLEM: "PROBLEM"}
_MARK_WIDTH: Final = 9
_TOPIC_WIDTH: Final = 13


def run_doctor(paths: Paths, network: NetworkGuard, *, as_json: bool) -> int:
    """Examine, and print what is found; returns the exit code: 1 if there is a problem.

    Args:
        paths: Where everything is stored.
        network: Knows what this process is connected with.
        as_json: One object at the end instead of lines as they come.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    findings: list[Finding] = []
    asyncio.run(until_signalled(_examine(paths, network, findings, as_json=as_json)))
    if as_json:
        content = {"findings": [asdict(finding) for finding in findings]}
        write_answer(sys.stdout, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return int(any(finding.state is State.PROBLEM for finding in findings))


async def _examine(
    paths: Paths, network: NetworkGuard, findings: list[Finding], *, as_json: bool
) -> None:
    progress = Progress(sys.stderr)
    engine = EngineClient(paths.engine_log, command=worker_command(paths.engine_log))
    patient = Patient(
        paths=paths,
        configuration=Configuration(SettingsFile(paths.settings), os.environ),
        environ=os.environ,
        engine=engine,
        microphone=SystemMicrophone(paths.microphone_log),
        network=network,
    )
    try:
        async for finding in examine(patient):
            findings.append(finding)
            progress.clear()
            if not as_json:
                write_answer(sys.stdout, as_text(finding))
            progress.show("looking further")
    finally:
        progress.clear()
        await engine.close()


def as_text(finding: Finding) -> str:
    """A line, and another one with what to do."""
    topic = finding.topic + " " * (_TOPIC_WIDTH - cell_len(finding.topic))
    text = f"{MARKS[finding.state]:<{_MARK_WIDTH}}{topic}{finding.sentence}\n"
    if finding.advice:
        text += f"{'':<{_MARK_WIDTH + _TOPIC_WIDTH}}→ {finding.advice}\n"
    return text
