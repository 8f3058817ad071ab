"""Recipes, pages and blocks as resources."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

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
