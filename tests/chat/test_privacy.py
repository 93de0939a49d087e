"""Where a picture was taken is in no file that the app writes."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from gemma_tui.conversation import Draft
from gemma_tui.exchange.exporter import Exporter
from gemma_tui.generation import MediaInfo
from gemma_tui.storage.trees import TreeStore
from tests.metadata.pictures import FORMATS, SPELLED, placed

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths
    from gemma_tui.storage.database import Database
    from tests.chat.conftest import Bench


def unpacked(content: bytes) -> bytes:
    """A file and everything that is in it as base64."""
    coded = re.findall(rb"[A-Za-z0-9+/]{64,}={0,2}", content)
    return content + b"".join(base64.b64decode(part[: len(part) // 4 * 4]) for part in coded)


def telling(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [p for p in files if any(word in unpacked(p.read_bytes()) for word in SPELLED)]


async def test_the_place_of_a_picture_is_nowhere(
    bench: Bench, database: Database, paths: Paths, tmp_path: Path
) -> None:
    attachments = []
    for image_format in FORMATS:
        path = tmp_path / f"{image_format}.img"
        bench.engine.media[path.name] = MediaInfo("image", "image/png", width=96, height=60)
        path.write_bytes(placed(image_format, 6))  # nothing else runs
        attachments.append(await bench.chat.attach(path))
    conversation = await bench.store.create("a place")
    await bench.store.save_draft(conversation.id, Draft("later", tuple(attachments)))
    await bench.store.save_draft(None, Draft("", tuple(attachments)))
    await bench.ask(conversation.id, Draft("where?", tuple(attachments)))
    exporter = Exporter(TreeStore(database), bench.blobs)
    exports = tmp_path / "exports"
    exports.mkdir()
    await exporter.export_conversation(conversation.id, "json", exports / "a.json")
    await exporter.export_conversation(conversation.id, "html", exports / "a.html")
    await exporter.export_conversation(conversation.id, "md", exports / "a.md")
    assert telling(paths.data) == []
    assert telling(exports) == []
    assert len(telling(tmp_path)) == len(FORMATS)
