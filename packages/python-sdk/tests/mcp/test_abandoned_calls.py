"""Calls that nobody waits for any more: they end, and never keep others from being served."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest

from arcrun import Arcrun
from arcrun._concurrency import sleep
from arcrun.commands.errors import CommandError
from arcrun.mcp.calls import MOST, Calls

from .conftest import PROGRAM, TOKEN, Account

KEY = "ak_" + "0" * 48
ABANDONED = 120  # more than the calls at once, the connections of a client, and the threads of an event loop
REVISIONS = ("2026-07-28", "2025-11-25")
REFUSAL = b'{"success":false,"error":{"code":"not_found","message":"nothing here"}}'
RESPONSE = (
    b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)


class SilentEngine:
    """An engine that does not respond, until the test lets it refuse everything."""

    def __init__(self, listening: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.refuses = threading.Event()
        self._listening = listening
        self._asked = threading.Semaphore(0)
        self._left = threading.Semaphore(0)

    def serve(self) -> None:
        """Accept connections until the socket is shut down."""
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                if self.refuses.is_set():
                    connection.sendall(RESPONSE % (len(REFUSAL), REFUSAL))
                self._asked.release()
        self._left.release()

    async def asked(self, times: int) -> None:
        """Wait until so many requests have come."""
        await anyio.to_thread.run_sync(self._wait, self._asked, times)

    async def left(self, times: int) -> None:
        """Wait until so many connections were closed by the other side."""
        await anyio.to_thread.run_sync(self._wait, self._left, times)

    @staticmethod
    def _wait(semaphore: threading.Semaphore, times: int) -> None:
        for done in range(times):
            assert semaphore.acquire(timeout=20), f"{done} of {times}"


@pytest.fixture
def engine() -> Iterator[SilentEngine]:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        made = SilentEngine(listening)
        serving = threading.Thread(target=made.serve, daemon=True)
        serving.start()
        yield made
        listening.shutdown(socket.SHUT_RDWR)
        serving.join(5)


async def test_a_call_that_is_abandoned_ends_although_the_engine_does_not_respond(
    engine: SilentEngine,
) -> None:
    calls = Calls()
    with Arcrun(KEY, base_url=engine.url) as client:
        async with anyio.create_task_group() as group:
            for _ in range(MOST):
                group.start_soon(calls.run, client.workflows.list)
            await engine.asked(MOST)
            group.cancel_scope.cancel()
        await engine.left(MOST)
        with anyio.fail_after(5):
            assert await calls.run(lambda: "served") == "served"


async def test_a_call_that_is_abandoned_between_two_attempts_ends() -> None:
    calls, begun, ended = Calls(), threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        try:
            sleep(60)
        finally:
            ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(calls.run, wait)
        await anyio.to_thread.run_sync(begun.wait)
        group.cancel_scope.cancel()
    assert ended.is_set()


async def test_more_calls_than_there_can_be_wait_and_are_then_refused(engine: SilentEngine) -> None:
    calls = Calls(most=1, patience=0.2)
    with Arcrun(KEY, base_url=engine.url) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(calls.run, client.workflows.list)
            await engine.asked(1)
            with pytest.raises(CommandError) as raised:
                await calls.run(lambda: "served")
            group.cancel_scope.cancel()
    assert raised.value.code == "too_many_calls"
    assert raised.value.message.startswith("1 calls are in progress")


def request(number: int, revision: str) -> dict[str, Any]:
    """Return a call that asks the engine."""
    params: dict[str, Any] = {"name": "workflow_list", "arguments": {}}
    if revision == REVISIONS[0]:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


@pytest.mark.parametrize("revision", REVISIONS)
async def test_calls_abandoned_over_http_keep_nobody_from_being_served(
    engine: SilentEngine, serve_http: Any, revision: str
) -> None:
    url = serve_http(Account(engine.url, KEY)).url
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": revision,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "workflow_list",
    }
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(headers=headers, timeout=60, limits=limits) as http:
        async with anyio.create_task_group() as group:
            for number in range(ABANDONED):
                group.start_soon(lambda n=number: http.post(url, json=request(n, revision)))
            await engine.asked(MOST)
            group.cancel_scope.cancel()
        await engine.left(MOST)
        engine.refuses.set()
        with anyio.fail_after(20):
            response = await http.post(url, json=request(0, revision))
    assert "nothing here" in response.text


def test_calls_cancelled_over_stdio_keep_nobody_from_being_served(engine: SilentEngine) -> None:
    variables = {**os.environ, **Account(engine.url, KEY).variables}
    initialize = {
        "protocolVersion": REVISIONS[1],
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    with subprocess.Popen(
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def send(message: dict[str, Any]) -> None:
            assert process.stdin is not None
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()

        send({"jsonrpc": "2.0", "id": "first", "method": "initialize", "params": initialize})
        assert json.loads(process.stdout.readline())["id"] == "first"
        send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        for number in range(ABANDONED):
            send(request(number, REVISIONS[1]))
        anyio.run(engine.asked, MOST)
        for number in range(ABANDONED):
            params = {"requestId": number}
            send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
        anyio.run(engine.left, MOST)
        engine.refuses.set()
        send(request(-1, REVISIONS[1]))
        while (answer := json.loads(process.stdout.readline()))["id"] != -1:
            pass
        assert "nothing here" in answer["result"]["content"][0]["text"]
        process.stdin.close()
        assert process.wait(5) == 0
