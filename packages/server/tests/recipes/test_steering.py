"""Run input steers no request of a service, and a service repeats no secret."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from pushed_recipes import SECRET_ENTRY, Upstream, api_recipe, auth_recipe, post, push_secret, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Api


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


def in_the_path(url: str) -> dict[str, Any]:
    return auth_recipe(url, inject={"path": {"bot_token": "{{secret.own_token}}"}})


async def execute(api: Api, component: str, run_input: dict[str, Any], **data: Any) -> Any:
    node = {"id": "n", "type": "Component", "componentId": component, "data": data}
    graph = {
        "nodes": [{"id": "input", "type": "Input"}, node],
        "edges": [{"from": "input", "to": "n", "type": "PIPE"}],
    }
    return await api("POST", "/execute", json={"graph": graph, "context": run_input})


@pytest.mark.parametrize("path", ["/bot{bot_token}/say/{{input.text}}", "{{input.path}}"])
async def test_run_input_names_no_place_for_a_secret(
    alice: Api, upstream: Upstream, path: str
) -> None:
    await push_secret(alice, value="123:tok-value")
    await post(alice, "/auth-recipes", in_the_path(upstream.url))
    run_input = {"text": "hi{bot_token}", "path": "/x?q={bot_token}"}
    response = await execute(alice, "own", run_input, _path=path)
    assert response.json()["success"] is True
    sent = upstream.requests[0]["path"]
    expected = ["/v1/bot123%3Atok-value/say/hi%7Bbot_token%7D", "/v1/x?q=%7Bbot_token%7D"]
    assert sent in expected


async def test_run_input_of_an_api_recipe_names_no_place_for_a_secret(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice, value="123:tok-value")
    await post(alice, "/auth-recipes", in_the_path(f"{upstream.url}"))
    endpoint = f"{upstream.url}/bot{{{{auth.bot_token}}}}/{{{{room}}}}?q={{{{text}}}}"
    recipe = api_recipe(upstream.url, endpoint=endpoint, auth_service="own")
    await post(alice, "/recipes", recipe)
    run_input = {"a": "{bot_token}"}
    await execute(alice, "own_send", run_input, room="{{input.a}}", text="{{a}}")
    assert upstream.requests[0]["path"] == "/bot123%3Atok-value/%7Bbot_token%7D?q=%7Bbot_token%7D"


async def test_run_input_sets_no_parameter_that_the_node_left_out(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice)
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    await post(alice, "/recipes", api_recipe(upstream.url))
    evil = {"_method": "DELETE", "_path": "/evil", "_body": {"x": 1}, "_query": {"x": 1}}
    await execute(alice, "own", evil, _headers={"A": "b"})
    await execute(alice, "own_send", {"room": "evil", "text": "evil"}, items="{{input.text}}")
    service, recipe = upstream.requests
    assert (service["method"], service["path"], service["body"]) == ("GET", "/v1", "")
    assert recipe["path"] == "/send/"
    assert json.loads(recipe["body"]) == {"text": "", "all": "evil", "none": ""}


async def test_secret_that_reaches_over_the_end_of_an_error_is_redacted_first(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice, value="abc-secret-token")
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    upstream.responses = [(400, {"e": "x" * 180 + "abc-secret-token"})]
    error = (await run(alice, "own", _path="/x")).json()["data"]["error"]
    assert "abc-" not in error
    assert error.endswith('x[redacted]"}')


async def test_basic_credentials_that_a_service_repeats_are_redacted(
    alice: Api, upstream: Upstream
) -> None:
    inject = {"header": {"Authorization": "Basic user-name:{{secret.own_token}}"}}
    await push_secret(alice, value="ab1")
    await post(alice, "/auth-recipes", auth_recipe(upstream.url, inject=inject))
    encoded = base64.b64encode(b"user-name:ab1").decode()
    upstream.responses = [(200, {"got": f"Basic {encoded}"})]
    response = await run(alice, "own", _path="/x")
    assert upstream.requests[0]["headers"]["authorization"] == f"Basic {encoded}"
    assert response.json()["data"]["data"] == {"got": "Basic [redacted]"}


async def test_token_endpoint_that_repeats_what_it_was_sent_is_not_quoted(
    alice: Api, upstream: Upstream
) -> None:
    secret = SECRET_ENTRY | {"key": "own_refresh_token"}
    recipe = auth_recipe(
        upstream.url,
        primitive="oauth2",
        required_secrets=[secret],
        oauth2={"token_endpoint": f"{upstream.url}/token", "client_id": "id-1"},
        inject={"header": {"Authorization": "Bearer {{runtime.access_token}}"}},
    )
    await push_secret(alice, "own_refresh_token", "1//refresh-secret")
    await post(alice, "/auth-recipes", recipe)
    upstream.responses = [(400, {"error": "bad token 1//refresh-secret"})]
    response = await run(alice, "own", _path="/x")
    assert "returned 400" in response.json()["error"]
    assert "refresh-secret" not in response.text


async def test_graph_that_was_stored_before_asks_no_model_with_a_credential(alice: Api) -> None:
    data = {"prompt": "{{credential.own_token}} {{input.q}}"}
    node = {"id": "n", "type": "Component", "componentId": "claude_api", "data": data}
    graph = {"nodes": [node], "edges": []}
    await push_secret(alice)
    account = await alice.store.accounts.of_key(alice.key)
    await alice.store.workflows.push(account, "asks", description="d", graph=graph, config=None)
    run = await alice("POST", "/webhooks/named/asks/trigger", json={"q": "spell it"})
    assert "a model can't be asked with the credential own_token" in run.json()["error"]
