"""The auth primitives as components: what they send, what they tell, and that they tell no secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pushed_recipes import SECRET, SECRET_ENTRY, Upstream, auth_recipe, post, push_secret, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Api

BEARER = {"header": {"Authorization": "Bearer {{runtime.access_token}}"}}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


def oauth2_recipe(url: str) -> dict[str, Any]:
    oauth2 = {"token_endpoint": f"{url}/token", "client_id": "id-1"}
    secrets = [{**SECRET_ENTRY, "key": "own_refresh_token"}]
    return auth_recipe(
        url, primitive="oauth2", required_secrets=secrets, oauth2=oauth2, inject=BEARER
    )


def service_account_recipe(url: str) -> dict[str, Any]:
    return auth_recipe(
        url,
        primitive="service_account",
        service_account_kind="google_jwt",
        token_exchange={"endpoint": f"{url}/token", "scopes": ["read"]},
        inject=BEARER,
    )


def key_file() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps({"client_email": "robot@own.example", "private_key": pem})


async def test_a_static_key_signs_a_request(alice: Api, upstream: Upstream) -> None:
    await push_secret(alice)
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    upstream.responses = [(200, {"echo": SECRET, "名": "小明"})]
    response = await run(alice, "auth_static_key", service="Own", _path="/me", _query={"q": "中"})
    [request] = upstream.requests
    assert (request["method"], request["path"]) == ("GET", "/v1/me?q=%E4%B8%AD")
    assert request["headers"]["x-token"] == SECRET
    assert response.json()["data"] == {
        "success": True,
        "status": 200,
        "data": {"echo": "[redacted]", "名": "小明"},
    }
    assert SECRET not in response.text


async def test_without_a_request_it_tells_what_would_be_signed_and_how(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice)
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    response = await run(alice, "auth_static_key", service="own")
    assert response.json()["data"] == {
        "success": True,
        "data": {
            "service": "own",
            "primitive": "static_key",
            "base_url": f"{upstream.url}/v1",
            "secrets": ["own_token"],
            "inject": {"header": ["X-Token"]},
        },
    }
    assert upstream.requests == []
    assert SECRET not in response.text


async def test_a_missing_secret_is_a_result(alice: Api) -> None:
    response = await run(alice, "auth_static_key", service="notion")
    assert response.json()["data"] == {
        "success": False,
        "error": "the service 'notion' needs the credentials notion_token; push them under these names first",
    }


async def test_a_secret_of_the_address_is_not_told(alice: Api) -> None:
    for name in ("jira_api_token", "jira_email", "jira_domain"):
        await push_secret(alice, name, "canary")
    response = await run(alice, "auth_static_key", service="jira")
    data = response.json()["data"]["data"]
    assert data["base_url"] == "https://{{secret.jira_domain}}.atlassian.net/rest/api/3"
    assert "canary" not in response.text


async def test_oauth2_fetches_a_token_once_and_tells_none(alice: Api, upstream: Upstream) -> None:
    await push_secret(alice, "own_refresh_token", "refresh-canary")
    await post(alice, "/auth-recipes", oauth2_recipe(upstream.url))
    upstream.responses = [(200, {"access_token": "token-canary"}), (200, {"you": "token-canary"})]
    checked = await run(alice, "auth_oauth2", service="own")
    sent = await run(alice, "auth_oauth2", service="own", _path="/me")
    assert checked.json()["data"]["success"] is True
    assert checked.json()["data"]["data"]["secrets"] == ["own_refresh_token"]
    assert sent.json()["data"]["data"] == {"you": "[redacted]"}
    assert [request["path"] for request in upstream.requests] == ["/token", "/v1/me"]
    assert upstream.requests[1]["headers"]["authorization"] == "Bearer token-canary"
    assert "canary" not in checked.text + sent.text


async def test_a_token_endpoint_that_refuses_is_a_result(alice: Api, upstream: Upstream) -> None:
    await push_secret(alice, "own_refresh_token", "refresh-canary")
    await post(alice, "/auth-recipes", oauth2_recipe(upstream.url))
    upstream.responses = [(400, {"error": "invalid_grant", "sent": "refresh-canary"})]
    response = await run(alice, "auth_oauth2", service="own")
    assert response.json()["data"] == {
        "success": False,
        "error": "no access token for 'own': its token endpoint returned 400: invalid_grant",
    }


async def test_a_service_account_signs_a_request(alice: Api, upstream: Upstream) -> None:
    text = key_file()
    await push_secret(alice, "own_token", text)
    await post(alice, "/auth-recipes", service_account_recipe(upstream.url))
    upstream.responses = [(200, {"access_token": "token-canary"}), (200, {"rows": 3})]
    response = await run(alice, "auth_service_account", service="own", _path="/sheet")
    assert response.json()["data"] == {"success": True, "status": 200, "data": {"rows": 3}}
    assert upstream.requests[1]["headers"]["authorization"] == "Bearer token-canary"
    for part in ("canary", json.loads(text)["private_key"][40:80]):
        assert part not in response.text


@pytest.mark.parametrize(
    ("component", "data", "error"),
    [
        ("auth_static_key", {}, "`service` must be the name of a service, in the node's config"),
        ("auth_static_key", {"service": 1}, "`service` must be the name of a service"),
        ("auth_static_key", {"service": "nowhere"}, "there is no auth recipe for the service 'nowhere'"),
        (
            "auth_oauth2",
            {"service": "notion"},
            "the service 'notion' authenticates by static_key, not by oauth2; use auth_static_key",
        ),
        (
            "auth_static_key",
            {"service": "google_sheets_sa"},
            "authenticates by service_account, not by static_key; use auth_service_account",
        ),
        ("auth_static_key", {"servise": "notion"}, "auth_static_key has no parameter 'servise'; did you mean 'service'?"),
        ("auth_static_key", {"service": "notion", "_path": "x"}, "`_path` must be text that begins with /"),
    ],
)  # fmt: skip
async def test_wrong_parameters_fail_the_node(
    alice: Api, component: str, data: dict[str, Any], error: str
) -> None:
    response = await run(alice, component, **data)
    assert response.status_code == 500
    assert error in response.json()["error"]


async def test_the_input_of_a_run_chooses_no_service(alice: Api) -> None:
    graph = {
        "nodes": [{"id": "n", "type": "Component", "componentId": "auth_static_key", "data": {}}],
        "edges": [],
    }
    context = {"service": "notion", "_path": "/pages"}
    response = await alice("POST", "/execute", json={"graph": graph, "context": context})
    assert "`service` must be the name of a service" in response.json()["error"]


async def test_each_account_signs_with_its_own_secrets(
    alice: Api, bob: Api, upstream: Upstream
) -> None:
    await push_secret(alice)
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    response = await run(bob, "auth_static_key", service="own")
    assert "there is no auth recipe for the service 'own'" in response.json()["error"]
