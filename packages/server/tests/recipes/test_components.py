"""API recipes and services called as components."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pushed_recipes import (
    SECRET_ENTRY,
    Upstream,
    api_recipe,
    auth_recipe,
    post,
    push_secret,
    run,
    without,
)

from arcrun_server.recipes.api.component import mapped_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Api


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


async def test_api_recipe_runs_with_its_templates_filled(alice: Api, upstream: Upstream) -> None:
    headers = {"X-Room": "{{room}}"}
    await post(alice, "/recipes", api_recipe(upstream.url, headers=headers))
    upstream.responses = [(200, {"ok": 1})]
    response = await run(alice, "own_send", room="a/b ?", text="你好", items=[1, {"二": 2}])
    assert response.json()["data"] == {"success": True, "status": 200, "data": {"ok": 1}}
    [request] = upstream.requests
    assert (request["method"], request["path"]) == ("POST", "/send/a%2Fb%20%3F")
    assert request["headers"]["x-room"] == "a/b ?"
    assert json.loads(request["body"]) == {"text": "你好", "all": [1, {"二": 2}], "none": ""}


async def test_api_recipe_is_a_component_by_its_hash_too(alice: Api, upstream: Upstream) -> None:
    recipe = (await post(alice, "/recipes", api_recipe(upstream.url)))["recipe"]
    assert (await run(alice, recipe["hash_id"], room="r")).json()["success"] is True
    assert upstream.requests[0]["path"] == "/send/r"


async def test_body_template_is_json_whatever_is_put_in(alice: Api, upstream: Upstream) -> None:
    recipe = without(api_recipe(upstream.url), "body")
    template = '{"text": "說：{{text}}", "n": {{n}}, "deep": "{{a.b.0}}"}'
    await post(alice, "/recipes", recipe | {"body_template": template})
    await run(alice, "own_send", room="r", text='"引號"\n\\', n=5, a={"b": ["x"]})
    assert json.loads(upstream.requests[0]["body"]) == {
        "text": '說："引號"\n\\',
        "n": 5,
        "deep": "x",
    }


async def test_form_is_sent_as_a_form(alice: Api, upstream: Upstream) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    recipe = api_recipe(upstream.url, headers=kind, body={"message": "{{text}}"})
    await post(alice, "/recipes", recipe)
    await run(alice, "own_send", room="r", text="a&b=中")
    assert parse_qs(upstream.requests[0]["body"]) == {"message": ["a&b=中"]}


async def test_response_that_is_not_2xx_is_a_failure_with_its_beginning(
    alice: Api, upstream: Upstream
) -> None:
    await post(alice, "/recipes", api_recipe(upstream.url))
    upstream.responses = [(422, {"message": "x" * 300})]
    data = (await run(alice, "own_send", room="r")).json()["data"]
    assert (data["success"], data["status"], len(data["error"])) == (False, 422, 200)


@pytest.mark.parametrize(
    ("data", "response_map", "expected"),
    [
        ({"a": {"b": "hi"}}, {"text_path": "a.b"}, "hi"),
        ({"a": ["x", {"t": " y "}]}, {"text_path": "a.1.t"}, "y"),
        ({"a": 5}, {"text_path": "a"}, "5"),
        ({"a": 5}, {"text_path": "b"}, None),
        (
            {"t": "思考…答案：好。答案： 最後"},
            {"text_path": "t", "answer_marker": "答案："},
            "最後",
        ),
        ({"t": "無標記"}, {"text_path": "t", "answer_marker": "答案："}, "無標記"),
        ({"t": "Re: Fw: hi"}, {"text_path": "t", "strip_prefixes": ["Re:", "Fw:"]}, "hi"),
    ],
)
def test_text_of_a_response(data: Any, response_map: Any, expected: str | None) -> None:
    assert mapped_text(data, response_map) == expected


async def test_mapped_text_is_in_the_result(alice: Api, upstream: Upstream) -> None:
    await post(alice, "/recipes", api_recipe(upstream.url, response_map={"text_path": "r.text"}))
    upstream.responses = [(200, {"r": {"text": "結果"}})]
    assert (await run(alice, "own_send", room="r")).json()["data"]["text"] == "結果"


async def test_service_is_called_with_its_secret_which_is_shown_to_no_one(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice, value="abc-secret-token")
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    upstream.responses = [(200, {"echo": "abc-secret-token", "n": 1})]
    response = await run(alice, "own", _path="/pages", _query={"q": "中"}, _body={"a": 1})
    [request] = upstream.requests
    assert (request["method"], request["path"]) == ("POST", "/v1/pages?q=%E4%B8%AD")
    assert request["headers"]["x-token"] == "abc-secret-token"
    assert json.loads(request["body"]) == {"a": 1}
    assert "abc-secret" not in response.text
    assert response.json()["data"]["data"]["n"] == 1
    await alice.store.database.settle()
    [entry] = (await alice("GET", "/credentials")).json()["credentials"]
    assert entry["last_used_at"] is not None


async def test_every_part_of_a_request_is_filled_by_the_recipe(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice, value="t:1/2")
    inject = {
        "header": {"Authorization": "Basic me:{{secret.own_token}}"},
        "query": {"key": "{{secret.own_token}}"},
        "path": {"bot_token": "{{secret.own_token}}"},
        "body": {"token": "{{secret.own_token}}"},
    }
    await post(alice, "/auth-recipes", auth_recipe(upstream.url, inject=inject))
    recipe = api_recipe(
        upstream.url,
        endpoint=f"{upstream.url}/bot{{{{auth.bot_token}}}}/send?key=mine",
        auth_service="own",
        body={"text": "{{text}}"},
    )
    await post(alice, "/recipes", recipe)
    await run(alice, "own_send", text="hi")
    [request] = upstream.requests
    assert request["path"] == "/bott%3A1%2F2/send?key=t%3A1%2F2"
    basic = base64.b64encode(b"me:t:1/2").decode()
    assert request["headers"]["authorization"] == f"Basic {basic}"
    assert json.loads(request["body"]) == {"text": "hi", "token": "t:1/2"}


async def test_secret_of_a_service_goes_to_that_service_only(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice)
    await post(alice, "/auth-recipes", auth_recipe("https://own.example"))
    await post(alice, "/recipes", api_recipe(upstream.url, auth_service="own"))
    response = await run(alice, "own_send", room="r")
    assert response.status_code == 500
    assert "own.example only" in response.json()["error"]
    assert upstream.requests == []


ELSEWHERE = ["@evil.example", "x", "/a b", "//evil.example/\\", 5, "/../b", "/a/%2e%2E/b"]


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_path_can_not_lead_elsewhere(alice: Api, upstream: Upstream, path: Any) -> None:
    await push_secret(alice, value="token")
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    response = await run(alice, "own", _path=path)
    assert response.status_code == 500
    assert upstream.requests == []


async def test_missing_secret_is_named(alice: Api, upstream: Upstream) -> None:
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    response = await run(alice, "own", _path="/x")
    assert response.status_code == 500
    assert "own_token" in response.json()["error"]
    assert upstream.requests == []


async def test_secret_that_does_not_open_fails_the_node(alice: Api, upstream: Upstream) -> None:
    envelope = {
        "name": "own_token",
        "encrypted": base64.b64encode(bytes(40)).decode(),
        "iv": base64.b64encode(bytes(12)).decode(),
    }
    await post(alice, "/credentials", envelope)
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    response = await run(alice, "own", _path="/x")
    assert response.json()["error"].startswith(
        "Node n failed: credential 'own_token' was sealed under"
    )
    assert upstream.requests == []


async def test_part_of_a_host_may_only_hold_what_stays_in_the_host(
    alice: Api, upstream: Upstream
) -> None:
    base = "https://{{secret.own_token}}.example.test"
    await post(alice, "/auth-recipes", auth_recipe(upstream.url, base_url=base))
    await push_secret(alice, value="evil.test/?")
    response = await run(alice, "own", _path="/x")
    assert "letters, digits and hyphens only" in response.json()["error"]
    assert "evil.test" not in response.text


def key_file(url: str) -> tuple[str, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps({"client_email": "robot@example.test", "private_key": pem}), key


def service_account(url: str) -> dict[str, Any]:
    return auth_recipe(
        url,
        primitive="service_account",
        service_account_kind="google_jwt",
        token_exchange={"endpoint": f"{url}/token", "scopes": ["a", "b"]},
        inject={"header": {"Authorization": "Bearer {{runtime.access_token}}"}},
    )


def unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def test_service_account_fetches_a_token_once(alice: Api, upstream: Upstream) -> None:
    text, key = key_file(upstream.url)
    await push_secret(alice, value=text)
    await post(alice, "/auth-recipes", service_account(upstream.url))
    upstream.responses = [
        (200, {"access_token": "tok-one-1", "expires_in": 3600}),
        (200, {}),
        (200, {}),
    ]
    for _ in range(2):
        assert (await run(alice, "own", _path="/x")).json()["success"] is True
    token, first, second = upstream.requests
    form = {name: value for name, [value] in parse_qs(token["body"]).items()}
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    header, claims, signature = form["assertion"].split(".")
    assert json.loads(unpadded(header)) == {"alg": "RS256", "typ": "JWT"}
    key.public_key().verify(
        unpadded(signature), f"{header}.{claims}".encode(), PKCS1v15(), SHA256()
    )
    claimed = json.loads(unpadded(claims))
    assert (claimed["iss"], claimed["scope"]) == ("robot@example.test", "a b")
    assert claimed["aud"] == f"{upstream.url}/token"
    assert 0 < claimed["exp"] - claimed["iat"] <= 3600
    for request in (first, second):
        assert request["headers"]["authorization"] == "Bearer tok-one-1"


async def test_token_is_fetched_anew_once_after_a_401(alice: Api, upstream: Upstream) -> None:
    await push_secret(alice, value=key_file(upstream.url)[0])
    await post(alice, "/auth-recipes", service_account(upstream.url))
    upstream.responses = [
        (200, {"access_token": "tok-old", "expires_in": 3600}),
        (401, {"error": "expired"}),
        (200, {"access_token": "tok-new", "expires_in": 3600}),
        (200, {"fine": True}),
    ]
    response = await run(alice, "own", _path="/x")
    assert response.json()["data"]["data"] == {"fine": True}
    sent = [request["headers"].get("authorization") for request in upstream.requests]
    assert sent == [None, "Bearer tok-old", None, "Bearer tok-new"]


async def test_refused_token_reports_the_error_of_its_endpoint(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice, value=key_file(upstream.url)[0])
    await post(alice, "/auth-recipes", service_account(upstream.url))
    upstream.responses = [(400, {"error": "invalid_grant", "error_description": "long"})]
    response = await run(alice, "own", _path="/x")
    assert response.status_code == 500
    assert "returned 400: invalid_grant" in response.json()["error"]
    assert "PRIVATE KEY" not in response.text


@pytest.mark.parametrize(
    "value", ["no json", "[]", '{"client_email": "a"}', '{"client_email": "a", "private_key": "b"}']
)
async def test_invalid_key_file_fails_the_node(alice: Api, upstream: Upstream, value: str) -> None:
    await push_secret(alice, value=value)
    await post(alice, "/auth-recipes", service_account(upstream.url))
    response = await run(alice, "own", _path="/x")
    assert response.status_code == 500
    assert "own_token" in response.json()["error"]
    assert upstream.requests == []


async def test_refresh_token_is_exchanged(alice: Api, upstream: Upstream) -> None:
    secrets = [
        SECRET_ENTRY | {"key": "own_refresh_token"},
        SECRET_ENTRY | {"key": "own_client_secret"},
    ]
    recipe = auth_recipe(
        upstream.url,
        primitive="oauth2",
        required_secrets=secrets,
        oauth2={
            "token_endpoint": f"{upstream.url}/token",
            "client_id": "id-1",
            "client_secret": "{{secret.own_client_secret}}",
            "scopes": ["mail"],
        },
        inject={"header": {"Authorization": "Bearer {{runtime.access_token}}"}},
    )
    await push_secret(alice, "own_refresh_token", "refresh-1")
    await push_secret(alice, "own_client_secret", "client-secret-1")
    await post(alice, "/auth-recipes", recipe)
    upstream.responses = [(200, {"access_token": "tok-x"}), (200, {})]
    await run(alice, "own", _path="/x")
    assert parse_qs(upstream.requests[0]["body"]) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh-1"],
        "client_id": ["id-1"],
        "client_secret": ["client-secret-1"],
        "scope": ["mail"],
    }
    assert upstream.requests[1]["headers"]["authorization"] == "Bearer tok-x"


async def test_template_that_is_not_json_when_filled_fails_the_node(
    alice: Api, upstream: Upstream
) -> None:
    recipe = without(api_recipe(upstream.url), "body")
    await post(alice, "/recipes", recipe | {"body_template": '{"n": {{n}}}'})
    response = await run(alice, "own_send", room="r")
    assert response.status_code == 500
    assert "is not valid JSON" in response.json()["error"]
    assert upstream.requests == []


async def test_template_of_another_kind_is_sent_as_text(alice: Api, upstream: Upstream) -> None:
    recipe = without(api_recipe(upstream.url, headers={"Content-Type": "text/csv"}), "body")
    await post(alice, "/recipes", recipe | {"body_template": "名,{{text}},{{nowhere}}"})
    await run(alice, "own_send", room="r", text='a"b')
    [request] = upstream.requests
    assert request["body"] == '名,a"b,'
    assert request["headers"]["content-type"] == "text/csv"


async def test_body_keeps_lists_texts_and_numbers(alice: Api, upstream: Upstream) -> None:
    body = {
        "list": ["{{text}}!", 1, {"deep": "{{items.1}}"}],
        "n": 5,
        "object": "{{items}} {{text}}",
    }
    await post(alice, "/recipes", api_recipe(upstream.url, body=body))
    await run(alice, "own_send", room="r", text="你", items=[1, "二"])
    assert json.loads(upstream.requests[0]["body"]) == {
        "list": ["你!", 1, {"deep": "二"}],
        "n": 5,
        "object": '[1, "二"] 你',
    }


async def test_value_can_not_lead_to_another_host(alice: Api, upstream: Upstream) -> None:
    await post(alice, "/recipes", api_recipe(upstream.url, endpoint=f"{upstream.url}{{{{_path}}}}"))
    response = await run(alice, "own_send", _path=".evil.example/x")
    assert response.status_code == 500
    assert "another host" in response.json()["error"]
    response = await run(alice, "own_send", _path="/a/../b")
    assert "`..`" in response.json()["error"]
    response = await run(alice, "own_send", _path="/a/b?c=1")
    assert [request["path"] for request in upstream.requests] == ["/a/b?c=1"]


async def test_service_that_was_removed_is_named(alice: Api, upstream: Upstream) -> None:
    await post(alice, "/recipes", api_recipe(upstream.url, auth_service="own"))
    response = await run(alice, "own_send", room="r")
    assert response.status_code == 500
    assert "'own'" in response.json()["error"]
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("inject", "value", "says"),
    [
        ({"header": {"X-Token": "{{secret.own_token}}"}}, "line\r\nX-Evil: 1", "line break"),
        ({"header": {"X-Token": "{{secret.own_token}}"}}, "密X-Evil", "no header can carry"),
        ({"header": {"X-Token": "{{secret.own_token}}"}}, "\x01X-Evil", "no header can carry"),
        ({"path": {"p": "{{secret.own_token}}"}}, "..", "only dots"),
    ],
)
async def test_secret_that_does_not_fit_its_part_of_the_request_fails_the_node(
    alice: Api, upstream: Upstream, inject: Any, value: str, says: str
) -> None:
    await push_secret(alice, value=value)
    await post(alice, "/auth-recipes", auth_recipe(upstream.url, inject=inject))
    response = await run(alice, "own", _path="/{p}")
    assert response.status_code == 500
    assert says in response.json()["error"]
    assert "X-Evil" not in response.text
    assert upstream.requests == []


async def test_optional_secret_may_be_missing_until_it_is_used(
    alice: Api, upstream: Upstream
) -> None:
    more = SECRET_ENTRY | {"key": "own_more", "optional": True}
    recipe = auth_recipe(upstream.url, required_secrets=[SECRET_ENTRY, more])
    await push_secret(alice, value="token-1")
    await post(alice, "/auth-recipes", recipe)
    assert (await run(alice, "own", _path="/x")).json()["success"] is True
    recipe["inject"] = {"header": {"X-More": "{{secret.own_more}}"}}
    await post(alice, "/auth-recipes", recipe)
    response = await run(alice, "own", _path="/x")
    assert "no value for {{secret.own_more}}" in response.json()["error"]


@pytest.mark.parametrize(
    "data", [{"_method": "BREW"}, {"_query": []}, {"_headers": {"A": None}}, {"_path": "//x\ty"}]
)
async def test_wrong_request_to_a_service_fails_the_node(
    alice: Api, upstream: Upstream, data: dict[str, Any]
) -> None:
    await push_secret(alice, value="token-1")
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    response = await run(alice, "own", **data)
    assert response.status_code == 500
    assert next(iter(data)) in response.json()["error"]
    assert upstream.requests == []


async def test_service_that_can_not_be_reached_fails_the_run_without_its_secret(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice, value="token-secret-1")
    await post(alice, "/auth-recipes", auth_recipe(upstream.url))
    upstream.close_listening()
    response = await run(alice, "own", _path="/token-secret-1")
    assert response.status_code == 500
    assert "127.0.0.1" in response.json()["error"]
    assert "token-secret-1" not in json.dumps(response.json()["error"])


async def test_token_endpoint_that_can_not_be_reached_fails_the_node(
    alice: Api, upstream: Upstream
) -> None:
    await push_secret(alice, value=key_file(upstream.url)[0])
    await post(alice, "/auth-recipes", service_account(upstream.url))
    upstream.close_listening()
    response = await run(alice, "own", _path="/x")
    assert "no access token for 'own'" in response.json()["error"]
