"""`/components`: the catalog, and the search for components and recipes."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from pushed_recipes import api_recipe, auth_recipe, post

from arcrun_server.kbdb.search import spaced
from arcrun_server.recipes.versions import NewVersion
from arcrun_server.routes import component_search, components
from arcrun_server.routes.component_search import Entry, KnownEntries

if TYPE_CHECKING:
    from conftest import Api

PROMPT = {
    "id": "prompt_recipe:morning_brief",
    "description": "整理晨報",
    "inputs": [{"var": "news", "from": "ctx.news"}],
    "prompt_assembly": {"user": "{{news}}"},
}


async def search(api: Api, query: str, **more: str) -> Any:
    response = await api("GET", "/components/search", params={"q": query, **more})
    assert response.status_code == 200
    return response.json()


async def found(api: Api, query: str) -> list[tuple[str, str]]:
    results = (await search(api, query, limit="200"))["results"]
    return [(result["kind"], result["canonical_id"]) for result in results]


async def test_the_list_has_every_component_with_its_contract(nobody: Api) -> None:
    body = (await nobody("GET", "/components")).json()
    ids = [component["canonical_id"] for component in body["components"]]
    assert body["success"] is True
    assert body["count"] == len(ids)
    assert ids == sorted(ids)
    assert {"if_control", "code", "http_request", "wait"} <= set(ids)
    for component in body["components"]:
        one = (await nobody("GET", f"/components/{component['canonical_id']}")).json()
        assert one == {"success": True, "component": component}


async def test_pages_of_the_list_follow_each_other(nobody: Api) -> None:
    whole = (await nobody("GET", "/components")).json()
    read: list[Any] = []
    params = {"limit": "4"}
    while True:
        page = (await nobody("GET", "/components", params=params)).json()
        assert page["count"] == whole["count"]
        read += page["components"]
        if "next_cursor" not in page:
            break
        assert len(page["components"]) == 4
        params = {"limit": "4", "cursor": page["next_cursor"]}
    assert read == whole["components"]


async def test_a_component_of_the_knowledge_base_is_found_by_its_id(nobody: Api) -> None:
    component = (await nobody("GET", "/components/KBDB_get")).json()["component"]
    assert component["canonical_id"] == "kbdb_get"
    assert component["category"] == "data"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("swich", "no component 'swich'; did you mean 'switch'?"),
        ("notion", "no component 'notion'; it is a service, whose recipe is at /auth-recipes/notion"),
        ("telegram_send", "no component 'telegram_send'; it is a recipe, at /recipes/telegram_send"),
        ("zzzzzzzz", "no component 'zzzzzzzz'"),
    ],
)  # fmt: skip
async def test_what_is_no_component_is_not_found(nobody: Api, name: str, hint: str) -> None:
    response = await nobody("GET", f"/components/{name}")
    assert (response.status_code, response.json()["code"]) == (404, "component_not_found")
    assert response.json()["error"] == hint


async def test_what_can_be_no_id_is_refused(nobody: Api) -> None:
    response = await nobody("GET", "/components/%E5%A4%A9")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_name")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("switch", ("component", "switch")),
        ("SWITCH", ("component", "switch")),
        ("http", ("component", "http_request")),
        ("request http", ("component", "http_request")),
        ("kbdb_get", ("api_recipe", "kbdb_get")),
        ("notion", ("auth_recipe", "notion")),
        ("telegram_send", ("api_recipe", "telegram_send")),
        ("讀取頁面", ("api_recipe", "kbdb_get")),
        ("雜", ("component", "hash")),
        ("雜湊", ("component", "hash")),
        ("程式碼", ("component", "code")),
        ("wiki_synthesis", ("prompt_recipe", "prompt_recipe:wiki_synthesis")),
        ("合成", ("prompt_recipe", "prompt_recipe:wiki_synthesis")),
    ],
)
async def test_the_best_result_comes_first(nobody: Api, query: str, first: tuple[str, str]) -> None:
    assert (await found(nobody, query))[0] == first


@pytest.mark.parametrize("query", ["itch", "switch zzz", "湊雜", "%", "_", "，", "' OR 1=1", "*"])
async def test_what_is_nowhere_is_not_found(nobody: Api, query: str) -> None:
    assert await search(nobody, query) == {"success": True, "results": [], "count": 0}


async def test_the_knowledge_base_is_found_by_its_components_only(nobody: Api) -> None:
    results = await found(nobody, "kbdb")
    assert ("api_recipe", "kbdb_get") in results
    assert ("auth_recipe", "kbdb") not in results


async def test_a_result_says_what_it_is(nobody: Api) -> None:
    (result,) = (await search(nobody, "雜湊"))["results"]
    assert result == {
        "kind": "component",
        "canonical_id": "hash",
        "display_name": "雜湊 Hash",
        "category": "logic",
        "description": (
            "The digest of a text as UTF-8; with `key` an HMAC. A value that is not text is hashed as compact JSON."
        ),
    }


async def test_own_recipes_of_all_kinds_are_found_by_their_owner_only(
    alice: Api, bob: Api, nobody: Api
) -> None:
    await post(alice, "/recipes", api_recipe("https://own.example", display_name="晨報推播"))
    await post(alice, "/auth-recipes", auth_recipe("https://own.example", display_name="晨報服務"))
    pushed = await alice("POST", "/prompt-recipes", json={"recipe": PROMPT})
    assert pushed.status_code == 201
    assert await found(alice, "晨報") == [
        ("api_recipe", "own_send"),
        ("auth_recipe", "own"),
        ("prompt_recipe", "prompt_recipe:morning_brief"),
    ]
    assert await found(alice, "morning_brief") == [("prompt_recipe", "prompt_recipe:morning_brief")]
    assert await found(alice, "prompt_recipe:morning_brief") == await found(alice, "morning_brief")
    for other in (bob, nobody):
        assert await found(other, "晨報") == []


async def test_a_prompt_recipe_of_one_s_own_is_found_instead_of_the_shipped_one(
    alice: Api, bob: Api
) -> None:
    own = PROMPT | {"id": "prompt_recipe:wiki_synthesis"}
    assert (await alice("POST", "/prompt-recipes", json={"recipe": own})).status_code == 201
    for api, description in (
        (alice, "整理晨報"),
        (bob, "Mira wiki 合成(抽 triplet + 寫 wiki paragraph)"),
    ):
        (result,) = (await search(api, "wiki_synthesis"))["results"]
        assert result["description"] == description


async def test_more_own_recipes_than_a_page_holds_are_all_found(alice: Api) -> None:
    account = await alice.store.accounts.of_key(alice.key or "")
    assert account is not None
    for number in range(205):
        name = f"many_{number}"
        recipe = api_recipe("https://own.example", canonical_id=name)
        await alice.store.api_recipes.push(account, name, NewVersion(recipe))
    assert (await search(alice, "many", limit="1"))["count"] == 205


async def test_pages_of_results_follow_each_other(nobody: Api) -> None:
    whole = await found(nobody, "a")
    assert len(whole) > 10
    read: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = await search(nobody, "a", limit="3", **more)
        assert page["count"] == len(whole)
        read += [(result["kind"], result["canonical_id"]) for result in page["results"]]
        if "next_cursor" not in page:
            break
        more = {"cursor": page["next_cursor"]}
    assert read == whole
    other = await nobody("GET", "/components/search", params={"q": "b", **more})
    assert (other.status_code, other.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("params", [{}, {"q": ""}, {"q": "長" * 201}, {"q": ["a", "b"]}])
async def test_a_query_that_is_none_is_refused(nobody: Api, params: dict[str, Any]) -> None:
    response = await nobody("GET", "/components/search", params=params)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert response.json()["details"][0]["path"] == "q"


async def test_an_unknown_key_is_refused_by_the_search_only(nobody: Api) -> None:
    headers = {"X-Arcrun-API-Key": "ak_" + "0" * 48}
    assert (await nobody("GET", "/components/search?q=a", headers=headers)).status_code == 401
    assert (await nobody("GET", "/components", headers=headers)).status_code == 200
    assert (await nobody("GET", "/components/hash", headers=headers)).status_code == 200


async def test_words_of_descriptions_are_made_once_and_off_the_loop(
    alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, int]] = []

    def counting(text: str) -> str:
        made.append((text, threading.get_ident()))
        return spaced(text)

    monkeypatch.setattr(component_search, "spaced", counting)
    descriptions = [f"天氣 {number}" for number in range(5)]
    for number, description in enumerate(descriptions):
        recipe = {**PROMPT, "id": f"weather{number}", "description": description}
        await post(alice, "/prompt-recipes", {"recipe": recipe}, 201)
    assert (await search(alice, "天氣"))["count"] == 5
    assert {text for text, _ in made if text in descriptions} == set(descriptions)
    assert threading.get_ident() not in {thread for text, thread in made if text in descriptions}
    made.clear()
    assert (await search(alice, "天氣"))["count"] == 5
    assert not [text for text, _ in made if text in descriptions]


async def test_searches_of_an_account_wait_for_each_other(
    alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most = 0, 0

    def counting(query: str, entries: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return component_search.found(query, entries)
        finally:
            running -= 1

    monkeypatch.setattr(components, "found", counting)
    await asyncio.gather(*(search(alice, "hash") for _ in range(20)))
    assert most == 1


def test_entries_are_kept_up_to_a_number_of_characters() -> None:
    def entry(name: str) -> Entry:
        return Entry("component", name, "", "", "x" * 9)

    known = KnownEntries(most=25)
    first = entry("a")
    assert known.of([first, entry("b")])[0] is first
    assert known.of([entry("a"), entry("c")])[0] is first
    (b,) = known.of([entry("b")])  # which had to go for c, and takes the place of a
    assert known.of([entry("b")]) == [b]
    assert known.of([entry("a")])[0] is not first
