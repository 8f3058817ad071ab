"""`/me` with a key: what it shows, rotation, revocation, labels, last use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sealed import seal

from arcrun_server.accounts.keys import HEADER, new_key

if TYPE_CHECKING:
    from conftest import Api

GRAPH = {
    "nodes": [
        {"id": "input", "type": "Input"},
        {
            "id": "hashed",
            "type": "Component",
            "componentId": "hash",
            "data": {"text": "{{credential.token}}"},
        },
    ],
    "edges": [{"from": "input", "to": "hashed", "type": "PIPE"}],
}


async def push_sealed(api: Api, name: str, value: str) -> None:
    assert api.key is not None
    body = {"name": name, **seal(api.key, name, value)}
    assert (await api("POST", "/credentials", json=body)).status_code == 200


async def hash_of_token(api: Api) -> str:
    ran = await api("POST", "/execute", json={"graph": GRAPH})
    assert ran.status_code == 200, ran.text
    return str(ran.json()["data"])


async def rotate(api: Api) -> Api:
    """Return the same account under its next key."""
    response = await api("PUT", "/me/api-key/rotate")
    assert response.status_code == 200, response.text
    return type(api)(api.app, api.client, api.store, response.json()["api_key"])


async def test_me_shows_account_and_key_but_not_the_key_itself(alice: Api) -> None:
    response = await alice("GET", "/me")
    assert alice.key is not None
    assert alice.key not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    me = response.json()
    assert me["account"] == await alice.store.accounts.of_key(alice.key)
    assert (me["email"], me["identities"]) == (None, [])
    assert "session" not in me
    assert me["key"]["prefix"] == alice.key[:9]
    assert me["key"]["last_four"] == alice.key[-4:]
    assert me["key"]["label"] == ""


async def test_key_may_come_as_a_bearer_token(nobody: Api, alice: Api) -> None:
    bearer = {"Authorization": f"Bearer {alice.key}"}
    assert (await nobody("GET", "/me", headers=bearer)).json() == (await alice("GET", "/me")).json()
    other = {"Authorization": f"Bearer {new_key()}"}
    refused = await nobody("GET", "/me", headers=other)
    assert (refused.status_code, refused.json()["code"]) == (401, "unknown_api_key")


async def test_header_goes_before_a_bearer_token(alice: Api, bob: Api) -> None:
    mixed = await alice("GET", "/me", headers={"Authorization": f"Bearer {bob.key}"})
    assert mixed.json() == (await alice("GET", "/me")).json()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me"),
        ("PUT", "/me/api-key"),
        ("PUT", "/me/api-key/rotate"),
        ("DELETE", "/me/api-key"),
    ],
)
async def test_nobody_is_refused(nobody: Api, method: str, path: str) -> None:
    refused = await nobody(method, path)
    assert (refused.status_code, refused.json()["code"]) == (401, "missing_api_key")
    nonsense = await nobody(method, path, headers={"Cookie": "arcrun_session=nonsense"})
    assert (nonsense.status_code, nonsense.json()["code"]) == (401, "missing_api_key")


@pytest.mark.parametrize("path", ["/register", "/me/api-key/reveal"])
async def test_key_alone_is_no_session(alice: Api, path: str) -> None:
    refused = await alice("POST", path)
    assert (refused.status_code, refused.json()["code"]) == (401, "missing_session")
    assert alice.key is not None
    assert alice.key not in refused.text


async def test_after_a_rotation_the_old_key_opens_nothing_and_the_new_one_everything(
    alice: Api,
) -> None:
    before = (await alice("GET", "/me")).json()
    response = await alice("PUT", "/me/api-key/rotate")
    body = response.json()
    assert response.headers["Cache-Control"] == "no-store"
    assert (body["created"], body["resealed"], body["unopened"]) == (True, 0, [])
    new = type(alice)(alice.app, alice.client, alice.store, body["api_key"])
    for method, path in (("GET", "/me"), ("GET", "/credentials"), ("PUT", "/me/api-key/rotate")):
        refused = await alice(method, path)
        assert (refused.status_code, refused.json()["code"]) == (401, "unknown_api_key")
    after = (await new("GET", "/me")).json()
    assert after["account"] == before["account"]
    assert after["key"]["id"] != before["key"]["id"]
    assert after["key"]["last_four"] == body["api_key"][-4:]


async def test_what_was_sealed_under_the_old_key_opens_in_runs_under_the_new_one(
    alice: Api,
) -> None:
    await push_sealed(alice, "token", "祕密 secret")
    expected = await hash_of_token(alice)
    new = await rotate(alice)
    assert await hash_of_token(new) == expected
    assert await hash_of_token(await rotate(new)) == expected


async def test_owner_reads_the_envelope_back_under_the_new_key(alice: Api) -> None:
    await push_sealed(alice, "token", "祕密 secret")
    before = (await alice("GET", "/credentials/token")).json()
    new = await rotate(alice)
    after = (await new("GET", "/credentials/token")).json()
    assert after["encrypted"] != before["encrypted"]
    assert after["iv"] != before["iv"]
    from arcrun_server.sealing.envelope import open_envelope

    assert new.key is not None
    assert open_envelope(new.key, "token", after["encrypted"], after["iv"]) == "祕密 secret"


async def test_rotation_leaves_plain_credentials_and_other_accounts_alone(
    alice: Api, bob: Api
) -> None:
    await push_sealed(bob, "token", "of bob")
    expected = await hash_of_token(bob)
    plain = {"name": "token", "value": "plain"}
    assert (await alice("POST", "/credentials", json=plain)).status_code == 200
    of_alice = await hash_of_token(alice)
    assert await hash_of_token(await rotate(alice)) == of_alice
    assert await hash_of_token(bob) == expected


async def test_rotation_names_what_no_key_of_the_account_opens(alice: Api) -> None:
    await push_sealed(alice, "good", "v")
    bad = {"name": "bad", **seal(new_key(), "bad", "v")}
    assert (await alice("POST", "/credentials", json=bad)).status_code == 200
    stored = (await alice("GET", "/credentials/bad")).json()
    body = (await alice("PUT", "/me/api-key/rotate")).json()
    assert (body["resealed"], body["unopened"]) == (1, ["bad"])
    new = type(alice)(alice.app, alice.client, alice.store, body["api_key"])
    assert (await new("GET", "/credentials/bad")).json() == stored


async def test_revoked_key_opens_nothing(alice: Api, bob: Api) -> None:
    assert (await alice("DELETE", "/me/api-key")).json() == {"revoked": True}
    refused = await alice("GET", "/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "unknown_api_key")
    assert (await bob("GET", "/me")).status_code == 200


async def test_label_is_shown(alice: Api) -> None:
    changed = await alice("PUT", "/me/api-key", json={"label": "筆電 laptop"})
    assert changed.json()["key"]["label"] == "筆電 laptop"
    assert (await alice("GET", "/me")).json()["key"]["label"] == "筆電 laptop"
    assert (await (await rotate(alice))("GET", "/me")).json()["key"]["label"] == "筆電 laptop"


@pytest.mark.parametrize("label", ["a\nb", "a\x1b[2J", "\u202eabc", "x" * 65, 7, None])
async def test_label_that_would_change_what_is_shown_is_refused(alice: Api, label: object) -> None:
    refused = await alice("PUT", "/me/api-key", json={"label": label})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")


async def test_last_use_is_recorded_once_a_minute(
    alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from arcrun_server import clock

    moment = 1_800_000_000.0
    monkeypatch.setattr(clock, "now", lambda: moment)
    assert (await alice("GET", "/me")).json()["key"]["last_used_at"] == 1_800_000_000
    moment += 59
    assert (await alice("GET", "/me")).json()["key"]["last_used_at"] == 1_800_000_000
    moment += 1
    assert (await alice("GET", "/me")).json()["key"]["last_used_at"] == 1_800_000_060


async def test_cookie_is_not_looked_at_where_a_key_is_needed(nobody: Api, alice: Api) -> None:
    assert alice.key is not None
    account = await alice.store.accounts.of_key(alice.key)
    assert account is not None
    session = await alice.store.sessions.create(account, "google")
    cookie = {"Cookie": f"arcrun_session={session.token}"}
    assert (await nobody("GET", "/me", headers=cookie)).status_code == 200
    refused = await nobody("GET", "/credentials", headers=cookie)
    assert (refused.status_code, refused.json()["code"]) == (401, "missing_api_key")
    assert (await nobody("GET", "/credentials", headers={HEADER: ""} | cookie)).status_code == 401


async def test_refused_proposal_is_not_repeated_in_the_error(alice: Api) -> None:
    proposed = "ak_" + "5E" * 24
    response = await alice("PUT", "/me/api-key/rotate", json={"api_key": proposed})
    assert response.status_code == 400
    assert "lower case" in response.text
    assert proposed not in response.text
