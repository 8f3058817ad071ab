from __future__ import annotations

import base64
import itertools
import secrets
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from arcrun_server import clock
from arcrun_server.accounts.keys import new_key
from arcrun_server.components.registry import Registry
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.outbound import Outbound
from arcrun_server.recipes.catalog import load_catalog
from arcrun_server.recipes.resolver import RecipeResolver
from arcrun_server.runs.environment import AccountEnvironment

if TYPE_CHECKING:
    from conftest import Api


def sealed(api_key: str, name: str, value: str) -> dict[str, str]:
    """Seal as a client does: envelope v1 by the primitives alone (docs/contract.md#credentials)."""
    key = HKDF(hashes.SHA256(), 32, b"arcrun.credentials.v1", b"AES-256-GCM").derive(
        api_key.encode()
    )
    nonce = secrets.token_bytes(12)
    associated_data = f"arcrun.credentials.v1:{name}".encode()
    ciphertext = AESGCM(key).encrypt(nonce, value.encode(), associated_data)
    encoded = {"encrypted": base64.b64encode(ciphertext), "iv": base64.b64encode(nonce)}
    return {"name": name} | {field: content.decode() for field, content in encoded.items()}


def component(node: str, component_id: str, **data: Any) -> dict[str, Any]:
    return {"id": node, "type": "Component", "componentId": component_id, "data": data}


def line(*nodes: str, edge: str = "PIPE") -> list[dict[str, str]]:
    return [{"from": a, "to": b, "type": edge} for a, b in itertools.pairwise(nodes)]


INPUT = {"id": "input", "type": "Input"}
UPPER = {"nodes": [INPUT, component("大寫", "comp_uppercase")], "edges": line("input", "大寫")}


def using_secret(text: str) -> dict[str, Any]:
    """A graph whose only component gets a text with a credential in it."""
    return {
        "nodes": [INPUT, component("大寫", "comp_uppercase", text=text)],
        "edges": line("input", "大寫"),
    }


async def push(api: Api, name: str, graph: Any, **more: Any) -> Any:
    body = {"name": name, "graph": graph, "description": "測試流程", **more}
    response = await api("POST", "/webhooks/named", json=body)
    assert response.status_code == 201, response.text
    return response.json()


async def trigger(api: Api, name: str, run_input: Any) -> Any:
    return await api("POST", f"/webhooks/named/{name}/trigger", json=run_input)


async def test_pushed_workflow_is_listed_read_run_and_removed(alice: Api) -> None:
    stored = await push(alice, "greet", UPPER, config={"大寫": {"component": "comp_uppercase"}})
    url = "http://localhost/webhooks/named/greet/trigger"
    created = stored["created_at"]
    assert stored == {
        "name": "greet",
        "webhook_url": url,
        "description": "測試流程",
        "created_at": created,
    }
    age = datetime.now(timezone.utc) - datetime.fromisoformat(created.replace("Z", "+00:00"))
    assert 0 <= age.total_seconds() < 60

    listed = (await alice("GET", "/webhooks/named")).json()
    assert listed == {"workflows": [stored], "total": 1}

    read = (await alice("GET", "/webhooks/named/greet/definition")).json()
    assert read == {
        "name": "greet",
        "description": "測試流程",
        "graph": {**UPPER, "id": "greet", "name": "greet"},
        "config": {"大寫": {"component": "comp_uppercase"}},
        "created_at": created,
    }

    ran = await trigger(alice, "greet", {"text": "你好 arcrun"})
    assert ran.status_code == 200
    assert ran.json()["success"] is True
    assert ran.json()["data"]["text"] == "你好 ARCRUN"
    assert ran.json()["duration_ms"] >= 0

    removed = await alice("DELETE", "/webhooks/named/greet")
    assert removed.json() == {"deleted": True, "name": "greet"}
    for method, path in (
        ("DELETE", "/webhooks/named/greet"),
        ("GET", "/webhooks/named/greet/definition"),
    ):
        gone = await alice(method, path)
        assert (gone.status_code, gone.json()["code"]) == (404, "workflow_not_found")
    assert (await trigger(alice, "greet", {})).json()["code"] == "workflow_not_found"


async def test_second_push_replaces_what_runs_and_keeps_its_creation_time(alice: Api) -> None:
    first = await push(alice, "w", UPPER)
    assert (await trigger(alice, "w", {"text": "a"})).json()["data"]["text"] == "A"
    counter = {"nodes": [INPUT, component("n", "comp_counter")], "edges": line("input", "n")}
    second = await push(alice, "w", counter)
    assert second["created_at"] == first["created_at"]
    assert (await trigger(alice, "w", {"count": 1})).json()["data"]["count"] == 2
    assert (await alice("GET", "/webhooks/named")).json()["total"] == 1
    assert (await alice("GET", "/webhooks/named/w/definition")).json()["config"] is None


async def test_graph_bears_the_workflows_name(alice: Api) -> None:
    await push(alice, "mine", {**UPPER, "id": "other", "name": "別名"})
    graph = (await alice("GET", "/webhooks/named/mine/definition")).json()["graph"]
    assert (graph["id"], graph["name"]) == ("mine", "mine")


async def test_accounts_do_not_see_each_other(alice: Api, bob: Api) -> None:
    await push(alice, "shared", UPPER)
    assert (await bob("GET", "/webhooks/named")).json() == {"workflows": [], "total": 0}
    assert (await bob("GET", "/webhooks/named/shared/definition")).status_code == 404
    assert (await bob("DELETE", "/webhooks/named/shared")).status_code == 404
    assert (await trigger(bob, "shared", {})).status_code == 404
    assert (await alice("GET", "/webhooks/named")).json()["total"] == 1


async def test_run_that_fails_says_where_and_is_no_engine_error(alice: Api) -> None:
    await push(alice, "bad", using_secret("{{credential.nowhere}}"))
    response = await trigger(alice, "bad", {})
    failure = response.json()
    assert response.status_code == 500
    assert (failure["success"], failure["code"]) == (False, "run_failed")
    assert failure["failed_node"] == "大寫"
    assert "nowhere" in failure["error"]
    assert failure["trace"][-1]["node"] == "大寫"
    assert failure["trace"][-1]["status"] == "failed"


async def test_plain_credential_reaches_the_component_and_nothing_else(alice: Api) -> None:
    await alice("POST", "/credentials", json={"name": "t", "value": "abc-secret"})
    await push(alice, "use", using_secret("{{secret.t}} and {{credential.t}}"))
    response = await trigger(alice, "use", {})
    assert response.status_code == 200
    assert "abc-secret" not in response.text
    [entry] = (await alice("GET", "/credentials")).json()["credentials"]
    assert entry["last_used_at"] >= entry["created_at"]


async def test_only_the_credential_that_was_used_has_a_time_of_use(alice: Api, bob: Api) -> None:
    for account in (alice, bob):
        for name in ("s", "t", "u"):
            await account("POST", "/credentials", json={"name": name, "value": "abc-secret"})
    await push(alice, "use", using_secret("{{secret.t}}"))
    assert (await trigger(alice, "use", {})).status_code == 200
    used = {
        account.key: [
            entry["name"]
            for entry in (await account("GET", "/credentials")).json()["credentials"]
            if entry["last_used_at"] is not None
        ]
        for account in (alice, bob)
    }
    assert used == {alice.key: ["t"], bob.key: []}


async def test_sealed_credential_is_opened_by_the_accounts_own_key(alice: Api) -> None:
    assert alice.key is not None
    await alice("POST", "/credentials", json=sealed(alice.key, "t", "密鑰・🔑"))
    account = await alice.store.accounts.of_key(alice.key)
    assert account is not None
    outbound = Outbound()
    recipes = RecipeResolver(outbound, load_catalog(), alice.store, "")
    environment = AccountEnvironment(account, alice.store, Registry(outbound), recipes)
    assert await environment.secret("t") == "密鑰・🔑"
    assert await environment.secret("nowhere") is None
    assert environment.used == {"t"}
    await push(alice, "use", using_secret("{{secret.t}}"))
    assert (await trigger(alice, "use", {})).status_code == 200


async def test_envelope_of_another_key_fails_the_run_and_says_what_to_do(alice: Api) -> None:
    await alice("POST", "/credentials", json=sealed(new_key(), "t", "密鑰"))
    await push(alice, "use", using_secret("{{secret.t}}"))
    response = await trigger(alice, "use", {})
    assert response.status_code == 500
    assert response.json()["code"] == "run_failed"
    assert "push it again" in response.json()["error"]


async def test_store_that_fails_during_a_run_fails_the_node(alice: Api, failing: Any) -> None:
    await alice("POST", "/credentials", json={"name": "t", "value": "v"})
    await push(alice, "use", using_secret("{{secret.t}}"))
    with failing(alice.store.credentials, "get", StorageUnavailableError("the disk is gone")):
        response = await trigger(alice, "use", {})
    assert (response.status_code, response.json()["code"]) == (500, "run_failed")
    assert (
        response.json()["error"]
        == "Node 大寫 failed: credential 't' can't be read now: the disk is gone"
    )


async def test_run_input_that_names_a_credential_stays_text(alice: Api) -> None:
    await alice("POST", "/credentials", json={"name": "t", "value": "abc-secret"})
    await push(alice, "echo", UPPER)
    response = await trigger(alice, "echo", {"text": "{{credential.t}}", "x": "{{secret.t}}"})
    assert response.json()["data"]["text"] == "{{CREDENTIAL.T}}"
    assert "abc-secret" not in response.text


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"name": "名"}, "invalid_name", "name"),
        ({"name": "a b"}, "invalid_name", "name"),
        ({"name": "a\n"}, "invalid_name", "name"),
        ({"description": ""}, "invalid_request", "description"),
        ({"description": " \n\t"}, "invalid_request", "description"),
        ({"description": None}, "invalid_request", "description"),
        ({"config": []}, "invalid_request", "config"),
        ({"flow": []}, "invalid_request", "flow"),
        ({"graph": []}, "invalid_graph", "graph"),
        ({"graph": {"nodes": [INPUT]}}, "invalid_graph", "graph.edges"),
        ({"graph": {**UPPER, "edgs": []}}, "invalid_graph", "graph.edgs"),
        (
            {"graph": {"nodes": [INPUT], "edges": [{"from": "input", "to": "b", "type": "PIPE"}]}},
            "invalid_graph",
            "graph.edges[0].to",
        ),
        (
            {"graph": {"nodes": [INPUT, component("a", "comp_uper")], "edges": line("input", "a")}},
            "unknown_component",
            "graph.nodes[1].componentId",
        ),
        (
            {
                "graph": {
                    "nodes": [component("a", "comp_counter"), component("b", "comp_counter")],
                    "edges": line("a", "b", "a"),
                }
            },
            "invalid_graph",
            None,
        ),
        (
            {"graph": {**UPPER, "edges": [{"from": "input", "to": "大寫", "type": "PIP"}]}},
            "invalid_graph",
            "graph.edges[0].type",
        ),
    ],
)
async def test_bad_pushes_say_where_and_store_nothing(
    alice: Api, change: dict[str, Any], code: str, path: str | None
) -> None:
    body = {"name": "w", "graph": UPPER, "description": "d", **change}
    response = await alice("POST", "/webhooks/named", json=body)
    assert (response.status_code, response.json()["code"]) == (400, code), response.text
    if path is not None:
        assert path in [detail.get("path") for detail in response.json()["details"]]
    assert (await alice("GET", "/webhooks/named")).json()["total"] == 0


async def test_a_separator_is_no_white_space_in_a_description(alice: Api) -> None:
    body = {"name": "w", "graph": UPPER, "description": "\x1c"}
    pushed = await alice("POST", "/webhooks/named", json=body)
    block = await alice("POST", "/kbdb/blocks", json={"page_name": "\x1f", "content": "c"})

    assert (pushed.status_code, block.status_code) == (201, 201), (pushed.text, block.text)


@pytest.mark.parametrize("missing", ["name", "graph", "description"])
async def test_missing_fields_are_named(alice: Api, missing: str) -> None:
    body = {"name": "w", "graph": UPPER, "description": "d"}
    del body[missing]
    response = await alice("POST", "/webhooks/named", json=body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert [detail["path"] for detail in response.json()["details"]] == [missing]


@pytest.mark.parametrize("body", [[], "text", False, 5])
async def test_run_input_must_be_an_object(alice: Api, body: Any) -> None:
    await push(alice, "w", UPPER)
    response = await trigger(alice, "w", body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


async def test_name_in_the_path_must_be_a_name(alice: Api) -> None:
    for method, path in (
        ("DELETE", "/webhooks/named/a%20b"),
        ("GET", "/webhooks/named/%E5%90%8D/definition"),
    ):
        response = await alice(method, path)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_name")


async def test_workflow_calls_another_of_the_same_account_only(alice: Api, bob: Api) -> None:
    caller = {
        "nodes": [
            INPUT,
            component("叫", "trigger_workflow", workflow_name="inner", input={"text": "a"}),
        ],
        "edges": line("input", "叫"),
    }
    await push(alice, "inner", UPPER)
    await push(alice, "outer", caller)
    await push(bob, "outer", caller)
    ran = (await trigger(alice, "outer", {})).json()
    assert ran["data"]["sub_result"]["data"]["text"] == "A"
    refused = await trigger(bob, "outer", {})
    assert refused.status_code == 500
    assert "inner" in refused.json()["error"]


async def test_times_are_those_of_the_engines_clock(
    alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: 1767268830.5)
    caller = {"nodes": [component("sub", "trigger_workflow", workflow_name="sub")], "edges": []}
    stored = await push(alice, "sub", UPPER)
    await push(alice, "caller", caller)
    await trigger(alice, "caller", {"text": "a"})
    histories = [
        (await alice("GET", f"/workflows/{name}/executions")).json()["data"]["executions"]
        for name in ("caller", "sub")
    ]
    assert stored["created_at"] == "2026-01-01T12:00:30.500Z"
    assert [entry["timestamp"][:17] for (entry,) in histories] == ["2026-01-01T12:00:"] * 2
