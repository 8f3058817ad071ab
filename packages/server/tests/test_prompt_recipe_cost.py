"""What prompt recipes cost that take each other many times: as much as there are recipes, not as there are ways."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from prompts import push, template
from pushed_recipes import post
from turns import counted_turns

from arcrun_server.recipes import fragments, read_recipes
from arcrun_server.recipes.prompt.assembly import MAX_CHARACTERS
from arcrun_server.recipes.prompt.reading import read_recipe
from arcrun_server.store.blocks import Blocks
from arcrun_server.store.recipes import Recipes

if TYPE_CHECKING:
    from conftest import Api


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the recipes and blocks that are read from the database."""
    names: list[str] = []
    for store in (Recipes, Blocks):
        right = store.get

        async def counting(self: Any, account: str, what: Any, *more: Any, get: Any = right) -> Any:
            names.append(getattr(what, "name", what))
            return await get(self, account, what, *more)

        monkeypatch.setattr(store, "get", counting)
    return names


def holding(name: str, *recipes: str, user: str = "{{f0}}", **more: Any) -> dict[str, Any]:
    held = [
        {"var": f"f{number}", "source": "recipe", "recipe": recipe}
        for number, recipe in enumerate(recipes)
    ]
    return {"name": name, "fragments": held, "prompt_assembly": {"user": user}, **more}


async def test_recipes_that_multiply_are_fetched_once_each(alice: Api, fetched: list[str]) -> None:
    await push(alice, {"name": "l0", "prompt_assembly": {"user": "leaf"}})
    for level in (1, 2, 3):
        await push(alice, holding(f"l{level}", *[f"l{level - 1}"] * 64))
    fetched.clear()
    rendered = await post(alice, "/prompt-recipes/l3/render", {})
    assert rendered["messages"][0]["content"] == "leaf"
    assert sorted(fetched) == ["l0", "l1", "l2", "l3"]
    fetched.clear()
    await push(alice, holding("l3", *["l2"] * 64))
    assert sorted(fetched) == ["l0", "l1", "l2"]


async def test_recipes_with_the_same_blocks_fetch_them_once(alice: Api, fetched: list[str]) -> None:
    block = await template(alice, "text")
    blocks = [{"var": f"b{n}", "source": "kbdb_block", "block_id": block} for n in range(64)]
    await push(alice, {"name": "m0", "fragments": blocks, "prompt_assembly": {"user": "{{b1}}"}})
    fetched.clear()
    await push(alice, holding("m1", *["m0"] * 24))
    assert fetched == ["m0", block]


async def test_others_have_their_turn_between_the_recipes(alice: Api) -> None:
    await push(alice, {"name": "r0", "prompt_assembly": {"user": "leaf"}})
    names = [f"r{number}" for number in range(1, 60)]
    for name in names:
        await push(alice, {"name": name, "prompt_assembly": {"user": name}})
    await push(alice, holding("all", *names))
    with counted_turns() as turns:
        await post(alice, "/prompt-recipes/all/render", {})
    assert turns.count > len(names)


async def test_a_prompt_takes_no_more_than_a_number_of_sources(
    alice: Api, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    monkeypatch.setattr(fragments, "MAX_FETCHED", 3)
    for name in ("a", "b", "c", "d"):
        await push(alice, {"name": name, "prompt_assembly": {"user": name}})
    fetched.clear()
    pushed = await push(alice, holding("all", "a", "b", "c", "d"))
    assert fetched == ["a", "b", "c"]
    assert pushed["warnings"][0] == (
        "prompt_recipe:all: the fragment 'f3': the prompt needs more than 3 recipes, blocks and texts"
    )
    refused = await post(
        alice, "/prompt-recipes/all/render", {"recipe": holding("all", *"abcd", user="{{f3}}")}, 422
    )
    assert refused["code"] == "prompt_too_large"
    await post(alice, "/prompt-recipes/all/render", {})


async def test_fragments_have_no_more_characters_than_a_prompt(
    alice: Api, fetched: list[str]
) -> None:
    large = 250_000
    ids = [await template(alice, "x" * large) for _ in range(MAX_CHARACTERS // large + 3)]
    blocks = [
        {"var": f"b{number}", "source": "kbdb_block", "block_id": one}
        for number, one in enumerate(ids)
    ]
    fetched.clear()
    recipe = {"name": "r", "fragments": blocks, "prompt_assembly": {"user": "{{b0}}"}}
    pushed = await push(alice, recipe)
    assert len(fetched) == MAX_CHARACTERS // large + 1  # the last is one too many
    too_large = "recipes and fragments have more than 4,000,000 characters together"
    assert [one for one in pushed["warnings"] if "together" in one] == [
        f"prompt_recipe:r: the fragment 'b{number}': {too_large}" for number in (16, 17, 18)
    ]


async def test_a_pinned_page_has_no_more_than_a_number_of_blocks(
    alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("a", "b"):
        await template(alice, text, "page")
    pinned = {"var": "p", "source": "kbdb_block", "block_page_name": "page", "pin": True}
    await push(alice, {"name": "r", "fragments": [pinned], "prompt_assembly": {"user": "{{p}}"}})
    await post(alice, "/prompt-recipes/r/render", {})
    monkeypatch.setattr(fragments, "MAX_BLOCKS", 1)
    refused = await post(alice, "/prompt-recipes/r/render", {}, 422)
    assert "needs more than 1 blocks" in refused["error"]


async def test_recipes_are_nested_eight_deep_by_the_shortest_and_by_a_longer_way(
    alice: Api,
) -> None:
    await push(alice, {"name": "r1", "prompt_assembly": {"user": "end"}})
    for level in range(2, 9):
        await push(alice, holding(f"r{level}", f"r{level - 1}"))
    assert (await post(alice, "/prompt-recipes/r8/render", {}))["messages"][0]["content"] == "end"
    await push(alice, holding("r9", "r8", "r7"))
    for body in ({}, {"recipe": holding("r9", "r8", "r7", user="{{f1}}{{f0}}")}):
        refused = await post(alice, "/prompt-recipes/r9/render", body, 422)
        assert "recipes are nested deeper than 8 levels" in refused["error"]
    shorter = holding("r9", "r8", "r7", user="{{f1}}")
    await post(alice, "/prompt-recipes/r9/render", {"recipe": shorter})


async def test_a_recipe_in_many_places_applies_its_transforms_once(alice: Api) -> None:
    inner = {
        "name": "inner",
        "inputs": [{"var": "all", "from": "ctx.all", "transform": "join:"}],
        "prompt_assembly": {"user": "{{all}}"},
    }
    await push(alice, inner)
    await push(
        alice, holding("middle", *["inner"] * 64, user="".join(f"{{{{f{n}}}}}" for n in range(64)))
    )
    outer = holding(
        "outer", *["middle"] * 64, user="".join(f"{{{{f{n}}}}}" for n in range(64)) + "x"
    )
    await push(alice, outer)
    # To join so many for each of the 4,096 places would take minutes.
    body = {"context": {"all": [""] * 50_000}}
    assert (await post(alice, "/prompt-recipes/outer/render", body))["messages"][0][
        "content"
    ] == "x"


async def test_many_places_of_a_recipe_warn_once(alice: Api) -> None:
    inputs = [{"var": f"v{number}", "from": "ctx.v"} for number in range(64)]
    await push(alice, {"name": "l0", "inputs": inputs, "prompt_assembly": {"user": "leaf"}})
    for level in (1, 2):
        user = "".join(f"{{{{f{number}}}}}" for number in range(64))
        await push(alice, holding(f"l{level}", *[f"l{level - 1}"] * 64, user=user))
    rendered = await post(alice, "/prompt-recipes/l2/render", {})
    assert rendered["warnings"] == [f"nothing uses the variable 'v{n}'" for n in range(64)]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads in which recipes are read."""
    used: list[int] = []

    def reading(source: Any) -> Any:
        used.append(threading.get_ident())
        return read_recipe(source)

    monkeypatch.setattr(read_recipes, "read_recipe", reading)
    monkeypatch.setattr(read_recipes, "_kept", read_recipes._Kept())
    return used


@pytest.mark.parametrize("is_text", [True, False])
async def test_a_long_recipe_is_read_off_the_loop_and_once(
    alice: Api, threads: list[int], is_text: bool
) -> None:
    tests = [
        {"name": f"t{n}", "context": {f"k{k}": k for k in range(90)}, "expect": {"contains": ["x"]}}
        for n in range(50)
    ]
    recipe = {"name": "long", "prompt_assembly": {"user": "x"}, "tests": tests}
    given = json.dumps(recipe) if is_text else recipe
    await push(alice, given)
    await post(alice, "/prompt-recipes/long/render", {"recipe": given})
    assert len(threads) == 2
    for _ in range(3):
        await post(alice, "/prompt-recipes/long/render", {})
    assert len(threads) == 3
    assert threading.get_ident() not in threads


async def test_recipes_are_kept_up_to_a_number_of_characters() -> None:
    kept = read_recipes._Kept()
    recipe, _ = read_recipe({"name": "r", "prompt_assembly": {"user": "x"}})
    half = read_recipes._KEPT_CHARACTERS // 2
    one, two, three = ((True, sign * half) for sign in "abc")
    for key in (one, two):
        kept.put(key, recipe)
    assert kept.get(one) is recipe
    kept.put(three, recipe)
    assert [kept.get(key) for key in (one, two, three)] == [recipe, None, recipe]
    kept.put(three, recipe)
    assert kept.get(one) is recipe
