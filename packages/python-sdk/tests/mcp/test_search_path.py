"""An agent that knows the tools' descriptions and a task finds the components of the design, and what they take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.release.example import design

ROOT = Path(__file__).parents[4]
TASK = "Read a page of the knowledge base, ask a language model with a recipe, and write its texts."
CONTAINERS = ("kbdb_get", "claude_api", "kbdb_ingest")


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_each_step_is_named_by_an_answer_before_it(
    account: Any, connect: Any, transport: str
) -> None:
    async with connect(transport, account) as client:
        answers = [TASK, (await client.list_tools()).model_dump_json()]

        async def call(tool: str, named: tuple[str, ...] = (), **arguments: Any) -> Any:
            """Call a tool whose name, and the names in whose arguments, stand in an answer before."""
            for name in (tool, *named):
                assert any(name in answer for answer in answers), name
            found = await client.call_tool(tool, arguments)
            answers.append("".join(part.text for part in found.content))
            assert not found.is_error, answers[-1]
            return found.structured_content

        assert "start here" in answers[1]
        found = await call("component_search", (TASK,), query=TASK)
        ids = [each["canonical_id"] for each in found["results"]]
        assert set(CONTAINERS) <= set(ids)
        examples = {}
        for name in CONTAINERS:
            shown = await call("component_get", (name,), id=name)
            examples[name] = {"component": name, **shown["config_example"]}
            assert shown["input_schema"]["properties"].keys() >= shown["config_example"].keys()
        # `component`, `flow` and `config` stand in the description of workflow_push.
        seeds = design.seeds(ROOT)
        reference = examples["claude_api"]["recipe"].partition("@")[0]
        recipe = yaml.safe_load(seeds.with_default) | {"id": reference}
        for block in (*design.TEMPLATES, design.INDEX, *map(design.draft, design.ENTITIES)):
            rest = {key: block[key] for key in ("page_name", "content", "type") if key in block}
            stored = await call("kb_put", **rest)
            if block in design.TEMPLATES:
                fragment = design.TEMPLATES.index(block)
                recipe["fragments"][fragment]["block_id"] = stored["id"]
        pushed = await call("prompt_recipe_push", (reference,), recipe=json.dumps(recipe))
        workflow = {
            "name": pushed["name"],
            "flow": yaml.safe_load(seeds.workflow.read_text("utf-8"))["flow"],
            "config": {
                "read_stale": {**examples["kbdb_get"], "page_name": design.INDEX["page_name"]},
                "read_drafts": examples["kbdb_get"],
                "synthesize": {**examples["claude_api"], "recipe": reference},
                "write_wiki": examples["kbdb_ingest"],
            },
        }
        stored = await call("workflow_push", CONTAINERS, workflow=json.dumps(workflow))
        assert stored["warnings"] == []
        ended = await call("workflow_run", (stored["name"],), name=stored["name"])
        assert ended["status"] == "succeeded"
        shown = await call("run_get", (ended["run_id"],), run_id=ended["run_id"])
        assert shown["status"] == "succeeded"
        for entity in design.ENTITIES:
            page = f"{pushed['name']}/{entity}"
            written = await call("kb_get", (page,), page_name=page)
            assert written["content"] == "\n\n".join(design.paragraphs(entity))
