"""Every command, before engines that send what steers a terminal, or that answer with what no engine answers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from every_command import CALLS, KEY, LOCAL, answer_to

from arcrun.commands.table import COMMANDS

EVIL = "\x1b[31mR\x1b]0;t\x07\x1b]8;;http://e\x1b\\\u202e\u2066\r\x9b31m\0\x85\u2028\x7f\u200f"
STEERING = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
NAMES = [command.name for command in COMMANDS if command.name not in LOCAL]
MALFORMED: list[Any] = [
    {},
    [],
    None,
    {"success": True},
    "text",
    dict.fromkeys((
        "ok", "success", "recipes", "recipe", "workflows", "runs", "run_id", "components", "component", "blocks",
        "block", "results", "versions", "graph", "cypher", "messages", "tests", "passed", "credentials", "name",
        "nodeCount", "diff", "label", "status", "workflow", "capabilities", "warnings", "key", "account",
    ), 5),
]  # fmt: skip


@pytest.fixture
def call(acr, server, monkeypatch, home):
    """Call a command at the recording server."""
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    monkeypatch.setenv("ARCRUN_API_KEY", KEY)
    monkeypatch.setenv("ARCRUN_CREDENTIAL_FORMAT", "plain")
    (home / ".arcrun").mkdir(exist_ok=True)
    (home / ".arcrun" / "config.yaml").write_text(f"api_key: {KEY}\n")

    def call_of(name: str, *options: str):
        arguments, stdin = CALLS.get(name, ([], ""))
        if name in {"auth rotate", "auth revoke"}:
            monkeypatch.delenv("ARCRUN_API_KEY")
        return acr(*name.split(), *arguments, *options, stdin=stdin)

    return call_of


def serve(server, canned, answer) -> None:
    """Let the server answer every request but for a run's events, which are those of a hostile engine."""
    event = {"node": EVIL, "status": EVIL, "error": EVIL, "workflow": EVIL}
    ended = {"status": "succeeded", "workflow": EVIL}
    stream = "".join(
        f"id: 0-{number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
        for number, (kind, data) in enumerate([("node", event), ("status", ended)], 1)
    )

    def response_to(method: str, target: str):
        if target.partition("?")[0].endswith("/events"):
            return canned(body=stream.encode(), headers={"Content-Type": "text/event-stream"})
        return answer(method, target)

    server.response_to = response_to


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_an_answer_steers_the_terminal(call, server, canned, name) -> None:
    def answer(method: str, target: str):
        found = answer_to(method, target, EVIL)
        if re.fullmatch(r"/runs/[^/]+(/retry|/cancel)?", target) or target.endswith("async=1"):
            found |= {"run_id": EVIL if "/runs/" in target else "0" * 32}
        return canned(body=found)

    serve(server, canned, answer)
    ended = call(name)
    shown = ended.out + ended.err
    assert shown
    assert not STEERING.search(shown), shown
    assert "error[internal]" not in ended.err
    ended = call(name, "--json") if not name.startswith("auth r") else ended
    assert not STEERING.search(ended.out + ended.err)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_refusal_steers_the_terminal(call, server, canned, name) -> None:
    details = [{"message": EVIL, "path": EVIL, "suggestion": EVIL, "line": 1, "column": 1}]
    refusal = {"error": EVIL, "code": EVIL, "next_actions": [EVIL], "details": details}
    health = {"ok": True, "capabilities": answer_to("GET", "/health", "")["capabilities"]}
    serve(
        server,
        canned,
        lambda _, target: canned(body=health) if target == "/health" else canned(400, refusal),
    )
    ended = call(name)
    assert not STEERING.search(ended.out + ended.err)
    assert "error[internal]" not in ended.err


def test_the_escapes_say_which_characters_came(call, server, canned) -> None:
    serve(server, canned, lambda *_: canned(400, {"error": "x", "code": "a\x1b\u202e"}))
    assert "error[a\\u001B\\u202E]: x" in call("workflows list").err


@pytest.mark.parametrize("answer", MALFORMED, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_none_is_no_defect_of_acr(call, server, canned, name, answer) -> None:
    health = {"ok": True, "capabilities": answer_to("GET", "/health", "")["capabilities"]}
    for healthy in (True, False):
        if not healthy and name.startswith("auth r"):
            continue  # the key was removed by the first call
        serve(
            server,
            canned,
            lambda _, target, healthy=healthy: canned(
                body=health if healthy and target == "/health" else json.dumps(answer).encode()
            ),
        )
        ended = call(name)
        assert "error[internal]" not in ended.err
        if ended.code and name not in {"doctor", "auth status"}:
            assert ended.out == ""


def test_it_is_said_what_is_missing_and_where(call, server, canned) -> None:
    answer = {"success": True, "components": [{"canonical_id": "a"}, {"display_name": "b"}]}
    serve(
        server,
        canned,
        lambda _, target: canned(body={"ok": True} if target == "/health" else answer),
    )
    ended = call("components list")
    assert (ended.code, ended.out) == (1, "")
    assert "error[unexpected_response]: GET /components: " in ended.err
    assert "components[1].canonical_id is missing" in ended.err


@pytest.mark.parametrize("status", [502, 403])
def test_a_page_of_a_proxy_is_said_to_be_one(call, server, canned, status) -> None:
    serve(server, canned, lambda *_: canned(status, b"<html>Bad Gateway</html>"))
    ended = call("workflows list")
    assert f"{server.url.partition('//')[2]} returned {status} with a page of HTML" in ended.err
    assert "proxy" in ended.err
