"""`[servers.NAME]` in the settings file: what is read, what is wrong, what is written."""

from __future__ import annotations

import asyncio
import tomllib
from typing import TYPE_CHECKING

import pytest

from gemma_tui.engine.remote_info import RemoteModelInfo, model_info
from gemma_tui.errors import SettingsError
from gemma_tui.hub.on_disk import find_models, real_path
from gemma_tui.hub.remote_models import remote_models
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.settings.reading import read_toml
from gemma_tui.settings.servers import Server, find_server, read_server, table_of

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
# a comment
[servers.studio]
url = "http://192.168.1.20:8000"   # in the cellar
model = "gemma-4-31b-it"
sees = true
first_byte_seconds = 1200

[servers.attic]
url = "https://attic.example/openai/v1"

[app]
theme = "light"
"""


def test_servers_are_read_with_what_is_known_of_them() -> None:
    layer = read_toml(TEXT, "settings.toml")
    assert not layer.problems
    assert layer.values == {"theme": "light"}
    studio, attic = layer.servers["studio"], layer.servers["attic"]
    assert studio == Server(
        "studio",
        "http://192.168.1.20:8000",
        model="gemma-4-31b-it",
        sees=True,
        first_byte_seconds=1200,
    )
    assert studio.base_url == "http://192.168.1.20:8000/v1"
    assert attic.base_url == "https://attic.example/openai/v1"
    assert (attic.origin, attic.root_url) == (
        "https://attic.example:443",
        "https://attic.example",
    )
    assert read_server("studio", table_of(studio)) == studio


@pytest.mark.parametrize(
    ("url", "is_private", "is_warned"),
    [
        ("http://127.0.0.1:1", True, False),
        ("http://[::1]:1/v1", True, False),
        ("http://[fd00::1]:1", True, False),
        ("http://10.1.2.3", True, False),
        ("http://172.16.0.1", True, False),
        ("http://localhost", True, False),
        ("http://studio:8000", True, False),
        ("http://studio.local:8000", True, False),
        ("http://8.8.8.8", False, True),
        ("http://127.0.0.1.example.com", False, True),
        ("https://api.example.com", False, False),
    ],
)
def test_what_others_could_read_is_warned_about(
    url: str, is_private: bool, is_warned: bool
) -> None:
    server = Server("studio", url)
    assert server.is_private is is_private
    limitations = model_info(server, RemoteModelInfo("m")).limitations
    assert limitations == ((server.warning,) if is_warned else ())
    assert ("unencrypted" in server.warning) is is_warned


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[servers]\nstudio = 3", "must be a table"),
        ("servers = 3", "table of tables"),
        ("[servers.a]\n", "no url"),
        ('[servers.a]\nurl = "http://h"\ntoken = "x"', "“token” in"),
        ('[servers.a]\nurl = "http://h"\nkey = "x"', "servers key"),
        ('[servers.a]\nurl = "http://h"\nsees = "yes"', "true or false"),
        ('[servers.a]\nurl = "http://h"\nidle_seconds = 0', "above 0"),
        ('[servers.a]\nurl = "http://h"\nidle_seconds = inf', "at most"),
        ('[servers.a]\nurl = "http://h"\ncontext = true', "whole number"),
        ('[servers.a]\nurl = "http://u:p@h"', "without a name"),
        ('[servers.a]\nurl = "http://h/\\u001b"', "without a name"),
        ('[servers."a b"]\nurl = "http://h"', "name of a server"),
    ],
)
def test_what_is_wrong_with_a_server_is_said_and_the_others_hold(text: str, words: str) -> None:
    rest = "" if text.startswith("servers") else '\n[servers.b]\nurl = "http://h"\n'
    layer = read_toml(text + rest, "settings.toml")
    assert len(layer.problems) == 1
    assert words in layer.problems[0]
    assert set(layer.servers) == ({"b"} if rest else set())


def test_a_server_is_written_beside_what_a_person_wrote(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(TEXT)
    file = SettingsFile(path)
    changed = Server("studio", "http://192.168.1.21:8000", hears=False)
    layer = file.set_server("studio", changed)
    assert layer.servers["studio"] == changed
    assert "# a comment" in path.read_text()
    assert set(layer.servers) == {"studio", "attic"}
    assert set(file.set_server("studio", None).servers) == {"attic"}
    assert tomllib.loads(path.read_text())["app"] == {"theme": "light"}
    path.write_text("servers = 3\n")
    with pytest.raises(SettingsError, match="not a table"):
        file.set_server("studio", changed)


def test_an_empty_file_takes_a_server_too(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "new" / "settings.toml")
    server = Server("studio", "http://h")
    assert file.set_server("studio", server).servers == {"studio": server}
    asyncio.run(Configuration(file, {}).set("theme", "light"))
    assert file.read().servers == {"studio": server}


def test_servers_stand_among_the_models_and_not_among_folders(
    tmp_path: Path, tiny_model: Path
) -> None:
    file = SettingsFile(tmp_path / "settings.toml")
    file.path.write_text(TEXT)
    servers = Configuration(file, {}).servers
    found = remote_models(servers.values())
    assert [(str(m.folder), m.name, m.can_see, m.url) for m in found] == [
        ("server:studio", "studio (remote)", True, "http://192.168.1.20:8000/v1"),
        ("server:attic", "attic (remote)", False, "https://attic.example/openai/v1"),
    ]
    assert real_path(found[0].folder) == "server:studio"
    assert len(find_models(tiny_model, ["server:studio"], "")) == 1
    with pytest.raises(SettingsError, match="studio, attic"):
        find_server(servers, "cellar")
