"""Both faces of a command return the same: what `acr --json` prints, and the structured content of its tool."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import anyio.to_thread
import jsonschema
import pytest
from mcp.client import Client
from printed_command import printed

from arcrun import Arcrun
from arcrun.mcp.result_schemas import result_schema, result_types, whole_schema
from arcrun.mcp.server import server_of
from arcrun.mcp.tools import tools
from scripts.parity.faces.cases import ARGUMENTS, CASES
from scripts.parity.faces.comparison import OWN_WORDS, Case, closed, expected_of, typed, unexplained

TOOLS = tools()
UNKNOWN_KEY = "ak_" + "0" * 48
# Tools that need no key: an engine tells it to everyone.
PUBLIC = frozenset({"component_get", "component_search", "service_list", "workflow_validate"})


@pytest.fixture(scope="module")
def pending() -> Iterator[str]:
    """The URL of a component that lets its run wait for a task."""

    class Handler(BaseHTTPRequestHandler):
        count = 0

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            Handler.count += 1
            body = json.dumps({"pending": True, "task_id": f"review-{Handler.count}"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/pending"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def shared(accounts: Any) -> Any:
    """An account on which nothing is done."""
    return next(accounts)


@pytest.fixture
def account(shared: Any, home: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same account, which the environment names."""
    use(monkeypatch, shared)
    return shared


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCRUN_LANG", "en")


async def called(tool: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The structured content of a tool's call, and whether it is an error; both schemas are held to it."""
    with Arcrun() as engine:
        async with Client(server_of(engine, TOOLS)) as client:
            found = await client.call_tool(tool, arguments)
    content: dict[str, Any] = found.structured_content
    assert_valid(tool, content)
    if found.is_error:
        assert found.content[0].text.startswith(f"{content['code']}: {content['message']}")
    else:
        assert json.loads(found.content[0].text) == content
    return content, bool(found.is_error)


def assert_valid(tool: str, content: dict[str, Any]) -> None:
    """Hold a result to the schema of `tools/list`, and to the whole one, which also refuses unknown fields."""
    function = TOOLS[tool].command.load()
    jsonschema.validate(content, TOOLS[tool].definition()["outputSchema"])
    schemas = closed(whole_schema(function))["anyOf"]
    schema = schemas[-1] if "code" in content and "message" in content else {"anyOf": schemas[:-1]}
    jsonschema.validate(content, schema)


def prepared(case: Case, account: Any, pending: str) -> dict[str, Any]:
    """Do what comes before a case, and return its arguments."""
    names = {"pending": pending}
    with Arcrun(account.key, base_url=account.url) as engine:
        for tool, arguments in case.before:
            found = TOOLS[tool].call(engine, filled(arguments, names))
            names |= {name: each for name, each in found.items() if isinstance(each, str)}
    return filled(case.arguments, names)


def filled(arguments: Any, names: dict[str, str]) -> dict[str, Any]:
    """Arguments with the values of `$NAME`."""

    def fill(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.startswith("$"):
            return names[value[1:]]
        return value.replace("$pending", names["pending"])

    return {name: fill(value) for name, value in arguments.items()}


def use(monkeypatch: pytest.MonkeyPatch, account: Any) -> None:
    for name, value in account.variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_both_faces_return_the_same(
    case: Case, accounts: Any, pending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = TOOLS[case.tool].command
    account = next(accounts)
    use(monkeypatch, account)
    arguments = prepared(case, account, pending)
    of_command, failed = printed(case.tool, arguments)
    if command.effect != "reads":
        account = next(accounts)
        use(monkeypatch, account)
        arguments = prepared(case, account, pending)
    of_tool, tool_failed = await called(case.tool, arguments)
    assert failed == tool_failed == bool(case.code), (of_command, of_tool)
    if failed:
        assert of_command["code"] == case.code, of_command
        of_command = expected_of(of_command)
    assert unexplained(of_command, of_tool, case.excuses) == []


async def same_failure(tool: str, arguments: dict[str, Any], **excuses: str) -> str:
    """The code of a failure that both faces report."""
    of_command, failed = printed(tool, arguments)
    of_tool, tool_failed = await called(tool, arguments)
    assert failed and tool_failed, (of_command, of_tool)  # noqa: PT018 - both are shown
    assert unexplained(expected_of(of_command), of_tool, excuses) == []
    return str(of_tool["code"])


@pytest.mark.parametrize("tool", sorted(TOOLS))
async def test_unknown_and_missing_arguments_have_the_same_code(account: Any, tool: str) -> None:
    given = ARGUMENTS[tool]
    unknown = {**given, "nonsense": "1"}
    excuses = {"message": OWN_WORDS, "next": OWN_WORDS}
    assert await same_failure(tool, unknown, **excuses) == "invalid_argument"
    if TOOLS[tool].definition()["inputSchema"].get("required"):
        assert await same_failure(tool, {}, **excuses) == "invalid_argument"


@pytest.mark.parametrize("tool", sorted(TOOLS))
async def test_an_engine_that_is_not_there_is_the_same_failure(
    home: Any, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ARCRUN_API_KEY", UNKNOWN_KEY)
    assert await same_failure(tool, ARGUMENTS[tool]) == "unreachable"


@pytest.mark.parametrize("tool", sorted(TOOLS.keys() - PUBLIC))
async def test_no_key_and_an_unknown_key_are_the_same_failures(
    account: Any, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", UNKNOWN_KEY)
    assert await same_failure(tool, ARGUMENTS[tool]) == "unknown_api_key"
    monkeypatch.delenv("ARCRUN_API_KEY")
    assert await same_failure(tool, ARGUMENTS[tool]) == "missing_api_key"


@pytest.mark.parametrize("tool", sorted(PUBLIC))
async def test_what_an_engine_tells_everyone_needs_no_key(
    account: Any, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCRUN_API_KEY")
    of_command, failed = printed(tool, ARGUMENTS[tool])
    assert not failed
    assert await called(tool, ARGUMENTS[tool]) == (of_command, False)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("component_get", {"id": "hash"}),
        ("kb_get", {"page_name": "nowhere"}),
        ("workflow_validate", {"workflow": "a: [1"}),
    ],
)
async def test_the_programs_themselves_return_the_same(
    account: Any, connect: Any, tool: str, arguments: dict[str, Any]
) -> None:
    words, text = typed(tool, arguments)
    program = [sys.executable, "-m", "arcrun.cli", "--json", *words]
    ended = await anyio.to_thread.run_sync(
        partial(subprocess.run, program, input=text, capture_output=True, text=True, check=False)
    )
    of_command = json.loads(ended.stdout or ended.stderr)
    async with connect("stdio", account) as client:
        found = await client.call_tool(tool, arguments)
    assert found.is_error == bool(ended.returncode)
    expected = expected_of(of_command) if ended.returncode else of_command
    assert found.structured_content == expected


def test_each_tool_has_a_success_and_a_failure() -> None:
    succeeding = {case.tool for case in CASES if not case.code}
    assert succeeding == set(ARGUMENTS) == set(TOOLS)
    failing = {case.tool for case in CASES if case.code}
    # What these tools can fail for, all tools can: it is tested for each of them above.
    assert set(TOOLS) - failing == set()


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_no_schema_accepts_everything(tool: str) -> None:
    function = TOOLS[tool].command.load()
    shown = result_schema(function)
    for nothing in ({}, {"success": None}, {"message": "a"}):
        if set(nothing) != set(shown["anyOf"][0]["required"]):
            assert not jsonschema.Draft202012Validator(shown).is_valid(nothing)
    for kind in result_types(function):
        assert kind.__required_keys__
