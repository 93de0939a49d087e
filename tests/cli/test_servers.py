"""`gemma-tui servers`, and `gemma-tui ask` through a server: as users run it."""

from __future__ import annotations

import stat
import tomllib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.cli.servers import keep_key
from gemma_tui.errors import SettingsError
from gemma_tui.settings.server_keys import ServerKeys
from gemma_tui.settings.servers import read_server
from tests.remote.scripted_server import ScriptedServer, json_response, said, serving
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.cli.conftest import CommandLine

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server in a thread of its own, as commands wait for it."""
    with serving() as found:
        yield found


def settings_of(cli: CommandLine) -> str:
    return (cli.home / "config" / "settings.toml").read_text("utf-8")


def test_a_server_is_added_shown_and_removed_and_nothing_is_sent(
    cli: CommandLine, server: ScriptedServer
) -> None:
    config = cli.home / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text("# mine\n[app]\ntour = false  # seen\n")
    added = cli.run("servers", "add", "studio", server.url, "--sees", "--context", "8192")
    assert added.returncode == 0, added.stderr
    text = settings_of(cli)
    assert "# mine" in text
    assert "# seen" in text
    assert tomllib.loads(text)["servers"] == {
        "studio": {"url": server.url, "sees": True, "context": 8192}
    }
    again = cli.run("servers", "add", "studio", server.url, "--no-hears")
    assert again.returncode == 0
    assert tomllib.loads(settings_of(cli))["servers"]["studio"] == {
        "url": server.url,
        "hears": False,
    }
    shown = cli.run("servers").stdout.decode()
    assert shown == f"server:studio  {server.url}, its first model, does not hear\n"
    assert cli.run("servers", "list").stdout.decode() == shown
    assert cli.run("servers", "remove", "studio").returncode == 0
    assert "studio" not in settings_of(cli)
    assert "# seen" in settings_of(cli)
    assert cli.run("servers", "remove", "studio").returncode == 1
    assert not server.requests


def test_what_cannot_be_a_server_is_refused(cli: CommandLine) -> None:
    for arguments in (
        ("bad name", "http://host"),
        ("studio", "host:8000"),
        ("studio", "ftp://host"),
        ("studio", "http://me:secret@host"),
        ("studio", "http://host/v1?key=1"),
        ("studio", "http://host:99999"),
        ("studio", "http://host", "--context", "3"),
        ("studio", "http://host", "--image-tokens", "100"),
    ):
        run = cli.run("servers", "add", *arguments)
        assert run.returncode == 1, arguments
        assert run.stderr
        assert b"secret" not in run.stderr
    assert not cli.home.exists()


def test_text_that_would_go_unencrypted_is_warned_about(cli: CommandLine) -> None:
    for url, is_warned in (
        ("http://example.com:8000/v1", True),
        ("https://example.com/v1", False),
        ("http://192.168.1.20:8000", False),
        ("http://[::1]:8000", False),
        ("http://mini.local:52415/v1", False),
    ):
        run = cli.run("servers", "add", "studio", url)
        assert (b"unencrypted" in run.stderr) is is_warned, url


def test_a_key_is_kept_where_only_its_owner_can_read_it(
    cli: CommandLine, server: ScriptedServer
) -> None:
    cli.run("servers", "add", "studio", server.url)
    run = cli.run("servers", "key", "studio", pipe=f"{KEY}\n".encode())
    assert run.returncode == 0, run.stderr
    assert KEY.encode() not in run.stdout + run.stderr
    path = cli.home / "config" / "server_keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KEY not in settings_of(cli)
    server.reply(said("Hello!"))
    assert cli.run("servers", "test", "studio").returncode == 0
    assert {r.headers.get("authorization") for r in server.requests} == {f"Bearer {KEY}"}
    # Somebody changes the address: the key stays here.
    cli.run("servers", "add", "studio", server.url.replace("127.0.0.1", "localhost"))
    server.requests.clear()
    moved = cli.run("servers", "test", "studio")
    assert moved.returncode == 1
    assert b"given for another address" in moved.stderr
    assert not server.requests
    assert cli.run("servers", "remove", "studio").returncode == 0
    assert KEY not in path.read_text("utf-8")


def test_a_wrong_key_is_no_key_and_a_loose_file_is_tightened(paths: Paths) -> None:
    keys, server = ServerKeys(paths.server_keys), read_server("a", {"url": "http://host"})
    for wrong in ("", "two\nlines", "schlüssel", "x" * 5000):
        with pytest.raises(SettingsError):
            keys.keep(server, wrong)
    keys.keep(server, KEY)
    paths.server_keys.chmod(0o644)
    assert keys.find(server) == KEY
    assert stat.S_IMODE(paths.server_keys.stat().st_mode) == 0o600
    paths.server_keys.write_text("{")
    with pytest.raises(SettingsError, match="damaged"):
        keys.find(server)
    with pytest.raises(SettingsError, match="no server"):
        keep_key(paths, "a")


def test_test_says_what_the_server_can_do(cli: CommandLine, server: ScriptedServer) -> None:
    cli.run("servers", "add", "studio", server.url)
    server.answers["/props"] = lambda _: [json_response({"modalities": {"vision": True}})]
    server.reply(said("Hello\x1b[2J!"))
    run = cli.run("servers", "test", "studio")
    told = run.stdout.decode()
    assert run.returncode == 0, run.stderr
    assert "gemma at studio (remote)" in told
    assert "takes     sees\n" in told
    assert "assumed, as the server does not say" in told
    assert "“Hello" in told
    assert "\x1b" not in told
    server.reply([json_response({"error": "no"}, 500)])
    failed = cli.run("servers", "test", "studio")
    assert failed.returncode == 1
    assert b"HTTP 500" in failed.stderr


def test_ask_is_answered_by_a_server_with_a_picture(
    cli: CommandLine, server: ScriptedServer, red_picture: Path
) -> None:
    cli.run("servers", "add", "studio", server.url, "--sees")
    server.reply(said("A red ", "rectangle."))
    run = cli.run("ask", "--model", "server:studio", "-a", red_picture, "What is it?")
    assert (run.returncode, run.stdout) == (0, b"A red rectangle.\n"), run.stderr
    content = server.bodies[0]["messages"][0]["content"]
    assert [item["type"] for item in content] == ["image_url", "text"]
    assert red_picture.name not in str(content)
    saved = cli.run("ask", "--model", "server:studio", "--json", "--save", "Again?")
    assert b'"model": "gemma at studio (remote)"' in saved.stdout


def test_plain_mode_says_that_a_server_answers_and_what_it_is_sent(
    cli: CommandLine, server: ScriptedServer
) -> None:
    cli.run("servers", "add", "studio", server.url)
    for model, sentence in (
        (("--model", "server:studio"), "is ready. Each question sends studio"),
        ((), "built-in demo is ready. Nothing leaves this computer."),
    ):
        environ = {"TERM": "dumb", "PYTHONPATH": cli.environment["PYTHONPATH"]}
        command = cli.command("--plain", *model)
        with closing(Terminal(command, home=cli.home, size=(100, 30), environ=environ)) as terminal:
            terminal.shows(sentence)
            assert "stays on this computer" not in terminal.text
            terminal.type("/quit\r")
            assert terminal.wait() == 0


def test_ask_says_why_no_server_answers(cli: CommandLine, server: ScriptedServer) -> None:
    unknown = cli.run("ask", "--model", "server:attic", "Hello?")
    assert unknown.returncode == 1
    assert "no server “attic”" in unknown.stderr.decode()
    cli.run("servers", "add", "studio", server.url)
    server.reply([json_response({"error": {"message": "bad key"}}, 401)])
    refused = cli.run("ask", "--model", "server:studio", "Hello?")
    assert refused.returncode == 1
    assert "gemma-tui servers key studio" in refused.stderr.decode()
    config = cli.home / "config" / "settings.toml"
    config.write_text('[servers.studio]\nurl = "http://host"\napi_key = "x"\n')
    wrong = cli.run("ask", "--model", "server:studio", "Hello?").stderr.decode()
    assert "api_key" in wrong
    assert "servers key" in wrong


def test_plain_mode_and_doctor_know_servers(cli: CommandLine, server: ScriptedServer) -> None:
    cli.run("servers", "add", "studio", server.url, "--no-sees", "--no-hears", "--context", "4096")
    server.reply(said("From ", "afar."))
    run = cli.run("--plain", "--model", "server:studio", pipe=b"/model\nhello\n")
    told = run.stdout.decode()
    assert run.returncode == 0, run.stderr
    assert "studio (remote)" in told
    assert "From afar." in told
    config = cli.home / "config" / "settings.toml"
    text = config.read_text("utf-8")
    config.write_text(f'{text}\n[model]\nmodel = "server:studio"\n')
    again = cli.run("ask", "hello")
    assert again.stdout == b"From afar.\n"
    server.requests.clear()
    looked = cli.run("doctor")
    assert b"Traceback" not in looked.stderr
    assert not server.requests
