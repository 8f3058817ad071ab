"""Every command of the table with the hosted engine: what it lacks is said before the call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed_commands import (
    GREET,
    LOCAL,
    LOOK,
    ROWS,
    VARIANTS,
    Deployed,
    Refused,
    Works,
    serve_deployed,
    typed,
)
from every_command import CALLS, CAPABILITIES, KEY, RUN, answer_to

from arcrun import Arcrun
from arcrun.commands.table import COMMANDS, command_named

OPENAPI = Path(__file__).parents[4] / "openapi/arcrun.yaml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Names, settings and what is typed stay as they are in Chinese.
NAMES = re.compile(r"acr [a-z -]+|[A-Za-z_]+=\w+|`[^`]+`|\([^)]*\)|https?://\S+|~/\S+")


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Deployed]:
    """The stand-in, with a workflow and a credential; settings in the environment and a key in the config file."""
    with serve_deployed() as running:
        with Arcrun(KEY, base_url=running.url, credential_format="plain") as client:
            client.workflows.push("greet", yaml.safe_load(GREET))
            client.creds.push("name", "value")
        running.engine.journal.exchanges.clear()
        monkeypatch.setenv("ARCRUN_BASE_URL", running.url)
        monkeypatch.setenv("ARCRUN_API_KEY", KEY)
        yield running


def words_of(name: str, folder: Path) -> tuple[list[str], str]:
    """What is typed for a row of the table."""
    if name == "kb import":
        page = folder / "page.md"
        page.write_text("text", "utf-8")
        return ["kb", "import", str(page)], ""
    return typed(name)


def test_each_command_of_the_table_has_a_row() -> None:
    assert {command.name for command in COMMANDS} == {*ROWS, *LOCAL}
    assert not LOCAL & ROWS.keys()


@pytest.mark.parametrize(
    ("name", "row"), [each for each in ROWS.items() if isinstance(each[1], Works)]
)
def test_what_the_hosted_engine_does_works(
    acr: Any,
    deployed: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    row: Works,
) -> None:
    for variable, value in row.variables:
        monkeypatch.setenv(variable, value)
    words, stdin = words_of(name, tmp_path)
    ended = acr(*words, "--json", stdin=stdin)
    assert ended.code == 0, ended.err
    assert row.check(ended.json), ended.json
    assert acr(*words, stdin=stdin).code == (3 if name == "workflows delete" else 0)  # it is gone


def refusal(
    acr: Any, deployed: Deployed, words: list[str], stdin: str, row: Refused
) -> dict[str, Any]:
    """The error of a command that is refused, in JSON and for people, in both languages."""
    ended = acr(*words, "--json", stdin=stdin)
    assert (ended.code, ended.out) == (1, ""), ended
    error: dict[str, Any] = json.loads(ended.err)
    assert error["code"] == row.code
    assert row.lacks in error["message"]
    assert row.cure in error["message"]
    assert row.next in " ".join(error["next"])
    english = acr(
        *words,
        stdin=stdin,
    )
    assert f"error[{row.code}]: {error['message']}" in english.err
    assert all(f"→ {step}" in english.err for step in error["next"])
    chinese = acr(*words, "--lang", "zh", stdin=stdin)
    assert (english.code, chinese.code) == (1, 1)
    head = chinese.err.partition("\n")[0]
    assert head.startswith(f"錯誤[{row.code}]: ")
    assert not re.search(r"[a-z]{2,} [a-z]{2,}", NAMES.sub("", head)), head
    assert row.next in chinese.err
    assert set(deployed.requests()) <= set(LOOK), deployed.requests()
    return error


@pytest.mark.parametrize(
    ("name", "row"), [each for each in ROWS.items() if isinstance(each[1], Refused)]
)
def test_what_the_hosted_engine_lacks_is_said_before_the_call(
    acr: Any, deployed: Deployed, tmp_path: Path, name: str, row: Refused
) -> None:
    words, stdin = words_of(name, tmp_path)
    refusal(acr, deployed, words, stdin, row)


@pytest.mark.parametrize(("words", "row"), VARIANTS.items(), ids=map(" ".join, VARIANTS))
def test_what_depends_on_arguments_is_known_before_the_call_too(
    acr: Any, deployed: Deployed, words: tuple[str, ...], row: Works | Refused
) -> None:
    if isinstance(row, Refused):
        refusal(acr, deployed, list(words), "value", row)
    else:
        ended = acr(*words, "--json", stdin="value")
        assert ended.code == 0, ended.err
        assert row.check(ended.json), ended.json


@pytest.mark.parametrize("name", sorted(ROWS))
def test_needs_of_the_table_are_what_the_hosted_engine_lacks_of_what_a_command_sends(
    acr: Any,
    server: Any,
    canned: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    home: Path,
    name: str,
) -> None:
    """Commands are called at an engine that can do everything, and what they send is compared with both engines."""
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    (home / ".arcrun").mkdir()
    (home / ".arcrun" / "config.yaml").write_text(f"api_key: {KEY}\n")
    serve_everything(server, canned)
    words, stdin = words_of(name, tmp_path)
    acr(*words, "--json", stdin=stdin)
    sent = {(request.method, request.target.partition("?")[0]) for request in server.requests}
    assert sent - {("GET", "/health")}
    operations = operations_of_the_contract()
    unknown = {each for each in sent if not any(matches(each, known) for known in operations)}
    assert unknown == set()
    with serve_deployed() as hosted:
        lacking = {" ".join(each) for each in sent if not hosted.has(*each)}
    does_without = DOES_WITHOUT.get(name, set())
    assert does_without <= lacking, "remove what it does not send, or the hosted engine has"
    must_be_refused = bool(lacking - does_without) or name in ANOTHER_MEANING
    assert isinstance(ROWS[name], Refused) == must_be_refused, lacking
    command = command_named(name)
    assert bool(command.needs) == (must_be_refused or command.on_hosted or name in BY_SETTINGS)


def serve_everything(server: Any, canned: Any) -> None:
    """Let a server answer as an engine that can do everything."""
    graph = {
        "nodes": [{"id": "input"}, {"id": "shout"}],
        "edges": [{"from": "input", "to": "shout"}],
    }
    ended = 'id: 0-1\nevent: status\ndata: {"status": "succeeded"}\n\n'

    def response_to(method: str, target: str) -> Any:
        path = target.partition("?")[0]
        if path.endswith("/events"):
            return canned(body=ended.encode(), headers={"Content-Type": "text/event-stream"})
        found = answer_to(method, target, RUN) | {"run_id": RUN, "warnings": []}
        if path == "/cypher/search":
            found["cypher"] = graph
        if path.endswith("/definition"):
            found["hook_url"] = f"{server.url}/hooks/0"
        if path == f"/runs/{RUN}":
            found["status"] = "succeeded"
        return canned(body=found)

    server.response_to = response_to


# Requests that a command does without where there is nothing that responds.
DOES_WITHOUT = {
    "push": {"GET /components"},
    "validate": {"GET /components"},
    "run": {f"GET /runs/{RUN}", f"GET /runs/{RUN}/events"},
}
# The hosted engine has the routes; but what is stored stays under the old key, which goes on to open it.
ANOTHER_MEANING = {"auth rotate", "auth revoke"}
# Secrets can be stored as they are, if the settings say so.
BY_SETTINGS = {"creds push", "setup"}


@cache
def operations_of_the_contract() -> set[tuple[str, str]]:
    """Method and path of each operation."""
    paths = yaml.load(OPENAPI.read_text("utf-8"), LOADER)["paths"]
    methods = {"get", "put", "post", "delete", "patch"}
    return {
        (method.upper(), path)
        for path, item in paths.items()
        for method in item
        if method in methods
    }


def matches(sent: tuple[str, str], operation: tuple[str, str]) -> bool:
    """Whether a request is one of an operation."""
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(operation[1]))
    return sent[0] == operation[0] and bool(re.fullmatch(pattern, sent[1]))


def test_an_engine_that_lists_capabilities_is_not_asked_for_its_name(
    acr: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    monkeypatch.setenv("ARCRUN_API_KEY", KEY)
    server.on("GET", "/health", {"ok": True, "capabilities": CAPABILITIES})
    server.on("GET", "/runs", {"runs": [], "total": 0})
    assert acr("runs", "list").code == 0
    assert server.to("/") == []


@pytest.mark.parametrize("root", [{"service": "arcrun-server"}, {"service": None}, {}])
def test_an_engine_without_a_list_that_is_not_the_hosted_one_is_asked(
    acr: Any, server: Any, monkeypatch: pytest.MonkeyPatch, root: dict[str, Any]
) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    monkeypatch.setenv("ARCRUN_API_KEY", KEY)
    server.on("GET", "/health", {"ok": True})
    server.on("GET", "/", root)
    server.on("GET", "/runs", {"runs": [], "total": 0})
    assert acr("runs", "list", "--json").json == {"runs": [], "total": 0}


def test_a_paused_run_of_an_engine_without_runs_is_refused_as_unsupported(
    acr: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    monkeypatch.setenv("ARCRUN_API_KEY", KEY)
    server.on("GET", "/health", {"ok": True, "capabilities": ["components"]})
    words, _ = CALLS["runs resume"]
    ended = acr("runs", "resume", *words, "--json")
    assert (ended.code, json.loads(ended.err)["code"]) == (1, "unsupported")
    assert [request.target for request in server.requests] == ["/health"]
