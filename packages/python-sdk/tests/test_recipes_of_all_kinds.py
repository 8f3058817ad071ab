"""`client.recipes` manages auth recipes and API recipes too: which routes, what is sent, what comes back."""

from __future__ import annotations

import pytest

from arcrun import ConflictError, InvalidArgumentError

HEALTH = {"ok": True, "capabilities": ["prompt_recipes", "recipe_versions"]}
RECORD = {"canonical_id": "weather", "hash_id": "rec_e5e72beb", "display_name": "天氣"}
VERSION = {
    "id": "api_recipe:weather",
    "name": "weather",
    "version": 3,
    "recipe": RECORD,
    "message": "why",
    "created_at": "2026-11-27T09:00:00.000Z",
}
PATHS = {
    "auth_recipe": "/auth-recipes",
    "api_recipe": "/recipes",
    "prompt_recipe": "/prompt-recipes",
}


@pytest.fixture
def client(kind, server):
    server.on("GET", "/health", HEALTH)
    return kind.client(server.url)


def sent(server) -> list[tuple[str, str]]:
    """The requests without those that ask for capabilities."""
    return [(each.method, each.target) for each in server.requests if each.target != "/health"]


@pytest.mark.parametrize(
    ("recipe", "path", "body"),
    [
        (
            {"kind": "api_recipe", "canonical_id": "weather", "method": "GET"},
            "/recipes",
            {"canonical_id": "weather", "method": "GET"},
        ),
        (
            {"id": "api_recipe:weather", "method": "GET"},
            "/recipes",
            {"canonical_id": "weather", "method": "GET"},
        ),
        ({**RECORD, "kind": "api_recipe"}, "/recipes", {k: RECORD[k] for k in ("canonical_id", "display_name")}),
        (
            {"kind": "auth_recipe", "service": "own", "version": 7},
            "/auth-recipes",
            {"kind": "auth_recipe", "service": "own", "version": 7},
        ),
        ({"id": "auth_recipe:own", "inject": {}}, "/auth-recipes", {"service": "own", "inject": {}}),
    ],
)  # fmt: skip
def test_a_push_goes_where_the_recipe_says(kind, server, client, recipe, path, body) -> None:
    server.on("POST", path, {"success": True, **VERSION, "warnings": []})
    before = dict(recipe)
    pushed = kind.run(client.recipes.push(recipe, message="why", expected_version=2))
    (request,) = server.to(path)
    assert request.json == {**body, "message": "why", "expected_version": 2}
    assert "idempotency-key" in request.headers
    assert pushed == {**VERSION, "warnings": []}
    assert recipe == before


@pytest.mark.parametrize(
    "recipe",
    [
        {"name": "greet"},
        {"kind": "prompt_recipe", "name": "greet"},
        {"id": "prompt_recipe:greet"},
        {"id": "greet"},
        {"kind": "other"},
        "id: auth_recipe:own",
    ],
)
def test_what_says_no_other_kind_is_a_prompt_recipe(kind, server, client, recipe) -> None:
    answer = {"success": True, "recipe": {"name": "greet", "version": 1}, "warnings": ["w"]}
    server.on("POST", "/prompt-recipes", answer)
    assert kind.run(client.recipes.push(recipe))["warnings"] == ["w"]
    (request,) = server.to("/prompt-recipes")
    assert request.json == {"recipe": recipe}


@pytest.mark.parametrize(
    "recipe",
    [
        {"kind": "api_recipe", "id": "auth_recipe:own"},
        {"kind": "prompt_recipe", "id": "auth_recipe:own"},
        {"id": "api_recipe:weather", "canonical_id": "other"},
        {"kind": "api_recipe", "id": "weather", "canonical_id": "weather"},
        {"id": "api_recipe:weather@3"},
        {"id": "auth_recipe:Own"},
    ],
)
def test_a_recipe_that_says_two_things_is_refused(kind, server, client, recipe) -> None:
    with pytest.raises(InvalidArgumentError):
        kind.run(client.recipes.push(recipe))
    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("auth_recipe:own", "/auth-recipes/own"),
        ("api_recipe:Weather-2", "/recipes/Weather-2"),
        ("prompt_recipe:greet", "/prompt-recipes/greet"),
        ("greet", "/prompt-recipes/greet"),
    ],
)
def test_each_method_uses_the_routes_of_the_kind(kind, server, client, name, path) -> None:
    bare = name.rpartition(":")[2]
    stored = {"id": name, "name": bare, "version": 1, "recipe": {"a": 1}, "labels": {}}
    is_prompt = path.startswith("/prompt-recipes")
    server.on("GET", path, {"success": True, **({"recipe": stored} if is_prompt else stored)})
    server.on("DELETE", path, {"success": True, "name": bare})
    server.on("GET", f"{path}/versions", {"success": True, "versions": [{"version": 1}]})
    server.on("GET", f"{path}/diff", {"success": True, "name": bare, "diff": "d"})
    label = {"success": True, "name": bare, "label": "staging", "version": 1}
    server.on("PUT", f"{path}/labels/staging", label)
    server.on("DELETE", f"{path}/labels/staging", label)
    recipes = client.recipes
    assert kind.run(recipes.get(name)) == stored
    assert kind.run(recipes.get(f"{name}@staging")) == stored
    assert kind.run(recipes.get(name, version=2)) == stored
    assert kind.run(recipes.versions(name)) == [{"version": 1}]
    assert kind.run(recipes.diff(name, 1, 2))["diff"] == "d"
    assert kind.run(recipes.label(name, "staging", 1)) == label
    assert kind.run(recipes.unlabel(name, "staging")) == label
    assert kind.run(recipes.delete(name, force=True)) == {"success": True, "name": bare}
    assert sent(server) == [
        ("GET", path),
        ("GET", f"{path}?label=staging"),
        ("GET", f"{path}?version=2"),
        ("GET", f"{path}/versions"),
        ("GET", f"{path}/diff?from=1&to=2"),
        ("PUT", f"{path}/labels/staging"),
        ("DELETE", f"{path}/labels/staging"),
        ("DELETE", f"{path}?force=true"),
    ]


@pytest.mark.parametrize("name", ["auth_recipe:own", "api_recipe:weather@1"])
def test_only_prompt_recipes_are_rendered_and_tested(kind, server, client, name) -> None:
    for call in (client.recipes.render, client.recipes.test):
        with pytest.raises(InvalidArgumentError, match="is no prompt recipe"):
            kind.run(call(name))
    assert server.requests == []


@pytest.mark.parametrize(
    ("chosen", "field"), [("api_recipe", "canonical_id"), ("auth_recipe", "service")]
)
def test_a_list_tells_own_recipes_from_shipped_ones(
    kind, server, client, canned, chosen, field
) -> None:
    first = {
        "success": True,
        "recipes": [{field: "own", "description": "d", "version": 9}, {field: "shipped"}],
        "versions": {"own": 3},
        "next_cursor": "c",
    }
    last = {"success": True, "recipes": [{field: "zz"}], "versions": {"zz": 1}}
    server.on("GET", PATHS[chosen], canned(200, first), canned(200, last))
    assert kind.run(client.recipes.list(kind=chosen)) == [
        {"name": "own", "version": 3, "description": "d"},
        {"name": "shipped", "version": 0, "description": "", "shipped": True},
        {"name": "zz", "version": 1, "description": ""},
    ]
    assert sent(server) == [("GET", PATHS[chosen]), ("GET", f"{PATHS[chosen]}?cursor=c")]


@pytest.mark.parametrize("wrong", ["recipe", "", None, 1])
def test_a_kind_that_there_is_not_is_refused(kind, server, client, wrong) -> None:
    with pytest.raises(InvalidArgumentError, match="prompt_recipe, api_recipe, auth_recipe"):
        kind.run(client.recipes.list(kind=wrong))
    assert server.requests == []


def test_an_engine_without_versions_of_them_gets_no_request(kind, server) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["prompt_recipes"]})
    client = kind.client(server.url)
    for call in (
        lambda: client.recipes.push({"kind": "auth_recipe", "service": "own"}),
        lambda: client.recipes.list(kind="api_recipe"),
        lambda: client.recipes.get("auth_recipe:own"),
        lambda: client.recipes.delete("api_recipe:weather"),
    ):
        with pytest.raises(InvalidArgumentError, match="recipe_versions"):
            kind.run(call())
    assert sent(server) == []


def test_a_service_in_use_is_a_conflict(kind, server, client, canned) -> None:
    detail = {"message": "this credential is stored for the service", "path": "own_token"}
    error = {"error": "…", "code": "recipe_in_use", "details": [detail]}
    server.on("DELETE", "/auth-recipes/own", canned(409, error))
    with pytest.raises(ConflictError) as caught:
        kind.run(client.recipes.delete("auth_recipe:own"))
    assert caught.value.details == [detail]
