"""Recipes, pages and blocks as resources."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from arcrun import Arcrun
from arcrun.mcp.server import server_of
from arcrun.mcp.tools import tools

RECIPE = """id: prompt_recipe:greeting
prompt_assembly:
  user: {text}
"""


async def test_a_recipe_is_read_as_it_was_pushed_and_is_not_stale(
    account: Any, connect: Any
) -> None:
    async with connect("http", account) as client:
        for text in ("first", "second"):
            pushed = RECIPE.replace("{text}", text)
            found = await client.call_tool("prompt_recipe_push", {"recipe": pushed})
            assert not found.is_error, found.content
            read = await client.read_resource("arcrun://recipes/prompt/greeting")
            assert (read.contents[0].text, read.contents[0].mime_type) == (pushed, "text/yaml")
            assert read.ttl_ms == 0
        before = await client.read_resource("arcrun://recipes/prompt/greeting%401")
        assert before.contents[0].text == RECIPE.replace("{text}", "first")
        listed = (await client.list_resources()).resources
        assert "arcrun://recipes/prompt/greeting" in [each.uri for each in listed]
        assert len((await client.list_resource_templates()).resource_templates) == 4


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("arcrun://recipes/prompt/wiki_synthesys", "did you mean 'wiki_synthesis'"),
        ("arcrun://kb/pages/nowhere", "next: search: kb_search"),
        ("arcrun://other/thing", "the forms are: arcrun://recipes/{kind}/{name}"),
    ],
)
async def test_what_is_not_there_says_what_is(
    account: Any, connect: Any, uri: str, message: str
) -> None:
    async with connect("memory", account) as client:
        with pytest.raises(MCPError) as raised:
            await client.read_resource(uri)
    assert raised.value.error.code == -32602
    assert message in raised.value.error.message
    assert raised.value.error.data == {"uri": uri}


@pytest.mark.parametrize(
    ("offered", "names", "listed", "read"),
    [
        (["run_list"], [], False, False),
        (["prompt_recipe_get"], ["recipe"], False, True),
        (["prompt_recipe_list"], [], False, False),
        (["prompt_recipe_get", "prompt_recipe_list"], ["recipe"], True, True),
        (["kb_get"], ["page", "block"], False, False),
    ],
)
async def test_resources_are_those_that_the_offered_tools_could_read(
    account: Any, offered: list[str], names: list[str], listed: bool, read: bool
) -> None:
    with Arcrun(account.key, base_url=account.url) as engine:
        recipe = RECIPE.replace("{text}", "hello")
        engine.recipes.push(recipe)
        async with Client(server_of(engine, tools(only=offered))) as client:
            templates = (await client.list_resource_templates()).resource_templates
            assert [each.name for each in templates] == [*names, "result"]
            assert bool((await client.list_resources()).resources) == listed
            uris = {"arcrun://recipes/prompt/greeting": read}
            uris["arcrun://tools/kb_put/result"] = False
            uris["arcrun://kb/pages/nowhere"] = uris["arcrun://kb/blocks/none"] = False
            for uri, there in uris.items():
                if there:
                    assert (await client.read_resource(uri)).contents[0].text == recipe
                    continue
                with pytest.raises(MCPError) as raised:
                    await client.read_resource(uri)
                refused = "there is no resource of that form" in raised.value.error.message
                assert refused == (not uri.startswith("arcrun://kb") or "page" not in names)
