"""A node names a version or a label of an API recipe or a service, as it does of a prompt recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pushed_recipes import (
    ChangingResponses,
    Upstream,
    api_recipe,
    auth_recipe,
    post,
    push_secret,
    run,
)

from arcrun_server.recipes.api.record import hash_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Api


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    service = Upstream()
    yield service
    service.close()


@pytest.fixture
async def two_versions(alice: Api, upstream: Upstream) -> Api:
    """An account with two versions of a recipe, which lead to `/1/…` and `/2/…`, and of a service."""
    await push_secret(alice)
    for number in (1, 2):
        await post(alice, "/recipes", api_recipe(f"{upstream.url}/{number}"))
        await post(alice, "/auth-recipes", auth_recipe(f"{upstream.url}/{number}"))
    return alice


async def path_of(api: Api, upstream: Upstream, component: str, **data: Any) -> str:
    """Return the path of the request that a node with this component makes."""
    answer = await run(api, component, **data)
    assert answer.status_code == 200, answer.text
    return str(upstream.requests[-1]["path"])


@pytest.mark.parametrize(
    ("component", "data", "path"),
    [
        ("own_send", {"room": "r"}, "/{}/send/r"),
        (hash_id("own_send"), {"room": "r"}, "/{}/send/r"),
        ("own", {"_path": "/x"}, "/{}/v1/x"),
    ],
)
async def test_a_node_takes_the_version_that_it_names(
    two_versions: Api, upstream: Upstream, component: str, data: dict[str, Any], path: str
) -> None:
    assert await path_of(two_versions, upstream, component, **data) == path.format(2)
    assert await path_of(two_versions, upstream, f"{component}@1", **data) == path.format(1)
    kind = "/auth-recipes/own" if component == "own" else "/recipes/own_send"
    for label, version in (("production", 1), ("v2.0-rc", 2)):
        moved = await two_versions("PUT", f"{kind}/labels/{label}", json={"version": version})
        assert moved.status_code == 200
    assert await path_of(two_versions, upstream, component, **data) == path.format(1)
    assert await path_of(two_versions, upstream, f"{component}@v2.0-rc", **data) == path.format(2)
    assert await path_of(two_versions, upstream, f"{component}@2", **data) == path.format(2)


async def test_a_recipe_is_signed_by_the_version_of_the_service_in_force(
    two_versions: Api, upstream: Upstream
) -> None:
    recipe = api_recipe(f"{upstream.url}/3", auth_service="own")
    await post(two_versions, "/recipes", recipe)
    changed = auth_recipe(f"{upstream.url}/3")
    changed["inject"]["header"] = {"X-New": "{{secret.own_token}}"}
    await post(two_versions, "/auth-recipes", changed)
    await run(two_versions, "own_send", room="r")
    assert "x-new" in upstream.requests[-1]["headers"]
    await two_versions("PUT", "/auth-recipes/own/labels/production", json={"version": 1})
    await run(two_versions, "own_send", room="r")
    assert "x-token" in upstream.requests[-1]["headers"]


async def test_an_auth_primitive_takes_the_version_that_it_names(
    two_versions: Api, upstream: Upstream
) -> None:
    await two_versions("PUT", "/auth-recipes/own/labels/Old", json={"version": 1})
    for service, number in (("own", 2), ("OWN@1", 1), ("own@Old", 1)):
        answer = await run(two_versions, "auth_static_key", service=service)
        assert answer.json()["data"]["data"]["base_url"] == f"{upstream.url}/{number}/v1"
    answer = await run(two_versions, "auth_static_key", service="own@9")
    assert "the service 'own' has no version 9; its newest version is 2" in answer.json()["error"]


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ("own_send@7", "the recipe 'own_send' has no version 7; its newest version is 2"),
        ("own_send@later", "the recipe 'own_send' has no label 'later'; its newest version is 2"),
        ("own@7", "the service 'own' has no version 7; its newest version is 2"),
    ],
)
async def test_a_version_that_is_not_there_fails_the_node(
    two_versions: Api, component: str, reason: str
) -> None:
    answer = await run(two_versions, component, room="r")
    assert (answer.status_code, answer.json()["code"]) == (500, "run_failed")
    assert reason in answer.json()["error"]


@pytest.mark.parametrize(
    ("component", "meant"),
    [
        ("own_send@0", "own_send"),
        ("own_send@-1", "own_send"),
        ("own_send@", "own_send"),
        ("own_sent@1", "own_send"),
        ("telegram_send@1", "telegram_send"),
        ("notion_@1", "notion"),
        ("http_request@1", "http_request"),
        ("comp_uppercase@1", "comp_uppercase"),
    ],
)
async def test_what_has_no_versions_is_an_unknown_component(
    two_versions: Api, component: str, meant: str
) -> None:
    answer = await run(two_versions, component)
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_component")
    assert answer.json()["details"][0]["suggestion"] == meant


async def test_what_another_account_has_is_an_unknown_component(
    two_versions: Api, bob: Api
) -> None:
    del two_versions
    assert (await run(bob, "own_send@1")).json()["code"] == "unknown_component"


async def test_a_run_keeps_the_version_that_it_began_with(
    two_versions: Api, upstream: Upstream
) -> None:
    """While the service answers the first element's request, the recipe is changed."""
    newer = api_recipe(f"{upstream.url}/3")
    upstream.responses = ChangingResponses(
        lambda: post(two_versions, "/recipes", newer), [(200, {})]
    )
    nodes = [
        {"id": "input", "type": "Input"},
        {
            "id": "send",
            "type": "Component",
            "componentId": "own_send",
            "data": {"room": "{{item}}"},
        },
    ]
    graph = {"nodes": nodes, "edges": [{"from": "input", "to": "send", "type": "FOREACH"}]}
    body = {"graph": graph, "context": {"items": ["a", "b"]}}
    answer = await two_versions("POST", "/execute", json=body)
    assert answer.status_code == 200, answer.text
    assert [one["path"] for one in upstream.requests] == ["/2/send/a", "/2/send/b"]
    assert await path_of(two_versions, upstream, "own_send", room="c") == "/3/send/c"
