"""Prompt recipes over HTTP: pushed, rendered, tested, labelled, and run by a workflow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from pushed_recipes import post

from arcrun_server.accounts.keys import new_key
from arcrun_server.app import create_app
from arcrun_server.engine import compile_flow
from arcrun_server.settings import Settings
from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Api

DESIGN = Path(__file__).parent / "recipes" / "prompt"
SEED_RECIPE = (DESIGN / "wiki_synthesis.yaml").read_text("utf-8")
SEED_WORKFLOW = yaml.safe_load((DESIGN / "wiki_synthesis_workflow.yaml").read_text("utf-8"))
SCHEMA_BLOCK = "7a4e456e-1b0f-406a-8842-5e01d1cf1eef"
SKILL_BLOCK = "85e3b81e-dca8-4131-bcdc-990bd0d3a16f"


def greet(user: str = "Greet {{who}}.", **more: Any) -> dict[str, Any]:
    return {
        "name": "greet",
        "inputs": [{"var": "who", "from": "input.name"}],
        "prompt_assembly": {"user": user},
        **more,
    }


async def get(api: Api, path: str, status: int = 200) -> Any:
    response = await api("GET", path)
    assert response.status_code == status, response.text
    return response.json()


async def push(api: Api, recipe: Any, status: int = 201, **more: Any) -> Any:
    return await post(api, "/prompt-recipes", {"recipe": recipe, **more}, status)


async def template(api: Api, content: str, page_name: str = "templates", **more: Any) -> str:
    body = {"page_name": page_name, "content": content, "type": "template", **more}
    return str((await post(api, "/kbdb/blocks", body, 201))["block"]["id"])


async def test_the_bytes_that_were_pushed_come_back(alice: Api) -> None:
    pushed = await push(alice, SEED_RECIPE, message="first")
    assert pushed["recipe"]["version"] == 1
    got = (await get(alice, "/prompt-recipes/wiki_synthesis"))["recipe"]
    assert got["source"] == SEED_RECIPE
    assert got["recipe"] == yaml.safe_load(SEED_RECIPE)
    assert (got["id"], got["version"], got["message"]) == (
        "prompt_recipe:wiki_synthesis",
        1,
        "first",
    )
    assert got["labels"] == {}


async def test_a_recipe_is_pushed_as_an_object_too(alice: Api) -> None:
    await push(alice, greet())
    got = (await get(alice, "/prompt-recipes/greet"))["recipe"]
    assert got["recipe"] == greet()
    assert "source" not in got


async def test_every_push_makes_a_version_that_stays(alice: Api) -> None:
    assert (await push(alice, greet("One {{who}}"), message="why"))["recipe"]["version"] == 1
    assert (await push(alice, greet("Two {{who}}")))["recipe"]["version"] == 2
    assert (await push(alice, greet("Two {{who}}")))["recipe"]["version"] == 3
    first = (await get(alice, "/prompt-recipes/greet?version=1"))["recipe"]
    assert first["recipe"]["prompt_assembly"]["user"] == "One {{who}}"
    versions = await get(alice, "/prompt-recipes/greet/versions?limit=2")
    assert [one["version"] for one in versions["versions"]] == [3, 2]
    rest = await get(
        alice, f"/prompt-recipes/greet/versions?limit=2&cursor={versions['next_cursor']}"
    )
    assert [(one["version"], one["message"]) for one in rest["versions"]] == [(1, "why")]
    assert versions["count"] == 3


async def test_a_push_under_an_idempotency_key_makes_one_version(alice: Api) -> None:
    for _ in range(2):
        response = await alice(
            "POST",
            "/prompt-recipes",
            json={"recipe": greet()},
            headers={"Idempotency-Key": "one"},
        )
        assert (response.status_code, response.json()["recipe"]["version"]) == (201, 1)
    assert (await get(alice, "/prompt-recipes/greet/versions"))["count"] == 1


async def test_a_lost_update_is_refused(alice: Api) -> None:
    assert (await push(alice, greet(), expected_version=0))["recipe"]["version"] == 1
    refused = await push(alice, greet(), 409, expected_version=0)
    assert (refused["code"], refused["newest_version"]) == ("version_conflict", 1)
    assert (await push(alice, greet(), expected_version=1))["recipe"]["version"] == 2
    await push(alice, greet(), 409, expected_version=1)
    other = {**greet(), "name": "other"}
    assert (await push(alice, other, 409, expected_version=4))["newest_version"] == 0
    assert (await get(alice, "/prompt-recipes"))["count"] == 1


async def test_lists_show_names_versions_and_descriptions_page_by_page(alice: Api) -> None:
    for name in ("b", "a", "c"):
        await push(alice, {**greet(), "name": name, "description": f"說明 {name}"})
    await push(alice, {**greet(), "name": "a", "description": "newer"})
    page = await get(alice, "/prompt-recipes?limit=2")
    assert page["recipes"] == [
        {"name": "a", "version": 2, "description": "newer"},
        {"name": "b", "version": 1, "description": "說明 b"},
    ]
    rest = await get(alice, f"/prompt-recipes?limit=2&cursor={page['next_cursor']}")
    assert [one["name"] for one in rest["recipes"]] == ["c"]
    assert page["count"] == 3


async def test_recipes_are_private_to_their_account(alice: Api, bob: Api, nobody: Api) -> None:
    await push(alice, greet())
    assert (await get(bob, "/prompt-recipes"))["recipes"] == []
    await get(bob, "/prompt-recipes/greet", 404)
    await post(bob, "/prompt-recipes/greet/render", {"inputs": {"who": "x"}}, 404)
    assert (await bob("DELETE", "/prompt-recipes/greet")).status_code == 404
    await get(bob, "/prompt-recipes/greet/versions", 404)
    assert (await nobody("GET", "/prompt-recipes")).status_code == 401
    await get(alice, "/prompt-recipes/greet")


async def test_what_is_wrong_is_said_with_line_column_and_the_nearest_name(alice: Api) -> None:
    text = SEED_RECIPE.replace("json_array", "json_aray")
    refused = await push(alice, text, 400)
    assert refused["code"] == "invalid_recipe"
    assert refused["error"].startswith("line 21, column 16: there is no transform 'json_aray'")
    assert refused["error"].endswith("did you mean 'json_array'?")
    (detail,) = refused["details"]
    assert (detail["line"], detail["column"], detail["suggestion"]) == (21, 16, "json_array")
    assert (await get(alice, "/prompt-recipes"))["count"] == 0


async def test_a_schema_that_is_none_is_refused(alice: Api) -> None:
    recipe = greet(output={"format": "json", "schema": {"type": "objekt"}})
    refused = await push(alice, recipe, 400)
    assert "output.schema: this is not a valid JSON Schema" in refused["error"]


async def test_unknown_names_suggest_what_there_is(alice: Api) -> None:
    await push(alice, greet())
    assert "did you mean 'greet'?" in (await get(alice, "/prompt-recipes/great", 404))["error"]
    missing = await get(alice, "/prompt-recipes/greet?version=7", 404)
    assert missing["error"] == "the recipe 'greet' has no version 7; its newest version is 1"
    missing = await get(alice, "/prompt-recipes/greet?label=staging", 404)
    assert missing["error"] == "the recipe 'greet' has no label 'staging'; its newest version is 1"


async def test_render_shows_messages_and_where_they_are_from(alice: Api) -> None:
    block = await template(alice, "Be kind.")
    recipe = greet(fragments=[{"var": "tone", "source": "kbdb_block", "block_id": block}])
    recipe["prompt_assembly"]["system"] = "{{tone}}"
    await push(alice, recipe)
    shown = await post(
        alice, "/prompt-recipes/greet/render", {"context": {"name": "小明 {{tone}}"}}
    )
    assert [(one["role"], one["content"]) for one in shown["messages"]] == [
        ("system", "Be kind."),
        ("user", "Greet 小明 {{tone}}."),
    ]
    fragment = shown["messages"][0]["ranges"][0]["origin"]
    assert (fragment["kind"], fragment["blocks"]) == (
        "fragment",
        [{"block_id": block, "version": 1}],
    )
    assert [one["origin"]["kind"] for one in shown["messages"][1]["ranges"]] == [
        "template",
        "value",
        "template",
    ]
    assert (shown["recipe"], shown["version"]) == ("prompt_recipe:greet", 1)
    # "Be kind." and "Greet  {{tone}}." have 8 and 16 ASCII characters, 小明 are two others.
    assert shown["estimated_tokens"] == 2 + 4 + 2


async def test_render_takes_a_recipe_that_is_not_stored(alice: Api) -> None:
    body = {"recipe": greet("Hello {{who}}"), "inputs": {"who": "小明"}}
    shown = await post(alice, "/prompt-recipes/greet/render", body)
    assert (shown["messages"][0]["content"], shown["version"]) == ("Hello 小明", None)
    await get(alice, "/prompt-recipes/greet", 404)


async def test_a_missing_value_is_an_error_that_names_it(alice: Api) -> None:
    await push(alice, greet())
    refused = await post(alice, "/prompt-recipes/greet/render", {"context": {"nme": "x"}}, 422)
    assert refused["code"] == "missing_value"
    assert "'who' has no value: there is nothing at 'input.name'" in refused["error"]


async def test_only_templates_may_be_part_of_a_prompt(alice: Api) -> None:
    block = (await post(alice, "/kbdb/blocks", {"page_name": "p", "content": "x"}, 201))["block"]
    pushed = await push(
        alice,
        greet("{{f}}", fragments=[{"var": "f", "source": "kbdb_block", "block_id": block["id"]}]),
    )
    assert "is no template" in pushed["warnings"][0]
    refused = await post(alice, "/prompt-recipes/greet/render", {}, 422)
    assert (refused["code"], "is no template" in refused["error"]) == ("missing_fragment", True)


async def test_a_pinned_fragment_stays_as_it_was(alice: Api) -> None:
    block = await template(alice, "old")
    for name, pin in (("pinned", True), ("newest", False)):
        fragments = [{"var": "f", "source": "kbdb_block", "block_id": block, "pin": pin}]
        await push(
            alice, {"name": name, "fragments": fragments, "prompt_assembly": {"user": "{{f}}"}}
        )
    changed = await alice("PATCH", f"/kbdb/blocks/{block}", json={"content": "new"})
    assert changed.status_code == 200
    for name, text, version in (("pinned", "old", 1), ("newest", "new", 2)):
        message = (await post(alice, f"/prompt-recipes/{name}/render", {}))["messages"][0]
        assert message["content"] == text
        origin = message["ranges"][0]["origin"]
        assert origin["blocks"] == [{"block_id": block, "version": version}]


async def test_a_page_gives_all_its_templates_and_nothing_else(alice: Api) -> None:
    await template(alice, "one", "style")
    await post(alice, "/kbdb/blocks", {"page_name": "style", "content": "a model's words"}, 201)
    await template(alice, "two", "style")
    fragments = [{"var": "f", "source": "kbdb_block", "block_page_name": "style"}]
    await push(alice, {"name": "r", "fragments": fragments, "prompt_assembly": {"user": "{{f}}"}})
    shown = await post(alice, "/prompt-recipes/r/render", {})
    assert shown["messages"][0]["content"] == "one\n\ntwo"


async def test_texts_that_are_given_need_not_be_stored(alice: Api) -> None:
    fragments = [{"var": "f", "source": "kbdb_block", "block_id": "nowhere"}]
    tests = [{"name": "given", "fragments": {"f": "x"}, "expect": {"messages": {"user": "x"}}}]
    recipe = {
        "name": "r",
        "fragments": fragments,
        "prompt_assembly": {"user": "{{f}}"},
        "tests": tests,
    }
    await push(alice, recipe)
    shown = await post(alice, "/prompt-recipes/r/render", {"fragments": {"f": "given"}})
    assert shown["messages"][0]["content"] == "given"
    assert (await post(alice, "/prompt-recipes/r/test", {}))["passed"] is True
    await post(alice, "/prompt-recipes/r/render", {}, 422)


async def test_recipes_that_hold_each_other_are_an_error_that_names_the_cycle(alice: Api) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        fragments = [{"var": "f", "source": "recipe", "recipe": other}]
        await push(
            alice, {"name": name, "fragments": fragments, "prompt_assembly": {"user": "{{f}}"}}
        )
    refused = await post(alice, "/prompt-recipes/a/render", {}, 422)
    assert "the recipes hold each other: a → b → a" in refused["error"]


async def test_a_label_chooses_the_version_and_moves_back(alice: Api) -> None:
    for text in ("One", "Two"):
        await push(alice, {"name": "r", "prompt_assembly": {"user": text}})

    async def content(query: str = "") -> str:
        shown = await post(alice, f"/prompt-recipes/r/render{query}", {})
        return str(shown["messages"][0]["content"])

    assert await content() == "Two"
    for version, text in ((1, "One"), (2, "Two"), (1, "One")):
        moved = await alice("PUT", "/prompt-recipes/r/labels/production", json={"version": version})
        assert moved.status_code == 200, moved.text
        assert await content() == text
    assert await content("?version=2") == "Two"
    await alice("PUT", "/prompt-recipes/r/labels/staging", json={"version": 2})
    assert await content("?label=staging") == "Two"
    assert (await alice("DELETE", "/prompt-recipes/r/labels/production")).status_code == 200
    assert await content() == "Two"
    assert (await alice("DELETE", "/prompt-recipes/r/labels/production")).status_code == 404
    missing = await alice("PUT", "/prompt-recipes/r/labels/staging", json={"version": 9})
    assert missing.status_code == 404


async def test_tests_are_run_and_guard_a_label(alice: Api) -> None:
    def with_test(user: str) -> dict[str, Any]:
        test = {
            "name": "says hello",
            "inputs": {"who": "小明"},
            "expect": {"contains": ["Hello 小明"]},
        }
        return greet(user, tests=[test])

    await push(alice, with_test("Hello {{who}}"))
    await push(alice, with_test("Bye {{who}}"))
    assert (await post(alice, "/prompt-recipes/greet/test?version=1", {}))["passed"] is True
    outcome = await post(alice, "/prompt-recipes/greet/test", {})
    assert outcome["passed"] is False
    assert outcome["tests"] == [
        {"name": "says hello", "passed": False, "failures": ["no message holds 'Hello 小明'"]}
    ]
    label = "/prompt-recipes/greet/labels/production"
    moved = await alice("PUT", label, json={"version": 1, "requires_tests": True})
    assert moved.status_code == 200
    refused = await alice("PUT", label, json={"version": 2})
    assert (refused.status_code, refused.json()["code"]) == (409, "tests_failed")
    assert "'says hello' fails: no message holds" in refused.json()["error"]
    assert (await get(alice, "/prompt-recipes/greet"))["recipe"]["version"] == 1


async def test_a_recipe_that_workflows_name_is_deleted_only_by_force(alice: Api, bob: Api) -> None:
    for api in (alice, bob):
        await push(api, greet())
    for name, recipe in (("one", "prompt_recipe:greet@3"), ("two", "greet"), ("no", "greeting")):
        graph = compile_flow(
            ["input >> 完成後 >> a"], {"a": {"component": "claude_api", "recipe": recipe}}
        )
        body = {"name": name, "graph": graph, "description": "greet"}
        await post(alice, "/webhooks/named", body, 201)
    refused = await alice("DELETE", "/prompt-recipes/greet")
    assert (refused.status_code, refused.json()["code"]) == (409, "recipe_in_use")
    assert [one["path"] for one in refused.json()["details"]] == ["one", "two"]
    assert (await bob("DELETE", "/prompt-recipes/greet")).status_code == 200
    await get(alice, "/prompt-recipes/greet")
    assert (await alice("DELETE", "/prompt-recipes/greet?force=true")).status_code == 200
    await get(alice, "/prompt-recipes/greet", 404)


async def test_two_versions_are_compared_line_by_line(alice: Api) -> None:
    text = "name: r\nprompt_assembly:\n  user: {}\n"
    for word in ("One", "Two"):
        await push(alice, text.format(word))
    compared = await get(alice, "/prompt-recipes/r/diff?from=1&to=2")
    assert compared["diff"].splitlines() == [
        "--- prompt_recipe:r@1",
        "+++ prompt_recipe:r@2",
        "@@ -1,3 +1,3 @@",
        " name: r",
        " prompt_assembly:",
        "-  user: One",
        "+  user: Two",
    ]
    assert (await get(alice, "/prompt-recipes/r/diff?from=1"))["to"] == 2
    assert (await get(alice, "/prompt-recipes/r/diff?from=2"))["diff"] == ""
    await get(alice, "/prompt-recipes/r/diff?from=3", 404)
    await get(alice, "/prompt-recipes/r/diff?from=0", 400)
    await get(alice, "/prompt-recipes/r/diff", 400)


async def test_a_deleted_recipe_is_gone_with_its_labels(alice: Api) -> None:
    await push(alice, greet())
    await alice("PUT", "/prompt-recipes/greet/labels/production", json={"version": 1})
    assert (await alice("DELETE", "/prompt-recipes/greet")).status_code == 200
    await get(alice, "/prompt-recipes/greet", 404)
    assert (await alice("DELETE", "/prompt-recipes/greet")).status_code == 404
    await push(alice, greet())
    assert (await get(alice, "/prompt-recipes/greet"))["recipe"]["labels"] == {}


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

    with_default = SEED_RECIPE.replace(
        'transform: "extract_field:page_name"',
        'default: []\n    transform: "extract_field:page_name"',
    )
    await push(scripted, with_default)
    run = await scripted("POST", "/webhooks/named/wiki_synthesis/trigger", json={})
    assert run.status_code == 200, run.text
    for entity in ("Mira", "河道", "KBDB"):
        page = await get(scripted, f"/kbdb/blocks?page_name=wiki_synthesis/{entity}")
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


async def test_a_prompt_without_a_recipe_goes_the_same_way(scripted: Api) -> None:
    data = (await ask(scripted, prompt="Greet {{input.name}}", system="{{x}}"))["data"]
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
