"""Prompt recipes that are shipped: there for every account, which brings the templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prompts import SEED_RECIPE, push, read, template
from pushed_recipes import post

from arcrun_server.recipes.catalog import load_catalog

if TYPE_CHECKING:
    from conftest import Api

WIKI = "/prompt-recipes/wiki_synthesis"
VALUES = {"drafts": [{"page_name": "河道"}], "entity_name": "河道"}


async def templates(api: Api) -> None:
    await template(api, "Answer in JSON.", "mira-wiki-schema")
    skill = "{{entity_name}}|{{existing_entities}}|{{drafts}}"
    await template(api, skill, "source-skill-wiki-synthesis")


async def test_the_shipped_recipe_is_listed_and_read(alice: Api, nobody: Api) -> None:
    (listed,) = (await read(alice, "/prompt-recipes"))["recipes"]
    assert (listed["name"], listed["version"], listed["shipped"]) == ("wiki_synthesis", 0, True)
    assert listed["description"].startswith("Mira wiki 合成")
    got = (await read(alice, WIKI))["recipe"]
    assert (got["id"], got["version"], got["shipped"]) == ("prompt_recipe:wiki_synthesis", 0, True)
    assert (got["message"], got["created_at"], got["labels"]) == (None, None, {})
    assert got["source"].startswith("id: prompt_recipe:wiki_synthesis\n")
    assert got["recipe"]["inputs"][1]["default"] == []
    assert (await read(alice, f"{WIKI}/versions"))["versions"] == []
    assert (await nobody("GET", WIKI)).status_code == 401


def test_no_shipped_recipe_names_a_block_by_its_id() -> None:
    for recipe in load_catalog().prompts.list(""):
        assert [fragment for fragment in recipe["fragments"] if "block_id" in fragment] == []


async def test_the_tests_of_all_shipped_recipes_pass(alice: Api) -> None:
    for name in load_catalog().prompts.names:
        outcome = await post(alice, f"/prompt-recipes/{name}/test", {})
        assert (outcome["passed"], len(outcome["tests"]) > 0) == (True, True), outcome


async def test_it_is_rendered_with_the_templates_of_the_account(alice: Api) -> None:
    await templates(alice)
    shown = await post(alice, f"{WIKI}/render", {"inputs": VALUES})
    assert [message["content"] for message in shown["messages"]] == [
        "Answer in JSON.",
        '河道||[{"page_name":"河道"}]',
    ]
    assert shown["version"] == 0
    more = VALUES | {"existing_entities": [{"page_name": "Mira"}, {"page_name": "KBDB"}]}
    shown = await post(alice, f"{WIKI}/render", {"inputs": more})
    assert shown["messages"][1]["content"].startswith("河道|Mira\nKBDB|")


async def test_a_missing_template_is_an_error_that_says_how_to_write_it(
    alice: Api, bob: Api
) -> None:
    await templates(bob)  # another account's
    refused = await post(alice, f"{WIKI}/render", {"inputs": VALUES}, 422)
    assert refused["code"] == "missing_fragment"
    assert (
        "the fragment 'schema': there is no block with `type: template` on a page 'mira-wiki-schema' "
        'of this account; write it: POST /kbdb/blocks with {"page_name": "mira-wiki-schema", '
        '"type": "template", "content": "…"}'
    ) in refused["error"]
    await template(alice, "Answer in JSON.", "mira-wiki-schema")
    refused = await post(alice, f"{WIKI}/render", {"inputs": VALUES}, 422)
    assert "'source-skill-wiki-synthesis'" in refused["error"]


async def test_an_account_s_own_recipe_of_the_name_wins_for_that_account(
    alice: Api, bob: Api
) -> None:
    pushed = await push(alice, SEED_RECIPE, expected_version=0)
    assert pushed["recipe"]["version"] == 1
    got = (await read(alice, WIKI))["recipe"]
    assert (got["version"], got["source"], "shipped" in got) == (1, SEED_RECIPE, False)
    listed = (await read(alice, "/prompt-recipes"))["recipes"]
    assert listed == [
        {"name": "wiki_synthesis", "version": 1, "description": got["recipe"]["description"]}
    ]
    moved = await alice("PUT", f"{WIKI}/labels/production", json={"version": 1})
    assert moved.status_code == 200
    assert (await read(bob, WIKI))["recipe"]["version"] == 0
    assert (await alice("DELETE", WIKI)).status_code == 200
    assert (await read(alice, WIKI))["recipe"]["shipped"] is True


async def test_pages_hold_own_and_shipped_recipes_once_and_in_order(alice: Api) -> None:
    for name in ("a", "x", "z", "wiki_synthesis", "wiki"):
        await push(alice, {"name": name, "prompt_assembly": {"user": name}})
    found: list[Any] = []
    query = "?limit=2"
    while query:
        page = await read(alice, f"/prompt-recipes{query}")
        assert page["count"] == 5
        found += [(entry["name"], entry["version"]) for entry in page["recipes"]]
        query = f"?limit=2&cursor={page['next_cursor']}" if "next_cursor" in page else ""
    assert found == [("a", 1), ("wiki", 1), ("wiki_synthesis", 1), ("x", 1), ("z", 1)]
    assert (await alice("DELETE", WIKI)).status_code == 200
    page = await read(alice, "/prompt-recipes?limit=3")
    shown = [(entry["name"], entry["version"]) for entry in page["recipes"]]
    assert shown == [("a", 1), ("wiki", 1), ("wiki_synthesis", 0)]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", WIKI, None),
        ("PUT", f"{WIKI}/labels/production", {"version": 1}),
        ("DELETE", f"{WIKI}/labels/production", None),
    ],
)
async def test_the_shipped_recipe_itself_can_not_be_changed(
    alice: Api, method: str, path: str, body: Any
) -> None:
    response = await alice(method, path, **({"json": body} if body else {}))
    assert (response.status_code, response.json()["code"]) == (403, "recipe_immutable")


@pytest.mark.parametrize("query", ["?version=1", "?label=production"])
async def test_the_shipped_recipe_has_no_versions_and_no_labels(alice: Api, query: str) -> None:
    missing = await read(alice, WIKI + query, 404)
    assert missing["error"] == (
        "the recipe 'wiki_synthesis' is shipped with the engine, and has no versions or labels; name it alone"
    )


async def test_a_name_that_is_almost_that_of_a_shipped_recipe_suggests_it(alice: Api) -> None:
    missing = await read(alice, "/prompt-recipes/wiki_syntesis", 404)
    assert "did you mean 'wiki_synthesis'?" in missing["error"]
