"""Lists that the engine returns in pages are followed to their end."""

from __future__ import annotations

import json

import httpx
import pytest

from arcrun import UnexpectedResponseError, WorkflowWarning

PAGES = {None: ([1, 2], "a+b/="), "a+b/=": ([3], "c"), "c": ([], "d"), "d": ([4], None)}
CALLS = {
    "creds.list": "credentials",
    "workflows.list": "workflows",
    "auth.list_services": "recipes",
    "workflows.executions": "executions",
    "recipes.list": "recipes",
    "recipes.versions": "versions",
    "components.list": "components",
    "runs.list": "runs",
    "components.search": "results",
}
NAMED = {"executions", "versions", "search"}


@pytest.fixture(params=list(CALLS))
def call(request) -> str:
    return request.param


def body(call: str, items: list[int], cursor: object) -> dict[str, object]:
    page = {CALLS[call]: [{"name": str(item)} for item in items]}
    if cursor is not None:
        page["next_cursor"] = cursor
    return {"ok": True, "data": page} if call == "workflows.executions" else page


def result_of(kind, call, respond, **options) -> list[str]:
    def answer(request: httpx.Request) -> httpx.Response:
        is_health = request.url.path == "/health"  # asked for what the engine can do
        return httpx.Response(200, json={"ok": True}) if is_health else respond(request)

    http = kind.http_client(transport=httpx.MockTransport(answer))
    client = kind.client("https://engine.test", http_client=http)
    resource, name = call.split(".")
    arguments = ["greet"] if name in NAMED else []
    found = kind.run(getattr(getattr(client, resource), name)(*arguments, **options))
    return [item["name"] for item in found]


def test_all_pages_of_a_list_are_returned(kind, call) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        items, cursor = PAGES[request.url.params.get("cursor")]
        return httpx.Response(200, json=body(call, items, cursor))

    assert result_of(kind, call, respond) == ["1", "2", "3", "4"]


def test_a_list_without_a_cursor_is_whole(kind, call) -> None:
    seen: list[str | None] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params.get("cursor"))
        return httpx.Response(200, json=body(call, [], None))

    assert result_of(kind, call, respond) == []
    assert seen == [None]


@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"]])
def test_a_cursor_that_comes_again_is_an_error(cursors, kind, call) -> None:
    left = list(cursors)

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body(call, [1], left.pop(0)))

    with pytest.raises(UnexpectedResponseError, match="no end"):
        result_of(kind, call, respond)
    assert left == []


def test_an_empty_cursor_ends_a_list(kind, call) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body(call, [1], ""))

    assert result_of(kind, call, respond) == ["1"]


@pytest.mark.parametrize("cursor", [5, 0, False, {}, ["a"], "\ud800"])
def test_a_list_is_not_cut_at_what_is_no_cursor(cursor, kind, call) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=json.dumps(body(call, [1], cursor)))

    with pytest.raises(UnexpectedResponseError, match="next_cursor"):
        result_of(kind, call, respond)


@pytest.mark.parametrize("item", [None, 1, "a", [], True])
def test_what_is_no_entry_of_a_list_is_an_error(item, kind, call) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        page = {CALLS[call]: [{"name": "a"}, item]}
        found = {"ok": True, "data": page} if call == "workflows.executions" else page
        return httpx.Response(200, json=found)

    with pytest.raises(UnexpectedResponseError, match=CALLS[call]):
        result_of(kind, call, respond)


def test_with_a_limit_one_page_is_returned(kind) -> None:
    seen: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.query.decode())
        return httpx.Response(200, json=body("workflows.executions", [1], "more"))

    assert result_of(kind, "workflows.executions", respond, limit=1) == ["1"]
    assert seen == ["limit=1"]


def test_what_a_run_warns_of_is_passed_on(kind, server) -> None:
    answer = {
        "success": True,
        "data": {},
        "warnings": [{"node": "say", "placeholder": "{{inptu.text}}"}],
        "failed_nodes": ["fetch"],
    }
    server.on("POST", "/webhooks/named/greet/trigger", answer)
    client = kind.client(server.url)
    with pytest.warns(
        WorkflowWarning, match=r"\{\{inptu\.text\}\} at node 'say' has no value"
    ) as seen:
        result = kind.run(client.workflows.run("greet"))
    assert result == answer
    assert len(seen) == 1


def test_a_run_without_warnings_warns_of_nothing(kind, server, recwarn) -> None:
    server.on("POST", "/webhooks/named/greet/trigger", {"success": True, "data": {}})
    kind.run(kind.client(server.url).workflows.run("greet"))
    assert [found for found in recwarn if found.category is WorkflowWarning] == []
