"""What `EngineClient` asks about the machine, beside what it asks about files."""

from __future__ import annotations

from gemma_tui.engine.bandwidth_request import Bandwidth, MeasureBandwidth
from gemma_tui.engine.media_client import MediaClient


class MachineClient(MediaClient):
    """The part of an engine that knows files and the machine; its heir carries the requests."""

    async def measure_bandwidth(self) -> Bandwidth:
        """How fast memory is, in some tenths of a second; waits for a reply that is generated."""
        return await self._answer(MeasureBandwidth(), Bandwidth)
