"""Adapters in their own processes, some of them with a defect."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.adapters.adapter import Adapter, SubprocessConnection
from arcrun_conformance.adapters.protocol import AdapterFailure, Result, SdkError, decode, encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TESTS = Path(__file__).parents[1]
START = (
    '{"id": 1, "result": {"protocol": 1, "sdk": {"name": "x", "version": "1", "language": "py"},'
    ' "runtime": "r", "capabilities": []}}'
)


@pytest.fixture
async def adapter() -> AsyncIterator[Callable]:
    opened = []

    async def open_(code: str, seconds: float = 20) -> Adapter:
        connection = await SubprocessConnection.open([sys.executable, "-c", code])
        opened.append(connection)
        return Adapter(connection, seconds)

    yield open_
    for connection in opened:
        await connection.close(0)


async def test_a_process_that_ends_is_a_crash_with_its_exit_code_and_stderr(adapter) -> None:
    running = await adapter("import sys; print('no luck', file=sys.stderr); sys.exit(7)")
    with pytest.raises(AdapterFailure, match="exit code 7") as caught:
        await running.start()
    await running.abandon()
    assert caught.value.kind == "crash"
    assert "no luck" in await running.take_stderr()


async def test_a_process_that_hangs_is_a_timeout_and_is_killed(adapter) -> None:
    running = await adapter("import time; time.sleep(60)", seconds=0.2)
    with pytest.raises(AdapterFailure, match=r"no reply within 0\.2 s") as caught:
        await running.start()
    began = time.monotonic()
    await running.abandon()
    assert caught.value.kind == "timeout"
    assert time.monotonic() - began < 10


async def test_text_on_stdout_is_invalid_json(adapter) -> None:
    running = await adapter("input(); print('hello'); input()")
    with pytest.raises(AdapterFailure, match='not valid JSON: "hello') as caught:
        await running.start()
    assert caught.value.kind == "invalid-json"


async def test_a_reply_without_a_line_end_is_a_crash(adapter) -> None:
    running = await adapter(f"input(); print({START!r}, end='')")
    with pytest.raises(AdapterFailure) as caught:
        await running.start()
    assert caught.value.kind == "crash"


async def test_a_second_reply_to_one_command_has_a_mismatched_id(adapter) -> None:
    running = await adapter(f"input(); print({START!r}); print({START!r}, flush=True); input()")
    await running.start()
    with pytest.raises(AdapterFailure, match="has the id 1, the command had the id 2") as caught:
        await running.send("stop")
    assert caught.value.kind == "mismatched-id"


async def test_the_environment_is_clean_and_the_home_empty(
    adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", "ak_developers_own")
    code = """
import json, os, sys
input()
found = [n for n in os.environ if n.startswith("ARCRUN")] + os.listdir(os.path.expanduser("~"))
print(json.dumps({"id": 1, "failure": {"message": "found " + repr(found)}}), flush=True)
"""
    running = await adapter(code)
    with pytest.raises(AdapterFailure, match=r"^found \[\]$"):
        await running.start()


async def test_its_home_is_removed_with_it(adapter) -> None:
    code = """
import json, os
input()
home = os.path.expanduser("~")
os.makedirs(home + "/.arcrun"); open(home + "/.arcrun/x", "w").close()
print(json.dumps({"id": 1, "failure": {"message": home}}), flush=True)
"""
    running = await adapter(code)
    with pytest.raises(AdapterFailure) as caught:
        await running.start()
    assert os.path.isdir(str(caught.value))  # noqa: PTH112, ASYNC240
    await running.abandon()
    assert not os.path.exists(str(caught.value))  # noqa: PTH110, ASYNC240


async def test_what_an_adapter_started_ends_with_it(adapter) -> None:
    code = """
import json, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
input()
print(json.dumps({"id": 1, "failure": {"message": str(child.pid)}}), flush=True)
input()
"""
    running = await adapter(code)
    with pytest.raises(AdapterFailure) as caught:
        await running.start()
    await running.abandon()
    deadline = time.monotonic() + 5
    while _is_alive(int(str(caught.value))):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed child that no process waits for remains as a zombie if no init reaps it.
    status = Path(f"/proc/{pid}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())


async def test_a_command_that_does_not_exist_says_where_to_look() -> None:
    with pytest.raises(AdapterFailure, match=r"no-such-command.*adapters\.yaml") as caught:
        await SubprocessConnection.open(["no-such-command-here"])
    assert caught.value.kind == "not-started"


async def test_the_mini_sdk_implements_the_protocol_as_a_process() -> None:
    command = [sys.executable, str(TESTS / "mini_sdk.py")]
    running = Adapter(await SubprocessConnection.open(command))
    identity = await running.start()
    await running.stop()
    assert identity.language == "python"
    assert "creds.push" in identity.capabilities


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("[1]", "invalid-reply", r"expected a value of type object, got \[1\]"),
        ('{"id": 4}', "invalid-reply", "the reply"),
        ('{"id": 4, "result": 1, "failure": {"message": "m"}}', "invalid-reply", "the reply"),
        (
            '{"id": 4, "error": {"name": "NotFound", "class": "", "message": ""}}',
            "invalid-reply",
            "name",
        ),
        ('{"id": 5, "result": {}}', "mismatched-id", "id 5"),
        ('{"id": 4, "failure": {"message": "no such client"}}', "failure", "no such client"),
        ('{"id": 4, "result": {"status": "200"}}', "invalid-reply", "bound.request"),
    ],
)
def test_invalid_replies_are_adapter_failures(line: str, kind: str, message: str) -> None:
    with pytest.raises(AdapterFailure, match=message) as caught:
        decode(line, 4, "bound.request")
    assert caught.value.kind == kind


def test_results_and_sdk_errors_are_distinguished() -> None:
    assert decode('{"id": 1, "result": null}', 1, "call") == Result(None)
    error = decode(
        '{"id": 1, "error": {"name": "not_found", "class": "E", "message": "m"}}', 1, "call"
    )
    assert isinstance(error, SdkError)
    assert error.name == "not_found"


def test_what_an_error_leaves_out_counts_as_null() -> None:
    error = '{"name": "status", "class": "E", "message": "m", "status": 418}'
    decoded = decode(f'{{"id": 1, "error": {error}}}', 1, "call")
    assert isinstance(decoded, SdkError)
    expected = {"status": 418, "code": None, "request_id": None}
    assert {name: decoded.fields[name] for name in expected} == expected


def test_commands_keep_chinese_text_readable() -> None:
    line = encode(2, "call", {"client": "c", "method": "health", "arguments": {"名": "值"}})
    assert '"名": "值"' in line
