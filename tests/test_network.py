"""The guard, in processes of its own: what it refuses and allows, and that each of ours has one."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui import network
from gemma_tui.errors import ForbiddenConnectionError
from gemma_tui.network import NetworkActivity, NetworkGuard

if TYPE_CHECKING:
    from pathlib import Path

PRELUDE = """
import asyncio, json, os, socket, sys, threading
from gemma_tui import network
from gemma_tui.errors import ForbiddenConnectionError
guard = network.install_guard()

def judged(work):
    try:
        return f"done: {work()}"
    except ForbiddenConnectionError:
        return "refused"
    except OSError as error:
        return "allowed"

def listener():
    server = socket.socket(fileno=int(sys.argv[1]))
    return server, server.getsockname()[1]
"""


def told_by(code: str, *arguments: str, descriptors: tuple[int, ...] = ()) -> Any:
    """What a process with a guard says of itself."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        pass_fds=descriptors,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


UNASKED = {
    "socket": "socket.socket(socket.AF_INET)",
    "socket 6": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "raw": "socket.socket(getattr(socket, 'AF_PACKET', socket.AF_INET), socket.SOCK_RAW)",
    "connection": "socket.create_connection(('192.0.2.1', 80))",
    "lookup": "socket.getaddrinfo('example.invalid', 80)",
    "old lookup": "socket.gethostbyname('example.invalid')",
    "reverse": "socket.getnameinfo(('192.0.2.1', 80), 0)",
    "server": "socket.create_server(('127.0.0.1', 0))",
    "loop": "asyncio.run(asyncio.open_connection('example.invalid', 80))",
    "thread": "asyncio.run(asyncio.to_thread(socket.create_connection, ('192.0.2.1', 80)))",
    "url": "__import__('urllib.request').request.urlopen('http://192.0.2.1/')",
}


def test_what_nobody_asked_for_is_refused_whatever_opens_it() -> None:
    cases = ", ".join(f"{name!r}: lambda: {code}" for name, code in UNASKED.items())
    told = told_by(
        f"results = {{name: judged(work) for name, work in {{{cases}}}.items()}}\n"
        "a = guard.activity\n"
        "print(json.dumps([results, a.connections, a.refused, a.refused_host]))"
    )
    results, connections, refused, host = told
    assert results == dict.fromkeys(UNASKED, "refused")
    assert (connections, refused, host) == (0, len(UNASKED), "192.0.2.1")


def test_sockets_of_the_machine_are_no_network(tmp_path: Path) -> None:
    """asyncio's own pair, and those of the sound system and the bus."""
    told = told_by(
        f"server = socket.socket(socket.AF_UNIX); server.bind({str(tmp_path / 's')!r})\n"
        f"server.listen(); socket.socket(socket.AF_UNIX).connect({str(tmp_path / 's')!r})\n"
        "a, b = socket.socketpair(); a.send(b'x')\n"
        "async def wakes(): return await asyncio.to_thread(lambda: b.recv(1).decode())\n"
        "print(json.dumps([asyncio.run(wakes()), guard.activity.refused]))"
    )
    assert told == ["x", 0]


ASKED = """
server, port = listener()
async def visit(host):
    with network.allowed("server", host):
        reader, writer = await asyncio.open_connection(host, port)
        inside = guard.activity.hosts
        writer.close()
        await writer.wait_closed()
    return inside, guard.activity.hosts

async def in_a_task():
    with network.allowed("hub", "LocalHost."):
        task = asyncio.create_task(asyncio.open_connection("localhost", port))
        _, writer = await task
    writer.close()

def in_a_thread():
    with network.allowed("tool", "127.0.0.1"):
        socket.create_connection(("127.0.0.1", port)).close()

async def elsewhere():
    with network.allowed("server", "localhost"):
        return [
            judged(lambda: socket.socket().connect_ex(("127.0.0.1", port))),
            judged(lambda: socket.getaddrinfo("example.invalid", 80)),
        ]

def other_address():
    with network.allowed("server", "127.0.0.1"):
        return judged(lambda: socket.create_connection(("192.0.2.1", port)))

def bound():
    with network.allowed("server", "127.0.0.1"):
        return judged(lambda: socket.socket().bind(("127.0.0.1", 0)))

visits = [asyncio.run(visit(host)) for host in ("localhost", "127.0.0.1")]
asyncio.run(in_a_task())
thread = threading.Thread(target=in_a_thread); thread.start(); thread.join()
print(json.dumps({
    "visits": visits, "elsewhere": asyncio.run(elsewhere()), "other": other_address(),
    "bound": bound(), "after": judged(lambda: socket.create_connection(("127.0.0.1", port))),
    "lookup after": judged(lambda: socket.getaddrinfo("localhost", port)),
    "connections": guard.activity.connections,
}))
"""


def test_what_was_asked_for_is_connected_counted_and_shown() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        told = told_by(ASKED, str(server.fileno()), descriptors=(server.fileno(),))
    assert told == {
        "visits": [[["localhost"], []], [["127.0.0.1"], []]],
        "elsewhere": ["done: 0", "refused"],
        "other": "refused",
        "bound": "refused",
        "after": "refused",
        "lookup after": "refused",
        "connections": 5,
    }


LISTENING = """
import time
async def serve():
    with network.listening("127.0.0.1", PORT):
        server = socket.create_server(("127.0.0.1", PORT))
        other = judged(lambda: socket.create_server(("127.0.0.1", PORT + 1)))
        out = judged(lambda: socket.create_connection(("127.0.0.1", PORT)))
        answered = asyncio.Event()
        async def answer(reader, writer):
            writer.write(b"hello"); writer.close(); answered.set()
        serving = await asyncio.start_server(answer, sock=server)
        print(json.dumps([other, out]), flush=True)
        await answered.wait()
        serving.close()
asyncio.run(serve())
"""


def test_a_listener_gets_its_port_and_nothing_else() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + LISTENING.replace("PORT", str(port))],
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline()) == ["refused", "refused"]
        with socket.create_connection(("127.0.0.1", port)) as client:
            assert client.recv(5) == b"hello"
        assert child.wait(60) == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "localhost", ""])
def test_only_this_machine_is_listened_to(host: str) -> None:
    with pytest.raises(ForbiddenConnectionError, match="other machines"):
        network.listening(host, 80).__enter__()


MAIN = "from gemma_tui.cli.main import main; main(['doctor'])"
PROCESSES = {
    "app": "import gemma_tui.cli.doctor as d; d.run_doctor = lambda *a, **k: reach(); " + MAIN,
    "engine": "import gemma_tui.runtime.worker as w; w.run = lambda *a: reach();"
    " sys.argv[1:] = ['--log', LOG]; w.main()",
    "decoder": "import gemma_tui.preprocessing.decoder as d; d.serve = lambda *a: reach();"
    " sys.argv[1:] = ['--memory', '4000000000']; d.main()",
    "microphone": "import gemma_tui.microphone.worker as w; w._load = lambda: reach(); sys.exit(w.main())",
}


@pytest.mark.parametrize("code", PROCESSES.values(), ids=PROCESSES.keys())
def test_no_process_of_ours_connects(code: str, tmp_path: Path) -> None:
    """Code of the program that tries gets the typed error, in each of its processes."""
    log = str(tmp_path / "engine.log")
    start = "import socket, sys\ndef reach(): socket.create_connection(('192.0.2.1', 80))\n"
    done = subprocess.run(
        [sys.executable, "-c", start + code.replace("LOG", repr(log))],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    said = (
        done.stdout + done.stderr + ((tmp_path / "engine.log").read_text() if "LOG" in code else "")
    )
    assert "192.0.2.1" in said
    assert "was refused" in said
    if "run_doctor" in code:
        assert done.stderr.startswith("gemma-tui: A connection to “192.0.2.1” was refused")


async def test_a_guard_tells_who_watches_and_shows_connections_of_children() -> None:
    guard, told = NetworkGuard(), list[NetworkActivity]()
    unwatch = guard.watch(lambda: told.append(guard.activity))
    with guard.elsewhere("example.com"):
        await asyncio.sleep(0)
    unwatch()
    with guard.elsewhere("example.com"):
        pass
    assert [activity.hosts for activity in told] == [("example.com",), ()]
    assert guard.activity == NetworkActivity(connections=2)
