"""Who is let in, and what a request may be, spoken to without a client."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import ApiRequestError, UsageError
from gemma_tui.serve.access import TOKEN_VARIABLE, Access, given_token, new_token
from gemma_tui.serve.application import MAX_BODY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serve.conftest import Served, Server

QUESTION = json.dumps({"messages": [{"role": "user", "content": "hello"}], "max_tokens": 2})


def send(
    served: Served,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: str | None = None,
) -> tuple[int, dict[str, object]]:
    """The status and the object that come back."""
    known = {"Authorization": f"Bearer {served.token}"}
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)) as connection:
        connection.request(method, path, body, known | (headers or {}))
        response = connection.getresponse()
        assert "access-control-allow-origin" not in response.headers
        return response.status, json.loads(response.read() or b"{}")


def code_of(answer: dict[str, object]) -> object:
    error = answer["error"]
    assert isinstance(error, dict)
    assert set(error) == {"message", "type", "param", "code"}
    return error["code"]


def test_any_program_hears_that_it_is_well_and_a_plain_request_is_answered(served: Served) -> None:
    assert send(served, "GET", "/health", {"Authorization": ""}) == (200, {"status": "ok"})
    status, answer = send(served, "POST", "/v1/chat/completions", body=QUESTION)
    assert (status, answer["object"]) == (200, "chat.completion")


@pytest.mark.parametrize("path", ["/health", "/v1/models"])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "evil.example:{port}"}, "wrong_host"),
        ({"Host": "127.0.0.1"}, "wrong_host"),
        ({"Origin": "https://evil.example"}, "forbidden_origin"),
        ({"Origin": "null"}, "forbidden_origin"),
        ({"Origin": "http://127.0.0.1:{port}"}, "forbidden_origin"),
    ],
)
def test_a_page_in_a_browser_gets_nothing(
    served: Served, path: str, headers: dict[str, str], code: str
) -> None:
    filled = {name: value.format(port=served.port) for name, value in headers.items()}
    status, answer = send(served, "GET", path, filled)
    assert (status, code_of(answer)) == (403, code)


def test_a_browser_that_asks_beforehand_is_refused_too(served: Served) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    status, _ = send(served, "OPTIONS", "/v1/chat/completions", asked)
    assert status in {403, 404}


@pytest.mark.parametrize("value", ["", "Bearer ", "Bearer x", "Basic {token}", "{token}"])
def test_only_the_token_opens(served: Served, value: str) -> None:
    headers = {"Authorization": value.format(token=served.token)}
    status, answer = send(served, "POST", "/v1/chat/completions", headers, QUESTION)
    assert (status, code_of(answer)) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/", None, (404, "not_found")),
        ("GET", "/v1/chat/completions", None, (404, "not_found")),
        ("POST", "/v1/completions", "{}", (404, "not_found")),
        ("POST", "/v1/chat/completions", "{", (400, "invalid_json")),
        ("POST", "/v1/chat/completions", "[" * 100_000, (400, "invalid_json")),
        ("POST", "/v1/chat/completions", "[]", (400, "invalid_value")),
        ("POST", "/v1/chat/completions", '{"messages": []}', (400, "invalid_value")),
    ],
)
def test_wrong_requests_are_errors_of_the_api(
    served: Served, method: str, path: str, body: str | None, expected: tuple[int, str]
) -> None:
    status, answer = send(served, method, path, body=body)
    assert (status, code_of(answer)) == expected


def test_a_body_beyond_the_bound_is_not_read(served: Served) -> None:
    size = MAX_BODY_BYTES + 1
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
            f"Authorization: Bearer {served.token}\r\nContent-Length: {size}\r\n\r\n"
        )
        connection.sendall(head.encode())
        answer = ""
        while "}}" not in answer:  # before a byte of the body
            data = connection.recv(4096)
            assert data, answer
            answer += data.decode()
    assert "413" in answer.partition("\r\n")[0]
    assert "request_too_large" in answer


def test_nothing_listens_but_on_this_machine(served: Served) -> None:
    """Neither on another address of the machine, nor for IPv6."""
    for address in ("127.0.0.2", "::1"):
        # A Mac has only the first of all loopback addresses, and answers nothing for the others.
        with pytest.raises(OSError, match=r"refused|unreachable|assign|timed out"):
            socket.create_connection((address, served.port), timeout=5).close()


def refused(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gemma_tui", "serve", *arguments],
        env={**os.environ, "GEMMA_TUI_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_taken_port_is_a_sentence(served: Served, tmp_path: Path) -> None:
    done = refused(tmp_path, "--port", str(served.port))
    assert done.returncode == 2
    assert done.stderr.startswith(f"gemma-tui: Port {served.port} cannot be listened on")


def test_a_model_of_a_server_is_not_handed_on(tmp_path: Path) -> None:
    done = refused(tmp_path, "--model", "server:desk")
    assert (done.returncode, done.stdout) == (2, "")
    assert "“desk”, not of this machine" in done.stderr


def test_a_token_of_the_environment_is_not_shown(start: Server, tmp_path: Path) -> None:
    token = "a token that stays the same"
    with start(tmp_path, environ={TOKEN_VARIABLE: token}) as server:
        assert server.token == ""
        assert send(server, "GET", "/v1/models", {"Authorization": f"Bearer {token}"})[0] == 200
        server.end()
        assert server.process.stdout is not None
        assert token not in server.process.stdout.read() + server.log.read_text()


def test_tokens_differ_and_a_file_has_to_be_private(tmp_path: Path) -> None:
    assert new_token() != new_token()
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n")
    file.chmod(0o600)
    assert given_token({TOKEN_VARIABLE: "another one that is long"}, file) == "0123456789abcdef"
    assert given_token({}, None) == ""
    file.chmod(0o640)
    with pytest.raises(UsageError, match="Others may read"):
        given_token({}, file)
    with pytest.raises(UsageError, match="cannot be read"):
        given_token({}, tmp_path / "gone")
    for bad in ("short", "", "with\nnew lines in it…"):
        with pytest.raises(UsageError, match="no line of at least 16"):
            given_token({TOKEN_VARIABLE: bad}, None)


def test_names_of_this_machine_are_taken() -> None:
    access = Access("token", 80)
    for host in ("localhost:80", "LOCALHOST:80", "127.0.0.1:80", "[::1]:80"):
        access.check_origin({"host": host})
    with pytest.raises(ApiRequestError):
        access.check_origin({})
