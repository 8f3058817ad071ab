"""Workflows that ask a model: by a recipe, by a prompt, by messages; what a run records of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from prompts import SEED_RECIPE, greet, push, read, template
from pushed_recipes import ChangingResponses, Upstream, post

from arcrun_server.accounts.keys import new_key
from arcrun_server.app import create_app
from arcrun_server.engine import compile_flow
from arcrun_server.settings import Settings
from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Api

DESIGN = Path(__file__).parent / "recipes" / "prompt"
SEED_WORKFLOW = yaml.safe_load((DESIGN / "wiki_synthesis_workflow.yaml").read_text("utf-8"))
SCHEMA_BLOCK = "7a4e456e-1b0f-406a-8842-5e01d1cf1eef"
SKILL_BLOCK = "85e3b81e-dca8-4131-bcdc-990bd0d3a16f"


@pytest.fixture
async def scripted(tmp_path: Path, nobody: Api) -> AsyncIterator[Api]:
    """An engine whose model answers from a script, called as one account."""

    answer = {
        "triplets": [["Mira", "is", "a character"]],
        "entities": ["Mira"],
        "paragraphs": ["段落一", "段落二"],
        "source_summary": "s",
        "page_name": "not this page",
    }
    fenced = f"```json\n{json.dumps(answer, ensure_ascii=False)}\n```"
    replies = [
        {"contains": ["Answer in JSON", "can't be used"], "reply": '{"title": "t"}'},
        {"contains": ["Answer in JSON"], "reply": "Here it is"},
        {"contains": ["never JSON"], "reply": "No."},
        {"contains": ["wiki writer"], "reply": fenced},
        {"contains": ["Greet 小明"], "reply": "Hi 小明"},
    ]
    script = tmp_path / "replies.yaml"
    script.write_text(yaml.safe_dump(replies, allow_unicode=True), "utf-8")
    store = Store(tmp_path / "scripted")
    app = create_app(Settings(data_dir=tmp_path / "scripted", dev=True, llm_script=script), store)
    transport = httpx.ASGITransport(app=app)
    key = new_key()
    store.accounts.create(key)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield replace(nobody, app=app, client=client, store=store, key=key)
    store.close()


async def ask(api: Api, **config: Any) -> Any:
    """Run a workflow of one node and return the response."""
    graph = compile_flow(["input >> 完成後 >> ask"], {"ask": {"component": "claude_api", **config}})
    response = await api("POST", "/execute", json={"graph": graph, "context": {"name": "小明"}})
    return response.json()


async def test_the_design_s_recipe_and_workflow_write_three_pages(scripted: Api) -> None:
    await push(scripted, SEED_RECIPE)
    await template(scripted, "You are a wiki writer.", "mira-wiki-schema", id=SCHEMA_BLOCK)
    skill = "Drafts: {{drafts}}\nKnown: {{existing_entities}}\nWrite about {{entity_name}}."
    await template(scripted, skill, "source-skill-wiki-synthesis", id=SKILL_BLOCK)
    index = {"page_name": "mira-wiki-index-stale", "content": "- Mira\n- 河道\n- KBDB"}
    await post(scripted, "/kbdb/blocks", index, 201)
    for entity in ("Mira", "河道", "KBDB"):
        draft = {"page_name": entity, "content": f"Draft of {entity}: {{{{schema}}}}"}
        await post(scripted, "/kbdb/blocks", draft, 201)
    graph = compile_flow(SEED_WORKFLOW["flow"], SEED_WORKFLOW["config"])
    graph |= {"id": "wiki_synthesis", "name": "wiki_synthesis"}
    workflow = {"name": "wiki_synthesis", "graph": graph, "description": "wiki"}
    await post(scripted, "/webhooks/named", workflow, 201)
    await post(scripted, "/credentials", {"name": "mira_token", "value": "tok"}, 200)

    # The recipe as the design has it reads entities that no node of its workflow provides.
    run = await scripted("POST", "/webhooks/named/wiki_synthesis/trigger", json={})
    assert run.status_code == 500
    assert (
        "'existing_entities' has no value: there is nothing at 'ctx.read_entities.blocks'"
        in run.text
    )

    # The recipe that is shipped has a default for them, and names the templates by their pages.
    gone = await scripted("DELETE", "/prompt-recipes/wiki_synthesis?force=true")
    assert gone.status_code == 200
    run = await scripted("POST", "/webhooks/named/wiki_synthesis/trigger", json={})
    assert run.status_code == 200, run.text
    for entity in ("Mira", "河道", "KBDB"):
        page = await read(scripted, f"/kbdb/blocks?page_name=wiki_synthesis/{entity}")
        assert [block["content"] for block in page["blocks"]] == ["段落一", "段落二"]


async def test_a_run_records_the_recipe_s_version_and_its_fragments(scripted: Api) -> None:
    block = await template(scripted, "Greet {{who}}")
    fragments = [{"var": "f", "source": "kbdb_block", "block_id": block}]
    await push(scripted, greet("{{f}}", fragments=fragments, model="opus"))
    data = (await ask(scripted, recipe="prompt_recipe:greet"))["data"]
    assert (data["success"], data["text"]) == (True, "Hi 小明")
    record = data["llm"]
    assert isinstance(record.pop("duration_ms"), int)
    assert record == {
        "provider": "scripted",
        "model": "claude-opus-5-5",
        "recipe": "prompt_recipe:greet",
        "version": 1,
        "fragments": [{"var": "f", "blocks": [{"block_id": block, "version": 1}]}],
    }


async def test_a_run_keeps_the_version_that_it_began_with(scripted: Api) -> None:
    """After the first element's answer, while the next node waits for its own, the recipe is changed."""
    await push(scripted, greet("Greet {{who}}"))
    upstream = Upstream()
    upstream.responses = ChangingResponses(lambda: push(scripted, greet("Hey")), [(200, {})])
    config = {
        "ask": {"component": "claude_api", "recipe": "greet"},
        "tell": {"component": "http_request", "url": upstream.url},
    }
    graph = compile_flow(["input >> 對每個 >> ask", "ask >> 完成後 >> tell"], config)
    body = {"graph": graph, "context": {"name": "小明", "items": ["a", "b"]}}
    answer = (await scripted("POST", "/execute", json=body)).json()
    upstream.close()
    asked = [one["output"] for one in answer["trace"] if one["nodeId"] == "ask"]
    assert [(one["text"], one["llm"]["version"]) for one in asked] == [("Hi 小明", 1)] * 2
    newest = (await read(scripted, "/prompt-recipes/greet"))["recipe"]
    assert newest["version"] == 2


async def test_a_prompt_without_a_recipe_goes_the_same_way(scripted: Api) -> None:
    data = (await ask(scripted, prompt="Greet {{input.name}}", system="\\{{x}}"))["data"]
    assert data["text"] == "Hi 小明"


async def test_an_answer_that_does_not_fit_is_repaired_as_often_as_the_recipe_says(
    scripted: Api,
) -> None:
    output = {"format": "json", "required_fields": ["title"], "repair": 1}
    await push(scripted, greet("Answer in JSON", output=output))
    data = (await ask(scripted, recipe="greet"))["data"]
    assert (data["title"], data["llm"]["repairs"]) == ("t", 1)
    await push(scripted, greet("never JSON", output=output))
    failed = await ask(scripted, recipe="greet")
    assert failed["data"]["raw_text"] == "No."
    assert "the answer is not JSON" in failed["data"]["error"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "give one of `recipe`, `prompt` and `messages`"),
        ({"recipe": "greet", "prompt": "x"}, "give one of `recipe`, `prompt` and `messages`"),
        ({"recipe": "Greet!"}, "`recipe` is no prompt recipe"),
        ({"recipe": "great"}, "no prompt recipe 'great' in this account; did you mean 'greet'?"),
        ({"recipe": "greet@9"}, "the recipe 'greet' has no version 9"),
        ({"recipe": "greet", "system": "x"}, "`system` is the recipe's own"),
        ({"prompt": "unknown"}, "none of the 5 replies in the script fits"),
        ({"messages": []}, "`messages` is empty"),
        ({"prompt": "Greet {{input.nmae}}"}, "`prompt`: {{input.nmae}} has no value"),
        ({"prompt": "Greet 小明", "system": "{{x.y}}"}, "`system`: {{x.y}} has no value"),
        ({"recipe": "greet", "model": "{{input.m}}"}, "`model`: {{input.m}} has no value"),
        (
            {"messages": [{"role": "user", "content": "Greet 小明 {{x}}"}]},
            "`messages`: {{x}} has no value",
        ),
        (
            {"messages": [{"role": "user", "content": "Greet 小明", "cache_control": {}}]},
            "`messages[0]` has a field 'cache_control'",
        ),
        ({"prompt": "Greet 小明", "max_token": 5}, "did you mean 'max_tokens'?"),
        ({"prompt": "Greet 小明", "modle": "opus"}, "did you mean 'model'?"),
        ({"prompt": "Greet 小明", "sytem": "x"}, "did you mean 'system'?"),
        (
            {"messages": [{"role": "system", "content": "x"}]},
            "`messages[0].role` must be user or assistant",
        ),
    ],
)
async def test_what_a_node_can_not_ask(scripted: Api, config: dict[str, Any], message: str) -> None:
    await push(scripted, greet())
    failed = await ask(scripted, **config)
    assert failed["success"] is False
    assert message in failed["error"]


async def test_without_a_provider_a_node_says_how_to_configure_one(alice: Api) -> None:
    failed = await ask(alice, prompt="x")
    assert "no language model is configured: set ARCRUN_SERVER_LLM" in failed["error"]
