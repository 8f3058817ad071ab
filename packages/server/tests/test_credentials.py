from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Api

ENVELOPE = {
    "encrypted": "24NprSpsjABby216tnBwfY0Tr739G7c9dau+pukUYJ/2ew==",
    "iv": "AAECAwQFBgcICQoL",
}


async def push(api: Api, **body: Any) -> Any:
    response = await api("POST", "/credentials", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_sealed_push_is_read_back_as_it_was_given(alice: Api) -> None:
    stored = await push(alice, name="notion_token", service="notion", **ENVELOPE)
    assert stored == {
        "success": True,
        "name": "notion_token",
        "service": "notion",
        "sensitivity": "standard",
    }
    read = (await alice("GET", "/credentials/notion_token")).json()
    assert read == {
        "name": "notion_token",
        "sealed": True,
        **ENVELOPE,
        "service": "notion",
        "sensitivity": "standard",
    }


async def test_plain_push_is_never_read_back(alice: Api) -> None:
    await push(alice, name="line_token", value="密鑰", sensitivity="high")
    response = await alice("GET", "/credentials/line_token")
    assert response.json() == {
        "name": "line_token",
        "sealed": False,
        "service": None,
        "sensitivity": "high",
    }


async def test_list_shows_all_sorted_and_no_value(alice: Api) -> None:
    await push(alice, name="b", value="plain-secret-value")
    await push(alice, name="a", service="openai", sensitivity="high", **ENVELOPE)
    response = await alice("GET", "/credentials")
    listed = response.json()
    assert (listed["success"], listed["total"]) == (True, 2)
    assert [entry["name"] for entry in listed["credentials"]] == ["a", "b"]
    first = listed["credentials"][0]
    assert isinstance(first.pop("created_at"), int)
    assert first == {
        "name": "a",
        "service": "openai",
        "sensitivity": "high",
        "last_used_at": None,
    }
    assert "plain-secret-value" not in response.text
    assert ENVELOPE["encrypted"] not in response.text


async def test_second_push_replaces_the_first_and_keeps_its_creation_time(alice: Api) -> None:
    await push(alice, name="t", value="one", service="slack", sensitivity="high")
    born = (await alice("GET", "/credentials")).json()["credentials"][0]["created_at"]
    await push(alice, name="t", **ENVELOPE)
    entry = (await alice("GET", "/credentials")).json()["credentials"][0]
    assert entry == {
        "name": "t",
        "service": None,
        "sensitivity": "standard",
        "created_at": born,
        "last_used_at": None,
    }
    assert (await alice("GET", "/credentials/t")).json()["iv"] == ENVELOPE["iv"]


async def test_put_stores_under_the_name_in_the_path(alice: Api) -> None:
    response = await alice(
        "PUT", "/credentials/tok", json={"value": "新的密鑰", "sensitivity": "high"}
    )
    assert response.json() == {
        "success": True,
        "name": "tok",
        "service": None,
        "sensitivity": "high",
    }
    assert (await alice("PUT", "/credentials/tok", json=ENVELOPE)).status_code == 200
    assert (await alice("GET", "/credentials/tok")).json()["encrypted"] == ENVELOPE["encrypted"]


async def test_delete_removes_and_a_second_one_is_404(alice: Api) -> None:
    await push(alice, name="t", value="v")
    first = await alice("DELETE", "/credentials/t")
    assert (first.status_code, first.json()) == (200, {"success": True, "name": "t"})
    second = await alice("DELETE", "/credentials/t")
    assert (second.status_code, second.json()["code"]) == (404, "credential_not_found")
    assert (await alice("GET", "/credentials")).json()["total"] == 0


async def test_accounts_do_not_see_each_other(alice: Api, bob: Api) -> None:
    await push(alice, name="shared", value="of alice")
    await push(alice, name="sealed", **ENVELOPE)
    assert (await bob("GET", "/credentials")).json()["credentials"] == []
    assert (await bob("GET", "/credentials/sealed")).status_code == 404
    assert (await bob("DELETE", "/credentials/shared")).status_code == 404
    await push(bob, name="shared", value="of bob", service="slack")
    assert (await bob("DELETE", "/credentials/shared")).status_code == 200
    names = [entry["name"] for entry in (await alice("GET", "/credentials")).json()["credentials"]]
    assert names == ["sealed", "shared"]


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"name": "a", "value": "v", "sensivity": "high"}, "sensivity", "invalid_request"),
        ({"name": "a"}, "encrypted", "invalid_request"),
        ({"name": "a", "encrypted": ENVELOPE["encrypted"]}, "iv", "invalid_request"),
        ({"name": "a", "value": "v", **ENVELOPE}, "encrypted", "invalid_request"),
        ({"name": "a", "value": ""}, "value", "invalid_request"),
        ({"name": "a", "value": 5}, "value", "invalid_request"),
        ({"name": "a", "value": "v", "service": None}, "service", "invalid_request"),
        ({"name": "a", "value": "v", "service": "Notion"}, "service", "invalid_name"),
        ({"name": "a", "value": "v", "sensitivity": "low"}, "sensitivity", "invalid_request"),
        ({"name": "a", "value": "v" * 65537}, "value", "invalid_request"),
        ({"name": "a", **ENVELOPE, "iv": "AAEC"}, "iv", "invalid_request"),
        ({"name": "a", **ENVELOPE, "encrypted": "*" * 24}, "encrypted", "invalid_request"),
        ({"name": "名", "value": "v"}, "name", "invalid_name"),
        ({"name": "a\n", "value": "v"}, "name", "invalid_name"),
        ({"name": "catalog", "value": "v"}, "name", "invalid_name"),
        ({"name": "", "value": "v"}, "name", "invalid_name"),
        ({"name": "n" * 129, "value": "v"}, "name", "invalid_name"),
        ({"value": "v"}, "name", "invalid_request"),
        ({"name": 7, "value": "v"}, "name", "invalid_request"),
    ],
)
async def test_bad_pushes_say_where_and_store_nothing(
    alice: Api, body: dict[str, Any], path: str, code: str
) -> None:
    response = await alice("POST", "/credentials", json=body)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert path in [detail.get("path") for detail in response.json()["details"]]
    assert path in response.json()["error"]
    assert (await alice("GET", "/credentials")).json()["total"] == 0


async def test_misspelt_field_is_named_with_the_nearest_known_one(alice: Api) -> None:
    response = await alice("POST", "/credentials", json={"name": "a", "value": "v", "servce": "x"})
    assert response.json()["details"] == [
        {"message": "unknown field", "path": "servce", "suggestion": "service"}
    ]
    assert response.json()["error"] == "servce: unknown field; did you mean 'service'?"


@pytest.mark.parametrize("body", [[], "text", 1, None, True])
async def test_bodies_that_are_no_objects_are_refused(alice: Api, body: Any) -> None:
    response = await alice(
        "POST",
        "/credentials",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["catalog", "a-b", "a%20b", "%E5%90%8D", "a" * 129, "a%0A"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_bad_names_in_the_path_are_refused(alice: Api, method: str, name: str) -> None:
    body = {"json": {"value": "v"}} if method == "PUT" else {}
    response = await alice(method, f"/credentials/{name}", **body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_name")


async def test_error_about_a_secret_does_not_quote_it(alice: Api) -> None:
    secret = "sk-very-secret-" + "x" * 65536
    response = await alice("POST", "/credentials", json={"name": "a", "value": secret})
    assert response.status_code == 400
    assert "sk-very-secret" not in response.text


@pytest.mark.sqlite
async def test_database_holds_no_secret_in_plain_text(alice: Api, bob: Api, tmp_path: Path) -> None:
    await push(alice, name="t", value="sk-plain-text-secret")
    assert alice.key is not None
    alice.store.database.write_now(lambda c: c.exec_driver_sql("UPDATE properties SET name = name"))
    for file in (tmp_path / "data").iterdir():
        content = file.read_bytes()
        assert b"sk-plain-text-secret" not in content, file
        assert alice.key.encode() not in content, file
    with sqlite3.connect(tmp_path / "data" / "arcrun.db") as copy:
        assert copy.execute("SELECT count(*) FROM credentials").fetchone() == (1,)
    copy.close()


async def test_text_with_control_and_astral_characters_is_kept(alice: Api) -> None:
    await push(alice, name="t", value="\x01 𠮷 🔑")
    found = await alice.store.credentials.get(await account_of(alice), "t")
    assert found is not None
    assert alice.store.credentials.plain_value(await account_of(alice), found) == "\x01 𠮷 🔑"


async def account_of(api: Api) -> str:
    assert api.key is not None
    account = await api.store.accounts.of_key(api.key)
    assert account is not None
    return account


async def test_a_name_in_the_body_of_a_replacement_is_an_unknown_field(alice: Api) -> None:
    response = await alice("PUT", "/credentials/a", json={"name": "a", "value": "v"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


async def test_a_misspelt_value_has_its_suggestion(alice: Api) -> None:
    response = await alice("POST", "/credentials", json={"name": "a", "valeu": "v"})
    assert {"message": "unknown field", "path": "valeu", "suggestion": "value"} in response.json()[
        "details"
    ]
