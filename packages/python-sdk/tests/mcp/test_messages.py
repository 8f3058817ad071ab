"""What is no JSON-RPC message is answered, with the id of the request where there is one: nobody waits for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx2
import pytest

from arcrun.mcp.messages import refusal

TOKEN = "an-example-of-a-bearer-token-0123456789"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
}
PARSE, INVALID = -32700, -32600


def nested(levels: int) -> str:
    """Arguments that are nested so deep, before the id, where JavaScript's SDK puts it."""
    arguments = '{"a":' * levels + '"}{[\\" "' + "}" * levels
    call = '{"method":"tools/call","params":{"name":"run_list","arguments":%s},"jsonrpc":"2.0","id":"a-7"}'
    return call % arguments


REFUSED = {
    "nested": (nested(250), INVALID, "a-7"),
    "nested-very-deep": (nested(100_000), INVALID, "a-7"),
    "arrays": ('{"jsonrpc":"2.0","id":7,"method":"x","params":%s}' % ("[" * 999 + "]" * 999), INVALID, 7),
    "no-json": ("hello", PARSE, None),
    "cut-off": ('{"jsonrpc": "2.0", "id": 7, "method": "pi', PARSE, None),
    "half-a-pair": ('{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":"\\ud800"}}', PARSE, 7),
    "no-utf-8": ('{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":"\udcff"}}', PARSE, 7),
    "batch": ('[{"jsonrpc":"2.0","id":7,"method":"ping"}]', INVALID, None),
    "no-version": ('{"id": 7, "method": "ping"}', INVALID, 7),
    "params-in-no-object": ('{"jsonrpc":"2.0","id":7,"method":"ping","params":{"id":8},"params":[]}', INVALID, 7),
    "true-as-id": ('{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID, None),
    "object-as-id": ('{"jsonrpc":"2.0","id":{},"method":"ping"}', INVALID, None),
    "fraction-as-id": ('{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID, None),
    "digits-as-id": ('{"id":%s}' % ("9" * 10_000), PARSE, None),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_message_is_refused_with_its_id(name: str) -> None:
    text, code, request = REFUSED[name]
    found = refusal(text)
    assert found is not None
    assert (found.error.code, found.id) == (code, request)


@pytest.mark.parametrize(
    "text",
    [
        '{"jsonrpc":"2.0","id":1,"method":"ping"}',
        nested(150),
        '{"jsonrpc":"2.0","method":"notifications/initialized","params":{"id":1,"a":[{"id":2}]}}',
        '{"jsonrpc":"2.0","id":1,"result":{}}',
    ],
)
def test_a_message_is_passed_on(text: str) -> None:
    assert refusal(text) is None


def test_over_standard_input_each_line_is_answered(account: Any) -> None:
    large = {"name": "nope", "arguments": {"a": "x" * 20_000_000}}
    calls = {
        "large": {"jsonrpc": "2.0", "id": "large", "method": "tools/call", "params": large},
        "last": {"jsonrpc": "2.0", "id": "last", "method": "ping"},
    }
    start = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    begin = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": start}
    lines = [text for text, _, _ in REFUSED.values()]
    lines = [json.dumps(begin), "", *lines, *map(json.dumps, calls.values())]
    program = [sys.executable, "-m", "arcrun.mcp"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(lines).encode("utf-8", "surrogateescape") + b"\n")
        process.stdin.flush()
        # Standard input stays open until all is answered: its end ends the calls in progress.
        answers = [json.loads(process.stdout.readline()) for line in lines if line]
        process.stdin.close()
        assert process.wait(60) == 0
    errors = [(each["error"]["code"], each["id"]) for each in answers if "error" in each]
    assert sorted(errors, key=str) == sorted(
        [(code, request) for _, code, request in REFUSED.values()] + [(-32602, "large")], key=str
    )
    assert {each["id"] for each in answers if "result" in each} == {0, "last"}


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_over_http_each_body_is_answered(account: Any, serve_http: Any, revision: str) -> None:
    url = serve_http(account).url
    with httpx2.Client(headers={**HEADERS, "MCP-Protocol-Version": revision}) as client:
        for name, (text, code, request) in REFUSED.items():
            response = client.post(url, content=text.encode("utf-8", "surrogateescape"))
            assert response.status_code == 400
            found = response.json()
            assert (found["error"]["code"], found["id"]) == (code, request), name
