"""How `arcrun-mcp` starts, whom it serves, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

import httpx2
import pytest

from arcrun import Arcrun
from arcrun._version import __version__

PROGRAM = (sys.executable, "-m", "arcrun.mcp")
TOKEN = "an-example-of-a-bearer-token-0123456789"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
WAITING = """
name: waiting
flow: [input >> 完成後 >> pause]
config:
  pause: {component: wait, seconds: 20}
"""


def ended(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `arcrun-mcp` to its end, with nothing on standard input."""
    environment = {**os.environ, **variables}
    return subprocess.run(
        [*PROGRAM, *arguments],
        input="",
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=30,
    )


@pytest.mark.parametrize("transport", ["memory", "stdio", "http"])
@pytest.mark.parametrize(("mode", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_the_newest_revision_and_the_one_before_are_served(
    account: Any, connect: Any, transport: str, mode: str, revision: str
) -> None:
    async with connect(transport, account, mode) as client:
        assert client.protocol_version == revision
        found = await client.call_tool("component_search", {"query": "hash"})
        assert found.structured_content["results"][0]["canonical_id"] == "hash"


def test_the_version_is_that_of_the_package() -> None:
    assert ended("--version").stdout == f"arcrun-mcp {__version__}\n"


def test_it_ends_when_standard_input_does(account: Any) -> None:
    found = ended()
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tools", "nope"], "there is no tool 'nope'; the tools are: workflow_push"),
        (
            ["--tools", ""],
            "--tools names no tool: leave it out for all; the tools are: workflow_push",
        ),
        (["--tools", " , "], "--tools names no tool"),
        (["--http", ""], "--http takes PORT or HOST:PORT"),
        (["--profile", "nope"], "has no profile 'nope'"),
        (["--http", "0.0.0.0:8080"], "serves this machine only, and '0.0.0.0' is not"),
        (["--http", "example.com:80"], "acts with your key"),
        (["--http", "port"], "--http takes PORT or HOST:PORT"),
        (["--http", "99999"], "with a port from 0 to 65535"),
    ],
)
def test_a_wrong_start_says_what_is_wrong(account: Any, arguments: list[str], message: str) -> None:
    found = ended(*arguments)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("arcrun-mcp: ")
    assert message in found.stderr
    assert "Traceback" not in found.stderr


def test_a_token_that_is_easily_guessed_is_refused_and_not_shown(account: Any) -> None:
    found = ended("--http", "0", ARCRUN_MCP_TOKEN="hunter2-canary")
    assert found.returncode == 2
    assert "ARCRUN_MCP_TOKEN must be at least 32 characters" in found.stderr
    assert "hunter2" not in found.stderr


def test_a_port_that_is_in_use_is_named(account: Any, serve_http: Any) -> None:
    port = httpx2.URL(serve_http(account).url).port
    found = ended("--http", str(port), ARCRUN_MCP_TOKEN=TOKEN)
    assert found.returncode == 2
    assert f"127.0.0.1:{port} can't be used" in found.stderr


def test_no_token_is_printed_for_a_port_that_is_in_use(
    account: Any, serve_http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = httpx2.URL(serve_http(account).url).port
    monkeypatch.delenv("ARCRUN_MCP_TOKEN", raising=False)
    found = ended("--http", str(port))
    assert found.returncode == 2
    assert "token" not in found.stderr


def test_a_token_is_made_and_printed_once(account: Any) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "ARCRUN_MCP_TOKEN"}
    command = [*PROGRAM, "--http", "[::1]:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables) as process:
        assert process.stderr is not None
        token = process.stderr.readline().split("bearer token ")[1].split()[0]
        url = process.stderr.readline().split()[1]
        headers = {**HEADERS, "Authorization": f"Bearer {token}"}
        assert httpx2.post(url, json=PING, headers=headers).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert token not in process.stderr.read()


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 200),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer " + "x" * len(TOKEN)}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"bearer {TOKEN}"}, 200),
        ({"Host": "attacker.example"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 400),
    ],
)
def test_http_serves_programs_of_this_machine_that_have_the_token(
    account: Any, serve_http: Any, changed: dict[str, str], status: int
) -> None:
    url = serve_http(account).url
    response = httpx2.post(url, content=json.dumps(PING), headers={**HEADERS, **changed})
    assert response.status_code == status, response.text
    if status == 401:
        assert response.headers["www-authenticate"].startswith('Bearer realm="arcrun-mcp"')
        assert "ARCRUN_MCP_TOKEN" in response.json()["error"]
        assert TOKEN not in response.text


def test_a_body_that_is_too_large_is_refused(account: Any, serve_http: Any) -> None:
    response = httpx2.post(serve_http(account).url, content=b" " * 5_000_000, headers=HEADERS)
    assert response.status_code == 413


def test_a_client_that_reads_only_when_it_has_sent_all_gets_its_refusal(
    account: Any, serve_http: Any
) -> None:
    size = 20_000_000
    address = httpx2.URL(serve_http(account).url)
    head = [f"POST {address.path} HTTP/1.1", f"Host: {address.netloc.decode()}"]
    head += [f"{name}: {value}" for name, value in HEADERS.items()]
    with socket.create_connection((address.host, address.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, f"Content-Length: {size}", "", ""]).encode())
        connection.sendall(b" " * size)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    start, _, body = received.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body)["code"] == "payload_too_large"


@pytest.mark.parametrize("how", ["eof", "sigterm"])
def test_it_ends_at_once_while_a_call_runs_and_the_run_goes_on(account: Any, how: str) -> None:
    with Arcrun(account.key, base_url=account.url) as engine:
        from arcrun.commands.workflows import push_workflow

        push_workflow(engine, WAITING)
        initialize = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        messages: list[dict[str, Any]] = [
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize},
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {
                "jsonrpc": "2.0",
                "id": 2,
                "method": "tools/call",
                "params": {"name": "workflow_run", "arguments": {"name": "waiting"}},
            },
        ]
        with subprocess.Popen(
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            for message in messages:
                process.stdin.write(json.dumps(message) + "\n")
                process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == 1
            run = _first_run(engine)
            if how == "eof":
                process.stdin.close()
            else:
                process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
            assert "Traceback" not in process.stderr.read()
        assert engine.runs.get(run)["status"] in {"queued", "running"}
        engine.runs.cancel(run)


def _first_run(engine: Arcrun) -> str:
    while True:
        for run in engine.runs.list():
            return run["run_id"]
