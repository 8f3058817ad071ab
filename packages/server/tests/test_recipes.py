"""Recipes that an account pushes: stored, listed, private."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pushed_recipes import SECRET_ENTRY, api_recipe, auth_recipe, post, run, without

from arcrun_server.recipes.api.record import hash_id
from arcrun_server.recipes.catalog import load_catalog

if TYPE_CHECKING:
    from conftest import Api


async def test_own_auth_recipe_is_listed_read_replaced_and_removed(alice: Api) -> None:
    pushed = await post(alice, "/auth-recipes", auth_recipe("https://own.example"))
    assert pushed["success"] is True
    assert (pushed["recipe"]["kind"], pushed["recipe"]["version"]) == ("auth_recipe", 1)
    listed = (await alice("GET", "/auth-recipes")).json()
    services = [recipe["service"] for recipe in listed["recipes"]]
    assert listed["count"] == 27
    assert services == sorted(services)
    assert "own" in services
    await post(alice, "/auth-recipes", auth_recipe("https://other.example"))
    read = (await alice("GET", "/auth-recipes/own")).json()["recipe"]
    assert read["base_url"] == "https://other.example/v1"
    gone = await alice("DELETE", "/auth-recipes/own")
    assert gone.json() == {"success": True, "service": "own", "name": "own"}
    again = await alice("DELETE", "/auth-recipes/own")
    assert (again.status_code, again.json()["code"]) == (404, "service_not_found")


async def test_own_recipes_are_private(alice: Api, bob: Api, nobody: Api) -> None:
    await post(alice, "/auth-recipes", auth_recipe("https://own.example"))
    await post(alice, "/recipes", api_recipe("https://own.example"))
    for other in (bob, nobody):
        assert (await other("GET", "/auth-recipes")).json()["count"] == 26
        assert (await other("GET", "/auth-recipes/own")).status_code == 404
        assert (await other("GET", "/recipes")).json()["count"] == 10
        assert (await other("GET", "/recipes/own_send")).status_code == 404
    assert (await bob("DELETE", "/auth-recipes/own")).status_code == 404
    assert (await bob("DELETE", "/recipes/own_send")).status_code == 404
    assert (await run(bob, "own_send")).json()["code"] == "unknown_component"
    assert (await run(bob, "own")).json()["code"] == "unknown_component"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/auth-recipes", auth_recipe("https://evil.example", service="notion")),
        ("DELETE", "/auth-recipes/notion", None),
        ("POST", "/recipes", api_recipe("https://evil.example", canonical_id="Telegram_Send")),
        ("DELETE", "/recipes/telegram_send", None),
        ("DELETE", f"/recipes/{hash_id('telegram_send')}", None),
    ],
)
async def test_what_is_shipped_can_not_be_changed(
    alice: Api, method: str, path: str, body: Any
) -> None:
    response = await alice(method, path, **({"json": body} if body else {}))
    assert (response.status_code, response.json()["code"]) == (403, "recipe_immutable")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth-recipes"),
        ("DELETE", "/auth-recipes/notion"),
        ("POST", "/recipes"),
        ("DELETE", "/recipes/telegram_send"),
    ],
)
async def test_changing_recipes_needs_a_key(nobody: Api, method: str, path: str) -> None:
    assert (await nobody(method, path)).json()["code"] == "missing_api_key"


FINE = auth_recipe("https://own.example")


@pytest.mark.parametrize(
    ("recipe", "path"),
    [
        *((without(FINE, key), key) for key in ("service", "base_url", "inject", "primitive")),
        (FINE | {"servce": "x"}, "servce"),
        (FINE | {"service": "Own"}, "service"),
        (FINE | {"primitive": "magic"}, "primitive"),
        (FINE | {"base_url": "ftp://own.example"}, "base_url"),
        (FINE | {"base_url": "https://"}, "base_url"),
        (FINE | {"base_url": "https://[x/"}, "base_url"),
        (FINE | {"base_url": "http://own.example"}, "base_url"),
        (FINE | {"base_url": "https://{{secret.own_tokn}}.example"}, "base_url"),
        (
            FINE | {"required_secrets": [without(SECRET_ENTRY, "help_url")]},
            "required_secrets[0].help_url",
        ),
        (
            FINE | {"required_secrets": [SECRET_ENTRY | {"help_url": "javascript:alert(1)"}]},
            "required_secrets[0].help_url",
        ),
        (FINE | {"required_secrets": [SECRET_ENTRY, SECRET_ENTRY]}, "required_secrets[1].key"),
        (FINE | {"inject": {"header": {"A": "{{secret.own_tokn}}"}}}, "inject.header.A"),
        (FINE | {"inject": {"header": {"A": "{{runtime.access_token}}"}}}, "inject.header.A"),
        (FINE | {"inject": {"headers": {}}}, "inject.headers"),
        (FINE | {"primitive": "service_account"}, "token_exchange"),
        (FINE | {"primitive": "oauth2"}, "oauth2"),
        (FINE | {"version": 0}, "version"),
    ],
)
async def test_bad_auth_recipes_say_where(alice: Api, recipe: Any, path: str) -> None:
    response = await alice("POST", "/auth-recipes", json=recipe)
    assert response.status_code == 400, response.text
    expected = (
        {"invalid_name"} if "Own" in recipe.values() else {"invalid_request", "invalid_recipe"}
    )
    assert response.json()["code"] in expected
    assert path in [detail.get("path") for detail in response.json()["details"]]
    assert (await alice("GET", "/auth-recipes")).json()["count"] == 26


async def test_error_for_a_misspelt_placeholder_suggests_the_nearest(alice: Api) -> None:
    recipe = FINE | {"inject": {"header": {"A": "{{secret.own_tokn}}"}}}
    response = await alice("POST", "/auth-recipes", json=recipe)
    assert response.json()["details"][0]["suggestion"] == "secret.own_token"


API = api_recipe("https://own.example")


@pytest.mark.parametrize(
    ("recipe", "path"),
    [
        *((without(API, key), key) for key in ("canonical_id", "endpoint", "method")),
        (API | {"canonical_id": "名"}, "canonical_id"),
        (API | {"canonical_id": "rec_0123abcd"}, "canonical_id"),
        (API | {"method": "get"}, "method"),
        (API | {"endpoint": "own.example"}, "endpoint"),
        (API | {"endpoint": "https://{{host}}/x"}, "endpoint"),
        (API | {"endpoint": "{{url}}/x"}, "endpoint"),
        (API | {"endpoint": "https://own{{x}}.example/"}, "endpoint"),
        (API | {"endpoint": "https://own.example:{{port}}/"}, "endpoint"),
        (API | {"body": []}, "body"),
        (API | {"endpoint": "https://own.example/{{auth.token}}"}, "endpoint"),
        (API | {"endpoint": "https://own.example/{{a b}}"}, "endpoint"),
        (API | {"headers": {"A": "{{secret.own_token}}"}}, "headers.A"),
        (API | {"body": {"a": [{"b": "{{credential.x}}"}]}}, "body.a[0].b"),
        (API | {"body_template": "{}"}, "body_template"),
        (API | {"response_map": {}}, "response_map.text_path"),
        (API | {"extra": 1}, "extra"),
    ],
)
async def test_bad_api_recipes_say_where(alice: Api, recipe: Any, path: str) -> None:
    response = await alice("POST", "/recipes", json=recipe)
    assert response.status_code == 400, response.text
    assert path in [detail.get("path") for detail in response.json()["details"]]
    assert (await alice("GET", "/recipes")).json()["count"] == 10


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("notion", 400, "invalid_recipe"),
        ("own", 400, "invalid_recipe"),
        ("comp_uppercase", 403, "recipe_immutable"),
        ("http_request", 403, "recipe_immutable"),
    ],
)
async def test_name_under_which_it_would_not_be_found_is_refused(
    alice: Api, name: str, status: int, code: str
) -> None:
    await post(alice, "/auth-recipes", FINE)
    response = await alice("POST", "/recipes", json=API | {"canonical_id": name})
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_display_name_defaults_to_the_service(alice: Api) -> None:
    pushed = await post(alice, "/auth-recipes", without(FINE, "display_name"))
    assert pushed["recipe"]["display_name"] == "own"


async def test_api_recipe_is_found_by_id_and_by_hash(alice: Api) -> None:
    pushed = (await post(alice, "/recipes", API))["recipe"]
    assert pushed["canonical_id"] == "own_send"
    assert pushed["hash_id"] == hash_id("own_send")
    for name in ("own_send", "OWN_SEND", pushed["hash_id"]):
        assert (await alice("GET", f"/recipes/{name}")).json()["recipe"] == pushed
    gone = await alice("DELETE", f"/recipes/{pushed['hash_id']}")
    assert gone.json() == {"success": True, "canonical_id": "own_send", "name": "own_send"}
    assert (await alice("GET", "/recipes/own_send")).json()["code"] == "recipe_not_found"


async def test_shipped_recipes_are_those_of_the_contract(nobody: Api) -> None:
    listed = (await nobody("GET", "/recipes")).json()
    assert [recipe["canonical_id"] for recipe in listed["recipes"]] == [
        "gmail_send",
        "google_sheets_append",
        "google_sheets_read",
        "kbdb_create_block",
        "kbdb_delete",
        "kbdb_get",
        "kbdb_ingest",
        "kbdb_patch_block",
        "line_notify_send",
        "telegram_send",
    ]
    services = load_catalog().auth.names
    for recipe in listed["recipes"]:
        assert recipe["auth_service"] in services
        assert recipe["hash_id"] == hash_id(recipe["canonical_id"])
