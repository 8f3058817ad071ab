"""Lists, page by page: every list has the same parameters, and paging through one gives each entry once."""

from __future__ import annotations

import asyncio
import base64
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import RunResult
from arcrun_server.recipes.api.record import hash_id
from arcrun_server.recipes.catalog import load_catalog
from arcrun_server.recipes.versions import NewVersion
from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from conftest import Api

GRAPH: dict[str, Any] = {"nodes": [{"id": "input", "type": "Input"}], "edges": []}


@dataclass(frozen=True)
class Listed:
    """One of the lists.

    Args:
        path: Its route.
        entries: The field of its entries.
        total: The field of their number.
        name: The field that tells an entry from others.
        add: Stores the entry of this number, for an account.
        shipped: How many entries are there for everyone.
    """

    path: str
    entries: str
    total: str
    name: str
    add: Callable[[Store, str, int], Awaitable[Any] | None]
    shipped: int = 0

    async def page(self, api: Api, **parameters: Any) -> dict[str, Any]:
        response = await api("GET", self.path, params=parameters)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body.get("data", body)

    async def pages(self, api: Api, **parameters: Any) -> list[dict[str, Any]]:
        """Follow `next_cursor` to the end."""
        found = [await self.page(api, **parameters)]
        while "next_cursor" in found[-1]:
            parameters["cursor"] = found[-1]["next_cursor"]
            found.append(await self.page(api, **parameters))
        return found

    def names(self, *pages: dict[str, Any]) -> list[str]:
        return [entry[self.name] for page in pages for entry in page[self.entries]]


def add_credential(store: Store, account: str, number: int) -> Awaitable[Any]:
    return store.credentials.push(account, f"c_{number:03}", {"value": "v"})


def add_workflow(store: Store, account: str, number: int) -> Awaitable[Any]:
    return store.workflows.push(
        account, f"w-{number:03}", description="d", graph=GRAPH, config=None
    )


def add_service(store: Store, account: str, number: int) -> Awaitable[Any]:
    # Between the shipped ones, not after them.
    name = f"{'abcdefghijklmnopqrstuvwxyz'[number % 26]}_{number:03}"
    return store.auth_recipes.push(account, name, NewVersion({"service": name}))


def add_api_recipe(store: Store, account: str, number: int) -> Awaitable[Any]:
    name = f"{'abcdefghijklmnopqrstuvwxyz'[number % 26]}_{number:03}"
    recipe = {"canonical_id": name, "hash_id": hash_id(name)}
    return store.api_recipes.push(account, name, NewVersion(recipe, hash_id=hash_id(name)))


def add_execution(store: Store, account: str, number: int) -> None:
    result = RunResult(success=False, error=f"{number:03}", duration_ms=1.0)
    # Several in the same millisecond.
    store.executions.record(account, "w", 1_767_225_600_000 + number // 7, result)


LISTS = [
    Listed("/credentials", "credentials", "total", "name", add_credential),
    Listed("/webhooks/named", "workflows", "total", "name", add_workflow),
    Listed("/auth-recipes", "recipes", "count", "service", add_service, shipped=26),
    Listed("/recipes", "recipes", "count", "canonical_id", add_api_recipe, shipped=10),
    Listed("/workflows/w/executions", "executions", "count", "message", add_execution),
]
EXECUTIONS = LISTS[-1]


@pytest.fixture(params=LISTS, ids=lambda listed: listed.path)
def listed(request: pytest.FixtureRequest) -> Listed:
    found: Listed = request.param
    return found


async def account_of(api: Api) -> str:
    assert api.key
    account = await api.store.accounts.of_key(api.key)
    assert account
    return account


async def fill(listed: Listed, api: Api, numbers: range) -> None:
    account = await account_of(api)
    if listed is EXECUTIONS:
        await api.store.workflows.push(account, "w", description="d", graph=GRAPH, config=None)
    added = [listed.add(api.store, account, number) for number in numbers]
    await asyncio.gather(*(each for each in added if each is not None))


@pytest.mark.parametrize(
    ("size", "limit"), [(0, None), (1, None), (50, None), (51, None), (200, 200), (201, 200)]
)
async def test_pages_give_every_entry_once_and_in_order(
    alice: Api, listed: Listed, size: int, limit: int | None
) -> None:
    await fill(listed, alice, range(size))
    parameters = {} if limit is None else {"limit": limit}
    pages = await listed.pages(alice, **parameters)
    whole, largest = size + listed.shipped, limit or 50
    names = listed.names(*pages)
    assert len(set(names)) == len(names) == whole
    assert names == sorted(names, reverse=listed is EXECUTIONS)
    assert [page[listed.total] for page in pages] == [whole] * len(pages)
    assert len(pages) == max(1, math.ceil(whole / largest))
    assert all(len(page[listed.entries]) == largest for page in pages[:-1])
    assert "next_cursor" not in pages[-1]


async def test_a_page_of_one_leads_to_the_next(alice: Api, listed: Listed) -> None:
    await fill(listed, alice, range(3))
    one_by_one = await listed.pages(alice, limit=1)
    assert len(one_by_one) == 3 + listed.shipped
    assert listed.names(*one_by_one) == listed.names(await listed.page(alice, limit=200))


async def test_what_is_added_and_removed_meanwhile_moves_nothing_else(alice: Api) -> None:
    listed = LISTS[0]
    await fill(listed, alice, range(10, 16))
    first = await listed.page(alice, limit=3)
    assert listed.names(first) == ["c_010", "c_011", "c_012"]
    for gone in ("c_011", "c_012", "c_013"):  # the last one shown is the position of the cursor
        await alice("DELETE", f"/credentials/{gone}")
    await fill(listed, alice, range(9, 10))
    second = await listed.page(alice, limit=3, cursor=first["next_cursor"])
    assert listed.names(second) == ["c_014", "c_015"]
    assert (second["total"], "next_cursor" in second) == (4, False)


async def test_runs_that_end_meanwhile_move_no_page_of_the_history(alice: Api) -> None:
    await fill(EXECUTIONS, alice, range(4))
    first = await EXECUTIONS.page(alice, limit=2)
    EXECUTIONS.add(alice.store, await account_of(alice), 4)
    second = await EXECUTIONS.page(alice, limit=2, cursor=first["next_cursor"])
    assert EXECUTIONS.names(first, second) == ["003", "002", "001", "000"]
    assert (first["count"], second["count"]) == (4, 5)


async def test_page_after_the_end_is_empty_and_still_says_how_many_there_are(alice: Api) -> None:
    listed = LISTS[0]
    await fill(listed, alice, range(2))
    first = await listed.page(alice, limit=1)
    await alice("DELETE", "/credentials/c_001")
    end = await listed.page(alice, cursor=first["next_cursor"])
    assert end == {"success": True, "credentials": [], "total": 1}


async def test_pages_show_the_own_account_only(alice: Api, bob: Api, listed: Listed) -> None:
    await fill(listed, alice, range(3))
    await fill(listed, bob, range(100, 103))
    cursor = (await listed.page(alice, limit=1))["next_cursor"]
    assert len(listed.names(*await listed.pages(bob))) == 3 + listed.shipped
    seen = listed.names(await listed.page(bob, limit=200, cursor=cursor))
    assert {"000", "001", "002"} & {name[-3:] for name in seen} == set()


async def refusal(api: Api, listed: Listed, name: str, value: str) -> str:
    response = await api("GET", listed.path, params={name: value})
    body = response.json()
    assert (response.status_code, body["code"]) == (400, "invalid_request"), value
    assert body["details"][0]["path"] == name
    text: str = body["error"]
    return text


async def test_limit_must_be_a_number_in_bounds(alice: Api, listed: Listed) -> None:
    await fill(listed, alice, range(1))
    for limit in ("0", "201", "-1", "ten", "", "1.0", "+1", "٣", "9" * 30):
        assert "from 1 to 200" in await refusal(alice, listed, "limit", limit)


async def test_cursor_must_be_one_of_the_engine(alice: Api, listed: Listed) -> None:
    await fill(listed, alice, range(1))
    position = base64.b64encode(b'"c_000"').decode()
    for cursor in ("", "a", "nonsense", "=", "游標", "A" * 40, "A" * 5000, position):
        assert "next_cursor" in await refusal(alice, listed, "cursor", cursor)


async def test_cursor_of_another_list_and_a_changed_one_are_refused(alice: Api) -> None:
    for listed in LISTS[:2]:
        await fill(listed, alice, range(2))
    cursor = (await LISTS[0].page(alice, limit=1))["next_cursor"]
    changed = cursor[:-4] + ("AAAA" if cursor[-4:] != "AAAA" else "BBBB")
    assert await refusal(alice, LISTS[1], "cursor", cursor)
    assert await refusal(alice, LISTS[0], "cursor", changed)


@pytest.mark.parametrize("query", ["limit=1&limit=2", "cursor=a&cursor=b"])
async def test_parameter_is_given_once(alice: Api, query: str) -> None:
    response = await alice("GET", f"/credentials?{query}")
    assert response.status_code == 400
    assert "given once" in response.json()["error"]


async def test_pushed_recipe_that_is_shipped_by_now_is_listed_once(alice: Api) -> None:
    account = await account_of(alice)
    mine = NewVersion({"service": "notion", "mine": True})
    await alice.store.auth_recipes.push(account, "notion", mine)
    pages = await LISTS[2].pages(alice, limit=5)
    [shown] = [r for page in pages for r in page["recipes"] if r["service"] == "notion"]
    assert shown == load_catalog().auth.get("notion", "")
    assert {page["count"] for page in pages} == {26}
    assert all(page["versions"] == {} for page in pages)


async def test_cursors_outlive_the_server(tmp_path: Path, database_url: str | None) -> None:
    cursors = []
    for _ in range(2):
        store = Store(tmp_path / "other", database_url)
        cursors.append(store.cursors.write("c_000", "credentials"))
        assert store.cursors.read(cursors[0], "credentials") == "c_000"
        store.close()
    assert cursors[0] == cursors[1]
    assert b"c_000" not in base64.urlsafe_b64decode(cursors[0] + "==")
