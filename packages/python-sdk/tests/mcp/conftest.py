"""An engine, and `arcrun-mcp` before it: in this process, on standard input and output, and over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scripts.release.example import design

if sys.version_info < (3, 11):
    collect_ignore_glob = ["test_*.py"]  # the SDK of MCP needs Python 3.11

ACCOUNTS = 250
TOKEN = "an-example-of-a-bearer-token-0123456789"
PROGRAM = (sys.executable, "-m", "arcrun.mcp")


class Account(NamedTuple):
    """An account of its own on the engine."""

    url: str
    key: str

    @property
    def variables(self) -> dict[str, str]:
        """What a program needs to use it."""
        return {"ARCRUN_BASE_URL": self.url, "ARCRUN_API_KEY": self.key}


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Account]]:
    """Accounts of the reference engine, whose language model knows the design's example."""
    replies = tmp_path_factory.mktemp("replies") / "replies.json"
    replies.write_text(json.dumps(design.script()), "utf-8")
    command = [sys.executable, "-m", "arcrun_server", "serve", "--port", "0", "--dev", "--json"]
    command += ["--keys", str(ACCOUNTS), "--until-stdin-closes", "--log-level", "error"]
    environment = {**os.environ, "ARCRUN_SERVER_LLM_SCRIPT": str(replies)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield iter(Account(ready["url"], key) for key in ready["keys"])
        process.stdin.close()
        process.wait(20)


@pytest.fixture
def account(accounts: Iterator[Account], monkeypatch: pytest.MonkeyPatch) -> Account:
    """A new account, which the environment names."""
    made = next(accounts)
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


class Served(NamedTuple):
    """An `arcrun-mcp --http` that runs."""

    url: str
    process: subprocess.Popen[str]


@pytest.fixture
def serve_http(home: Path) -> Iterator[Callable[..., Served]]:
    """Start `arcrun-mcp --http` with further arguments, and stop it after the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(account: Account, *arguments: str) -> Served:
        variables = {**os.environ, **account.variables, "ARCRUN_MCP_TOKEN": TOKEN}
        command = [*PROGRAM, "--http", "0", *arguments]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, env=variables, text=True)
        processes.append(process)
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("arcrun-mcp: http://"), line + process.stderr.read()
        return Served(line.split()[1], process)

    yield start
    for process in processes:
        process.terminate()
        process.wait(10)
        assert process.stderr is not None
        process.stderr.close()


Connect = Callable[[str, Account], AbstractAsyncContextManager[Any]]


@pytest.fixture
def connect(serve_http: Callable[..., Served]) -> Connect:
    """Return the official client, connected over `memory`, `stdio` or `http`."""
    import httpx2
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters
    from mcp.client.streamable_http import streamable_http_client

    from arcrun import Arcrun
    from arcrun.mcp.server import server_of
    from arcrun.mcp.tools import tools

    @asynccontextmanager
    async def connected(transport: str, account: Account, mode: str = "auto") -> AsyncIterator[Any]:
        if transport == "memory":
            with Arcrun(account.key, base_url=account.url) as engine:
                async with Client(server_of(engine, tools()), mode=mode) as client:
                    yield client
        elif transport == "stdio":
            variables = {**os.environ, **account.variables}
            program = StdioServerParameters(
                command=PROGRAM[0], args=list(PROGRAM[1:]), env=variables
            )
            async with Client(program, mode=mode) as client:
                yield client
        else:
            url = serve_http(account).url
            headers = {"Authorization": f"Bearer {TOKEN}"}
            async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
                transported = streamable_http_client(url, http_client=http)
                async with Client(transported, mode=mode) as client:
                    yield client

    return connected
