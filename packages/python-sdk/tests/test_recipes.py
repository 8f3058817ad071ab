"""`client.recipes` and `client.components`: what is sent, what comes back, what is refused."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

import arcrun
from arcrun import (
    APIStatusError,
    BadRequestError,
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
)

HEALTH = {"ok": True, "capabilities": ["prompt_recipes", "components"]}
TEXT = "id: prompt_recipe:greet  # \N{WAVING HAND SIGN}\nprompt_assembly: {user: caf\u00e9 cafe\u0301}\n"
STORED = {"id": "prompt_recipe:greet", "name": "greet", "version": 1, "recipe": {}, "source": TEXT}
ONE = "/prompt-recipes/greet"


@pytest.fixture
def client(kind, server):
    server.on("GET", "/health", HEALTH)
    return kind.client(server.url)


def sent(server) -> list[tuple[str, str]]:
    """The requests without those that ask for capabilities."""
    return [(each.method, each.target) for each in server.requests if each.target != "/health"]


def query_of(target: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(target).query)


# --- push ---------------------------------------------------------------------------------------


def test_a_push_sends_the_text_to_the_letter(kind, server, client) -> None:
    server.on("POST", "/prompt-recipes", {"success": True, "recipe": STORED, "warnings": ["w"]})
    result = kind.run(client.recipes.push(TEXT, message="第一版", expected_version=0))
    assert result == {**STORED, "warnings": ["w"]}
    (request,) = server.to("/prompt-recipes")
    assert request.json == {"recipe": TEXT, "message": "第一版", "expected_version": 0}
    assert TEXT.encode().replace(b"\n", b"\\n") in request.body


def test_a_push_takes_a_mapping(kind, server, client) -> None:
    server.on("POST", "/prompt-recipes", {"success": True, "recipe": STORED, "warnings": []})
    recipe = {"name": "greet", "prompt_assembly": {"user": "嗨"}}
    kind.run(client.recipes.push(recipe))
    (request,) = server.to("/prompt-recipes")
    assert request.json == {"recipe": recipe}


def test_the_attempts_of_a_push_have_one_key_and_other_pushes_have_others(
    kind, server, client, canned
) -> None:
    busy = canned(503, {"error": "locked"}, {"retry-after-ms": "1"})
    done = {"success": True, "recipe": STORED, "warnings": []}
    server.on("POST", "/prompt-recipes", busy, busy, canned(201, done))
    kind.run(client.recipes.push(TEXT))
    kind.run(client.recipes.push(TEXT))
    first, second, third, other = [
        request.headers["idempotency-key"] for request in server.to("/prompt-recipes")
    ]
    assert first == second == third
    assert other != first
    assert all(re.fullmatch("[!-~]{1,128}", key) for key in (first, other))


def test_an_outdated_push_is_a_conflict(kind, server, client, canned) -> None:
    error = {"error": "the newest version is 3", "code": "version_conflict", "newest_version": 3}
    server.on("POST", "/prompt-recipes", canned(409, error))
    with pytest.raises(ConflictError) as caught:
        kind.run(client.recipes.push(TEXT, expected_version=2))
    assert (caught.value.status, caught.value.code) == (409, "version_conflict")
    assert caught.value.newest_version == 3


def test_the_faults_of_a_recipe_are_in_the_details(kind, server, client, canned) -> None:
    fault = {"message": "unknown field 'inpust'", "line": 2, "column": 1, "suggestion": "inputs"}
    error = {"error": "line 2, column 1: …", "code": "invalid_recipe", "details": [fault]}
    server.on("POST", "/prompt-recipes", canned(400, error))
    with pytest.raises(BadRequestError, match="inputs") as caught:
        kind.run(client.recipes.push(TEXT))
    assert caught.value.details == [fault]


# --- which version --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "query"),
    [
        ("greet", {}, {}),
        ("prompt_recipe:greet", {}, {}),
        ("greet@3", {}, {"version": ["3"]}),
        ("prompt_recipe:greet@production", {}, {"label": ["production"]}),
        ("greet@v1.2-rc", {}, {"label": ["v1.2-rc"]}),
        ("prompt_recipe:greet", {"version": 12}, {"version": ["12"]}),
        ("greet", {"label": "staging"}, {"label": ["staging"]}),
    ],
)
def test_a_version_is_named_as_a_node_names_it(kind, server, client, name, options, query) -> None:
    server.on("GET", ONE, {"success": True, "recipe": STORED})
    server.on("POST", f"{ONE}/render", {"success": True, "messages": []})
    server.on("POST", f"{ONE}/test", {"success": True, "passed": True, "tests": []})
    assert kind.run(client.recipes.get(name, **options)) == STORED
    assert kind.run(client.recipes.render(name, **options))["messages"] == []
    assert kind.run(client.recipes.test(name, **options))["passed"] is True
    assert [urlsplit(target).path for _, target in sent(server)] == [
        ONE,
        f"{ONE}/render",
        f"{ONE}/test",
    ]
    assert [query_of(target) for _, target in sent(server)] == [query] * 3


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("", {}),
        ("Greet", {}),
        ("greet/..", {}),
        ("greet\n", {}),
        ("prompt_recipe:prompt_recipe:greet", {}),
        ("a" * 129, {}),
        (5, {}),
        ("greet@", {}),
        ("greet@0", {}),
        ("greet@1000000000", {}),
        ("greet@-1", {}),
        ("greet@a b", {}),
        ("greet@3", {"version": 3}),
        ("greet@3", {"label": "production"}),
        ("greet", {"version": 3, "label": "production"}),
        ("greet", {"version": 0}),
        ("greet", {"version": True}),
        ("greet", {"version": "3"}),
        ("greet", {"label": "3"}),
        ("greet", {"label": ""}),
    ],
)
def test_a_malformed_reference_is_refused_before_a_request(
    kind, server, client, name, options
) -> None:
    for method in ("get", "render", "test"):
        with pytest.raises(InvalidArgumentError):
            kind.run(getattr(client.recipes, method)(name, **options))
    assert server.requests == []


@pytest.mark.parametrize("name", ["greet@3", "greet@production"])
def test_a_method_for_the_whole_recipe_takes_no_version(kind, server, client, name) -> None:
    recipes = client.recipes
    for method, arguments in [
        (recipes.delete, ()),
        (recipes.versions, ()),
        (recipes.label, ("production", 1)),
        (recipes.unlabel, ("production",)),
        (recipes.diff, (1,)),
    ]:
        with pytest.raises(InvalidArgumentError, match="whole recipe"):
            kind.run(method(name, *arguments))
    assert server.requests == []


@pytest.mark.parametrize(
    ("method", "arguments", "options"),
    [
        ("push", [""], {}),
        ("push", [5], {}),
        ("push", ["\ud800"], {}),
        ("push", [TEXT], {"message": 5}),
        ("push", [TEXT], {"expected_version": -1}),
        ("push", [TEXT], {"expected_version": False}),
        ("push", [TEXT], {"expected_version": 1.0}),
        ("delete", ["greet"], {"force": "no"}),
        ("label", ["greet", "a/b", 1], {}),
        ("label", ["greet", "production", 0], {}),
        ("label", ["greet", "production", 1], {"requires_tests": "no"}),
        ("unlabel", ["greet", ".."], {}),
        ("diff", ["greet", 0], {}),
        ("diff", ["greet", 1, 0], {}),
        ("render", ["greet", ["a"]], {}),
        ("render", ["greet"], {"context": "a"}),
        ("render", ["greet"], {"fragments": 5}),
        ("render", ["greet"], {"recipe": ""}),
        ("render", ["greet"], {"recipe": TEXT, "version": 1}),
        ("test", ["greet@1"], {"recipe": TEXT}),
    ],
)
def test_a_malformed_argument_is_refused_before_a_request(
    kind, server, client, method, arguments, options
) -> None:
    with pytest.raises(InvalidArgumentError):
        kind.run(getattr(client.recipes, method)(*arguments, **options))
    assert server.requests == []


# --- the other methods ----------------------------------------------------------------------------


def test_render_sends_what_is_given(kind, server, client) -> None:
    message = {"role": "user", "content": "嗨", "ranges": []}
    server.on("POST", f"{ONE}/render", {"success": True, "messages": [message]})
    result = kind.run(
        client.recipes.render(
            "greet",
            {"name": "小明"},
            context={"a": 1},
            fragments={"style": "short"},
            recipe=TEXT,
        )
    )
    assert result["messages"] == [message]
    (request,) = server.to(f"{ONE}/render")
    assert request.json == {
        "inputs": {"name": "小明"},
        "context": {"a": 1},
        "fragments": {"style": "short"},
        "recipe": TEXT,
    }


def test_render_without_values_sends_an_empty_object(kind, server, client) -> None:
    server.on("POST", f"{ONE}/render", {"success": True, "messages": []})
    kind.run(client.recipes.render("greet"))
    assert server.to(f"{ONE}/render")[0].json == {}


def test_backtest_sends_what_is_given(kind, server, client) -> None:
    server.on("POST", f"{ONE}/backtest", {"success": True, "count": 0, "changed": 0, "runs": []})
    result = kind.run(client.recipes.backtest("greet", runs=20, call=True, recipe=TEXT))
    assert (result["count"], result["runs"]) == (0, [])
    kind.run(client.recipes.backtest("greet@3"))
    drafted, stored = server.to(f"{ONE}/backtest")
    assert drafted.json == {"runs": 20, "call": True, "recipe": TEXT}
    assert stored.json == {}
    assert query_of(stored.target) == {"version": ["3"]}


@pytest.mark.parametrize(
    "options", [{"runs": 0}, {"runs": 201}, {"runs": True}, {"runs": "5"}, {"call": "no"}]
)
def test_a_backtest_that_can_not_be_is_refused(kind, server, client, options) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        kind.run(client.recipes.backtest("greet", **options))
    assert server.requests == []


def test_a_backtest_that_asks_a_model_is_not_repeated(kind, server, client, canned) -> None:
    busy = canned(503, {"error": "locked"}, {"retry-after-ms": "1"})
    server.on("POST", f"{ONE}/backtest", busy)
    with pytest.raises(APIStatusError):
        kind.run(client.recipes.backtest("greet", call=True))
    assert len(server.to(f"{ONE}/backtest")) == 1


@pytest.mark.parametrize("method", ["render", "test", "backtest"])
def test_what_stores_nothing_is_repeated(kind, server, client, canned, method) -> None:
    busy = canned(503, {"error": "locked"}, {"retry-after-ms": "1"})
    done = {"messages": [], "passed": True, "runs": []}
    server.on("POST", f"{ONE}/{method}", busy, canned(200, done))
    assert kind.run(getattr(client.recipes, method)("greet")) == done
    assert len(server.to(f"{ONE}/{method}")) == 2


def test_a_label_points_to_a_version(kind, server, client) -> None:
    label = {"name": "greet", "label": "production", "version": 2, "requires_tests": True}
    server.on("PUT", f"{ONE}/labels/production", label)
    assert kind.run(client.recipes.label("prompt_recipe:greet", "production", 2)) == label
    kind.run(client.recipes.label("greet", "production", 2, requires_tests=False))
    first, second = server.to(f"{ONE}/labels/production")
    assert first.json == {"version": 2}
    assert second.json == {"version": 2, "requires_tests": False}


@pytest.mark.parametrize("force", [True, False])
def test_a_recipe_is_deleted(kind, server, client, force) -> None:
    server.on("DELETE", ONE, {"success": True, "name": "greet"})
    assert kind.run(client.recipes.delete("greet", force=force))["name"] == "greet"
    assert sent(server) == [("DELETE", f"{ONE}?force=true" if force else ONE)]


def test_a_repeated_delete_that_finds_nothing_has_succeeded(kind, server, client, canned) -> None:
    busy = canned(503, {"error": "locked"}, {"retry-after-ms": "1"})
    gone = canned(404, {"error": "no recipe", "code": "recipe_not_found"})
    for path in (ONE, f"{ONE}/labels/production"):
        server.on("DELETE", path, busy, gone)
    assert kind.run(client.recipes.delete("greet")) == {"name": "greet", "success": True}
    removed = kind.run(client.recipes.unlabel("greet", "production"))
    assert removed == {"name": "greet", "label": "production", "success": True}


def test_a_first_delete_that_finds_nothing_is_an_error(kind, server, client, canned) -> None:
    server.on("DELETE", ONE, canned(404, {"error": "no recipe", "code": "recipe_not_found"}))
    with pytest.raises(NotFoundError):
        kind.run(client.recipes.delete("greet"))


def test_two_versions_are_compared(kind, server, client) -> None:
    server.on("GET", f"{ONE}/diff", {"name": "greet", "from": 1, "to": 2, "diff": "-a\n+b\n"})
    assert kind.run(client.recipes.diff("greet", 1, 2))["diff"] == "-a\n+b\n"
    kind.run(client.recipes.diff("greet", 1))
    assert [query_of(target) for _, target in sent(server)] == [
        {"from": ["1"], "to": ["2"]},
        {"from": ["1"]},
    ]


# --- components -----------------------------------------------------------------------------------


def test_the_catalog_is_read_without_the_key(kind, server, client) -> None:
    component = {"canonical_id": "if_control", "branches": ["true", "false"]}
    server.on("GET", "/components", {"components": [component]})
    server.on("GET", "/components/if_control", {"component": component})
    assert kind.run(client.components.list()) == [component]
    assert kind.run(client.components.get("if_control")) == component
    assert all("x-arcrun-api-key" not in request.headers for request in server.requests)


def test_a_search_sends_the_key_and_follows_its_pages(kind, server, client, key) -> None:
    one, two = ({"kind": "component", "canonical_id": name} for name in ("a", "b"))
    server.on(
        "GET", "/components/search", {"results": [one], "next_cursor": "x&y"}, {"results": [two]}
    )
    assert kind.run(client.components.search("知識庫 & q=1")) == [one, two]
    assert [query_of(target) for _, target in sent(server)] == [
        {"q": ["知識庫 & q=1"]},
        {"q": ["知識庫 & q=1"], "cursor": ["x&y"]},
    ]
    assert {each.headers["x-arcrun-api-key"] for each in server.to("/components/search")} == {key}


@pytest.mark.parametrize("query", ["", "a" * 201, 5, None, "\ud800"])
def test_a_query_that_is_none_is_refused(kind, server, client, query) -> None:
    with pytest.raises(InvalidArgumentError, match="query"):
        kind.run(client.components.search(query))
    assert server.requests == []


@pytest.mark.parametrize("given", ["", "1a", "a/b", "..", "a" * 129, 5])
def test_an_id_that_is_none_is_refused(kind, server, client, given) -> None:
    with pytest.raises(InvalidArgumentError, match="component id"):
        kind.run(client.components.get(given))
    assert server.requests == []


# --- engines without them -------------------------------------------------------------------------

CALLS = {
    "push": lambda c: c.recipes.push(TEXT),
    "list": lambda c: c.recipes.list(),
    "get": lambda c: c.recipes.get("greet"),
    "delete": lambda c: c.recipes.delete("greet"),
    "render": lambda c: c.recipes.render("greet"),
    "test": lambda c: c.recipes.test("greet"),
    "backtest": lambda c: c.recipes.backtest("greet"),
    "label": lambda c: c.recipes.label("greet", "production", 1),
    "unlabel": lambda c: c.recipes.unlabel("greet", "production"),
    "versions": lambda c: c.recipes.versions("greet"),
    "diff": lambda c: c.recipes.diff("greet", 1),
    "components.list": lambda c: c.components.list(),
    "components.get": lambda c: c.components.get("set"),
    "components.search": lambda c: c.components.search("set"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_engine_without_the_capability_gets_no_request(kind, server, call) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["idempotency_key"]})
    client = kind.client(server.url)
    for _ in range(2):
        with pytest.raises(InvalidArgumentError, match=r"this engine has no (prompt|catalog)"):
            kind.run(call(client))
    assert [request.target for request in server.requests] == ["/health"]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_engine_that_does_not_say_what_it_can_do_is_asked(kind, server, call) -> None:
    server.on("GET", "/health", {"ok": True})
    with pytest.raises(NotFoundError):
        kind.run(call(kind.client(server.url)))
    assert len(sent(server)) == 1


@pytest.mark.parametrize("name", [name for name in CALLS if not name.startswith("components")])
def test_a_recipe_needs_a_key_before_anything_is_sent(kind, server, name) -> None:
    with pytest.raises(arcrun.ConfigurationError, match="key"):
        kind.run(CALLS[name](kind.client(server.url, None)))
    assert server.requests == []
