"""The design's recipe and workflow, to the letter, through an MCP client alone, on each transport."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arcrun import Arcrun
from scripts.release.example import design

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_the_design_writes_three_pages(account: Any, connect: Any, transport: str) -> None:
    seeds = design.seeds(ROOT)
    with Arcrun(account.key, base_url=account.url) as engine:
        engine.creds.push("mira_token", "secret-canary-0123456789")  # secrets pass through no tool
    answers: list[str] = []
    async with connect(transport, account) as client:

        async def call(tool: str, **arguments: Any) -> dict[str, Any]:
            found = await client.call_tool(tool, arguments)
            answers.extend(part.text for part in found.content)
            assert not found.is_error, found.content
            result: dict[str, Any] = found.structured_content
            return result

        for block in (*design.TEMPLATES, design.INDEX, *map(design.draft, design.ENTITIES)):
            named = {"block_id": block["id"]} if "id" in block else {}
            rest = {name: block[name] for name in ("page_name", "content", "type") if name in block}
            await call("kb_put", **named, **rest)
        await call("workflow_push", workflow=seeds.workflow.read_text("utf-8"))
        pushed = await call("prompt_recipe_push", recipe=seeds.recipe.read_text("utf-8"))
        assert pushed["warnings"] == []
        # No node of the workflow reads the entities, so the run is given them.
        entities = {"read_entities": {"blocks": []}}
        ended = await call("workflow_run", name="wiki_synthesis", input=entities)
        assert ended["status"] == "succeeded"
        for entity in design.ENTITIES:
            written = await call("kb_get", page_name=f"wiki_synthesis/{entity}")
            assert written["content"] == "\n\n".join(design.paragraphs(entity))
        recipe = await client.read_resource("arcrun://recipes/prompt/wiki_synthesis")
        assert recipe.contents[0].text == seeds.recipe.read_text("utf-8")
        page = await client.read_resource("arcrun://kb/pages/mira-wiki-schema")
        assert page.contents[0].text == design.SYSTEM
    assert "canary" not in "".join(answers)
    assert account.key not in "".join(answers)
