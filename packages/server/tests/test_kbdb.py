"""The knowledge base: its routes, and the components that work on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from pushed_recipes import post, run

from arcrun_server.errors import StorageUnavailableError
from arcrun_server.kbdb.blocks import BlockError, check_fields
from arcrun_server.kbdb.contracts import CONTRACTS
from arcrun_server.recipes.api.record import hash_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api


async def store_block(api: Api, content: str, block_id: str = "one", **fields: Any) -> Any:
    body = {"id": block_id, "page_name": "p", "content": content, **fields}
    return (await post(api, "/kbdb/blocks", body, 201))["block"]


async def result_of(api: Api, component: str, **data: Any) -> Any:
    response = await run(api, component, **data)
    assert response.status_code == 200, response.text
    return response.json()["data"]


async def failure_of(api: Api, component: str, **data: Any) -> str:
    response = await run(api, component, **data)
    assert (response.status_code, response.json()["failed_node"]) == (500, "n"), response.text
    return str(response.json()["error"])


async def test_bearer_key_is_one_of_the_account(alice: Api, nobody: Api) -> None:
    await store_block(alice, "天氣")
    for scheme in ("Bearer", "bearer", "BEARER "):
        headers = {"Authorization": f"{scheme} {alice.key}"}
        response = await nobody("GET", "/kbdb/blocks/one", headers=headers)
        assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
        refused = await nobody("GET", "/credentials", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "missing_api_key")
    unknown = {"Authorization": f"Bearer ak_{'0' * 48}"}
    refused = await nobody("GET", "/kbdb/blocks", headers=unknown)
    assert (refused.status_code, refused.json()["code"]) == (401, "unknown_api_key")
    refused = await nobody("GET", "/kbdb/blocks", headers={"Authorization": "Basic YTpi"})
    assert (refused.status_code, refused.json()["code"]) == (401, "missing_api_key")


async def test_key_of_its_own_header_counts_before_a_bearer(alice: Api, bob: Api) -> None:
    await store_block(alice, "hers")
    await store_block(bob, "his")
    headers = {"Authorization": f"Bearer {bob.key}"}
    read = await alice("GET", "/kbdb/blocks/one", headers=headers)
    assert read.json()["block"]["content"] == "hers"


async def test_large_block_is_stored_found_and_listed(alice: Api) -> None:
    content = "天" * 262_143 + "氣"
    block = await store_block(alice, content)
    assert block["content"] == content
    found = await alice("GET", "/kbdb/search", params={"q": "天氣"})
    assert [one["id"] for one in found.json()["blocks"]] == ["one"]
    too_long = await alice("PATCH", "/kbdb/blocks/one", json={"content": content + "。"})
    assert (too_long.status_code, too_long.json()["code"]) == (400, "invalid_request")


async def test_search_in_a_store_that_does_not_respond(
    alice: Api, failing: Callable[..., Any]
) -> None:
    with failing(alice.store.blocks, "search", StorageUnavailableError("the search took too long")):
        response = await alice("GET", "/kbdb/search", params={"q": "a"})
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert "took too long" in response.json()["error"]


async def test_one_account_waits_for_its_own_searches_only(
    alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, begun, go_on = alice.store.blocks.search, asyncio.Event(), asyncio.Event()

    async def slow(account: str, query: str, request: Any) -> Any:
        if query == "slow":
            begun.set()
            await go_on.wait()
        return await right(account, query, request)

    monkeypatch.setattr(alice.store.blocks, "search", slow)
    first = asyncio.create_task(alice("GET", "/kbdb/search", params={"q": "slow"}))
    await begun.wait()
    second = asyncio.create_task(alice("GET", "/kbdb/search", params={"q": "fast"}))
    assert (await bob("GET", "/kbdb/search", params={"q": "fast"})).status_code == 200
    assert not second.done()
    go_on.set()
    assert [(await first).status_code, (await second).status_code] == [200, 200]


async def test_workflow_of_a_component_that_is_named_by_its_hash(alice: Api) -> None:
    await store_block(alice, "- 甲")
    assert sorted(CONTRACTS) == [
        "kbdb_create_block",
        "kbdb_delete",
        "kbdb_get",
        "kbdb_ingest",
        "kbdb_patch_block",
    ]
    found = await result_of(alice, hash_id("kbdb_get"), page_name="p")
    assert found["items"] == ["甲"]


@pytest.mark.parametrize(
    ("component", "data", "said"),
    [
        ("kbdb_get", {}, "`page_name` or `block_id`"),
        ("kbdb_get", {"page_name": 7}, "`page_name` must be text, but it is a number"),
        ("kbdb_get", {"page_name": " "}, "`page_name` is blank"),
        ("kbdb_get", {"block_id": "a/b"}, "`block_id` must be 1 to 128"),
        ("kbdb_get", {"page_nam": "p"}, "did you mean 'page_name'?"),
        ("kbdb_create_block", {"page_name": "p"}, "`content` is missing"),
        ("kbdb_create_block", {"content": "c"}, "`page_name` is missing"),
        (
            "kbdb_create_block",
            {"page_name": "p", "content": ["c"]},
            "`content` must be text, but it is a list",
        ),
        (
            "kbdb_create_block",
            {"page_name": "p", "content": "c" * 262_145},
            "at most 262,144 are allowed",
        ),
        ("kbdb_create_block", {"page_name": "p", "content": "c", "id": ".."}, "`id` must be"),
        (
            "kbdb_create_block",
            {"page_name": "p", "content": "c", "metadata": [1]},
            "`metadata` must be an object",
        ),
        (
            "kbdb_create_block",
            {"page_name": "p", "content": "c", "metadata": {"m": "x" * 16_384}},
            "at most 16,384",
        ),
        ("kbdb_patch_block", {"block_id": "one"}, "nothing to change"),
        ("kbdb_patch_block", {"block_id": "one", "type": True}, "`type` must be text"),
        ("kbdb_delete", {}, "`block_id` is missing"),
        ("kbdb_ingest", {"page_name": "p"}, "`text` is missing"),
        ("kbdb_ingest", {"page_name": "p", "text": {"a": 1}}, "a text or a list of texts"),
        ("kbdb_ingest", {"page_name": "p", "text": ["a", None]}, "`text.1` must be text"),
        ("kbdb_ingest", {"page_name": "p", "text": ["a"] * 1001}, "at most 1,000"),
        ("kbdb_ingest", {"text": "a"}, "`page_name` is missing"),
    ],
)
async def test_wrong_parameter_is_named(
    component: str, data: dict[str, Any], said: str, alice: Api
) -> None:
    assert said in await failure_of(alice, component, **data)
    listed = await alice("GET", "/kbdb/blocks")
    assert listed.json()["blocks"] == []


@pytest.mark.parametrize("bad", ["a\x00", "\ud83d"], ids=["NUL", "half of a pair"])
@pytest.mark.parametrize("name", ["page_name", "content", "type", "source"])
def test_text_that_is_no_text_is_refused(name: str, bad: str) -> None:
    with pytest.raises(BlockError, match=f"`{name}` holds NUL or half"):
        check_fields({name: bad})


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"a": "\x00"}, "holds NUL"),
        ({"a": "\ud83d"}, "must be JSON"),
        ({"a": float("nan")}, "must be JSON"),
    ],
)
def test_metadata_that_is_no_json_is_refused(metadata: Any, said: str) -> None:
    with pytest.raises(BlockError, match=f"`metadata` {said}"):
        check_fields({"metadata": metadata})
    check_fields({"metadata": {"a": "\\u0000"}})  # a backslash and letters


async def test_nul_of_a_component_reaches_no_block(alice: Api) -> None:
    graph = {
        "nodes": [
            {
                "id": "make",
                "type": "Component",
                "componentId": "string_ops",
                "data": {"operation": "url_decode", "text": "a%00"},
            },
            {
                "id": "n",
                "type": "Component",
                "componentId": "kbdb_ingest",
                "data": {"page_name": "p", "text": "{{make.data.result}}"},
            },
        ],
        "edges": [{"from": "make", "to": "n", "type": "PIPE"}],
    }
    response = await alice("POST", "/execute", json={"graph": graph})
    assert "which is no text" in response.json()["error"]
    assert (await alice("GET", "/kbdb/blocks")).json()["blocks"] == []


async def test_store_that_fails_fails_the_node(alice: Api, failing: Callable[..., Any]) -> None:
    with failing(alice.store.blocks, "page", StorageUnavailableError("the disk is full")):
        assert "the disk is full" in await failure_of(alice, "kbdb_get", page_name="p")


async def test_two_workflows_write_to_pages_of_their_own(alice: Api) -> None:
    graph = {
        "nodes": [
            {
                "id": "write",
                "type": "Component",
                "componentId": "kbdb_ingest",
                "data": {"text": "{{input.text}}"},
            }
        ],
        "edges": [],
    }
    caller = {
        "nodes": [
            {
                "id": "call",
                "type": "Component",
                "componentId": "trigger_workflow",
                "data": {"workflow_name": "inner", "input": {"page_name": "頁", "text": "t"}},
            }
        ],
        "edges": [],
    }
    for name, pushed in (("inner", graph), ("outer", caller)):
        body = {"name": name, "description": "d", "graph": pushed}
        await post(alice, "/webhooks/named", body, 201)
    response = await alice("POST", "/webhooks/named/outer/trigger", json={})
    assert response.json()["data"]["sub_result"]["data"]["page_name"] == "inner/頁"
