"""Prompts that runs have recorded, and what another version of the recipe would have made of them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from prompts import greet, push, template
from pushed_recipes import post
from sqlalchemy import select

from arcrun_server.accounts.keys import new_key
from arcrun_server.app import create_app
from arcrun_server.components.registry import Registry
from arcrun_server.engine import compile_flow
from arcrun_server.llm.provider import Models
from arcrun_server.llm.scripted import ScriptedProvider
from arcrun_server.outbound import Outbound
from arcrun_server.recipes.backtest import MAX_DIFF
from arcrun_server.recipes.catalog import load_catalog
from arcrun_server.recipes.recorded_prompt import MAX_VALUES, RecordedPrompt
from arcrun_server.recipes.resolver import RecipeResolver
from arcrun_server.routes import prompt_recipes
from arcrun_server.runs.environment import AccountEnvironment
from arcrun_server.settings import Settings
from arcrun_server.store import Store
from arcrun_server.store.schema import recorded_prompts
from arcrun_server.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from conftest import Api

REPLIES = [
    {"contains": ["Answer in JSON", "Shout"], "reply": '{"title": "HI"}'},
    {"contains": ["Answer in JSON"], "reply": '{"title": "hi"}'},
    {"contains": ["Say nothing"], "reply": "not JSON"},
    {"contains": ["Greet"], "reply": "你好"},
]


@pytest.fixture
async def scripted(tmp_path: Path, nobody: Api) -> AsyncIterator[Api]:
    """An engine whose model answers from a script, called as one account."""
    script = tmp_path / "replies.yaml"
    script.write_text(yaml.safe_dump(REPLIES, allow_unicode=True), "utf-8")
    store = Store(tmp_path / "scripted")
    settings = Settings(data_dir=tmp_path / "scripted", dev=True, llm_script=script)
    app = create_app(settings, store)
    key = new_key()
    store.accounts.create(key)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://localhost"
        ) as client,
    ):
        yield replace(nobody, app=app, client=client, store=store, key=key)
    store.close()


async def run(api: Api, recipe: str = "greet", *, given: Any = None, **config: Any) -> Any:
    """Run a workflow of one node, which names the recipe."""
    node = {"component": "claude_api", "recipe": f"prompt_recipe:{recipe}", **config}
    graph = compile_flow(["input >> 完成後 >> ask"], {"ask": node})
    context = {"name": "小明"} if given is None else given
    return (await api("POST", "/execute", json={"graph": graph, "context": context})).json()


async def backtest(api: Api, query: str = "", status: int = 200, **body: Any) -> Any:
    return await post(api, f"/prompt-recipes/greet/backtest{query}", body, status)


async def test_a_new_version_is_compared_with_the_one_that_each_run_used(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted)
    await push(scripted, greet("Greet {{who}}!"))
    await run(scripted, given={"name": "大家"})

    result = await backtest(scripted)

    assert {name: result[name] for name in ("recipe", "version", "count")} == {
        "recipe": "prompt_recipe:greet",
        "version": 2,
        "count": 2,
    }
    assert [result[name] for name in ("changed", "unchanged", "failed", "skipped")] == [1, 1, 0, 0]
    newest, oldest = result["runs"]
    assert newest["version"] == 2
    assert newest["status"] == "unchanged"
    assert "messages" not in newest
    assert oldest["version"] == 1
    assert oldest["node"] == "ask"
    assert oldest["run_id"] is None
    assert oldest["messages"] == [
        {
            "role": "user",
            "diff": "--- prompt_recipe:greet@1\n+++ prompt_recipe:greet@2\n@@ -1 +1 @@\n-Greet 小明.\n+Greet 小明!\n",
        }
    ]
    assert oldest["truncated"] is False
    assert "usage" not in result


async def test_a_name_alone_stands_for_the_newest_version_also_beside_production(
    scripted: Api,
) -> None:
    await push(scripted, greet())
    await push(scripted, greet("Greet {{who}}!"))
    await scripted("PUT", "/prompt-recipes/greet/labels/production", json={"version": 1})
    await run(scripted)

    assert (await backtest(scripted))["version"] == 2
    assert (await backtest(scripted, "?label=production"))["version"] == 1
    assert (await backtest(scripted, "?version=1"))["changed"] == 0


async def test_a_recipe_that_is_not_stored_is_compared_and_stays_unstored(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted)

    result = await backtest(scripted, recipe=greet("Hello {{who}}."))

    assert result["version"] is None
    assert result["changed"] == 1
    assert "+++ prompt_recipe:greet (new)\n" in result["runs"][0]["messages"][0]["diff"]
    assert (await backtest(scripted))["version"] == 1
    assert (await backtest(scripted))["count"] == 1  # its own prompts are not recorded


async def test_a_message_that_is_new_or_gone_is_a_change(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted)
    candidate = greet()
    candidate["prompt_assembly"]["system"] = "Be kind."

    (shown,) = (await backtest(scripted, recipe=candidate))["runs"]

    assert [one["role"] for one in shown["messages"]] == ["system"]
    assert "+Be kind.\n" in shown["messages"][0]["diff"]


async def test_values_are_those_at_the_candidate_s_paths(scripted: Api) -> None:
    recipe = greet()
    recipe["inputs"] = [{"var": "who", "from": "input.person"}]
    await push(scripted, {**recipe, "prompt_assembly": {"user": "Greet {{who}}."}})
    await run(scripted, given={"person": {"name": "小明", "title": "老師"}})
    deeper = greet("Greet {{name}}.")
    deeper["inputs"] = [{"var": "name", "from": "input.person.title"}]

    (shown,) = (await backtest(scripted, recipe=deeper))["runs"]

    assert "+Greet 老師.\n" in shown["messages"][0]["diff"]


async def test_an_input_that_was_not_recorded_fails_that_run_by_name(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted)
    candidate = greet("Greet {{who}} {{tone}}.")
    candidate["inputs"] = [*candidate["inputs"], {"var": "tone", "from": "input.tone"}]

    result = await backtest(scripted, recipe=candidate)

    assert result["failed"] == 1
    assert result["runs"][0]["error"] == (
        "prompt_recipe:greet: the run recorded no value for 'tone': the version that it used has no input from "
        "'input.tone'. Give the input a `default` to backtest it"
    )
    candidate["inputs"][1]["default"] = "gently"
    (shown,) = (await backtest(scripted, recipe=candidate))["runs"]
    assert "+Greet 小明 gently.\n" in shown["messages"][0]["diff"]


async def test_a_path_that_led_nowhere_leads_nowhere_again(scripted: Api) -> None:
    recipe = greet()
    recipe["inputs"][0]["default"] = "all"
    await push(scripted, recipe)
    await run(scripted, given={"other": 1})
    recipe["inputs"][0]["default"] = "everybody"

    (shown,) = (await backtest(scripted, recipe=recipe))["runs"]

    assert "+Greet everybody.\n" in shown["messages"][0]["diff"]
    (shown,) = (await backtest(scripted, recipe=greet()))["runs"]
    assert shown["status"] == "failed"
    assert "there is nothing at 'input.name'" in shown["error"]


async def test_fragments_are_those_of_now_unless_they_are_pinned(scripted: Api) -> None:
    block = await template(scripted, "Be brief.")
    recipe = greet("{{style}} Greet {{who}}.")
    recipe["fragments"] = [{"var": "style", "source": "kbdb_block", "block_id": block}]
    pinned = json.loads(json.dumps(recipe))
    pinned["fragments"][0]["pin"] = True
    await push(scripted, pinned)
    await run(scripted)
    changed = {"content": "Be verbose."}
    await scripted("PATCH", f"/kbdb/blocks/{block}", json=changed)

    (shown,) = (await backtest(scripted, recipe=recipe))["runs"]

    assert "-Be brief. Greet 小明.\n" in shown["messages"][0]["diff"]
    assert "+Be verbose. Greet 小明.\n" in shown["messages"][0]["diff"]


async def test_a_version_whose_fragment_is_gone_is_skipped(scripted: Api) -> None:
    block = await template(scripted, "Be brief.")
    recipe = greet("{{style}} Greet {{who}}.")
    recipe["fragments"] = [{"var": "style", "source": "kbdb_block", "block_id": block}]
    await push(scripted, recipe)
    await run(scripted)
    await scripted("DELETE", f"/kbdb/blocks/{block}")

    result = await backtest(scripted, recipe=greet())

    assert result["skipped"] == 1
    assert "can't be assembled any more" in result["runs"][0]["error"]


async def test_credentials_of_the_node_are_in_no_record(scripted: Api) -> None:
    secret = "s3cret-mira-token"
    await post(scripted, "/credentials", {"name": "mira", "value": secret})
    await push(scripted, greet())
    name = f"小明 {secret}"
    await run(scripted, given={"name": name}, mira_token="{{secret.mira}}")

    (shown,) = (await backtest(scripted, recipe=greet("Hi {{who}}.")))["runs"]

    assert "+Hi 小明 [redacted].\n" in shown["messages"][0]["diff"]
    kept = scripted.store.database.read_now(
        lambda connection: connection.execute(select(recorded_prompts)).all()
    )
    assert len(kept) == 1
    assert secret not in str(kept)


async def test_values_that_are_too_large_are_not_kept(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted, given={"name": "長" * MAX_VALUES})

    result = await backtest(scripted)

    assert result["skipped"] == 1
    assert result["runs"][0]["error"] == "the values of its inputs were too large to be kept"


async def test_differences_are_bounded(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted, given={"name": "長" * MAX_DIFF})

    (shown,) = (await backtest(scripted, recipe=greet("Hi {{who}}")))["runs"]

    assert shown["truncated"] is True
    assert sum(len(one["diff"]) for one in shown["messages"]) == MAX_DIFF


async def test_with_call_the_candidate_s_answer_is_compared(scripted: Api) -> None:
    output = {"format": "json", "schema": {"type": "object", "required": ["title"]}}
    await push(scripted, greet("Answer in JSON. Greet {{who}}.", output=output))
    await run(scripted)

    candidate = greet("Answer in JSON. Shout at {{who}}.", output=output)
    result = await backtest(scripted, recipe=candidate, call=True)

    answer = result["runs"][0]["answer"]
    assert answer["status"] == "changed"
    assert answer["diff"] == (
        '--- recorded\n+++ new\n@@ -1,3 +1,3 @@\n {\n-  "title": "hi"\n+  "title": "HI"\n }\n'
    )
    assert answer["llm"]["provider"] == "scripted"
    assert result["usage"]["calls"] == 1
    same = greet("Answer in JSON. Greet {{who}}!", output=output)
    result = await backtest(scripted, recipe=same, call=True)
    assert result["runs"][0]["answer"]["status"] == "unchanged"


async def test_a_model_is_not_asked_what_it_was_asked_before(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted)

    result = await backtest(scripted, call=True)

    assert result["unchanged"] == 1
    assert "answer" not in result["runs"][0]
    assert "usage" not in result
    other_model = greet(model="opus")
    result = await backtest(scripted, recipe=other_model, call=True)
    assert result["runs"][0]["answer"]["status"] == "unchanged"
    assert result["usage"]["calls"] == 1


async def test_an_answer_that_does_not_fit_fails_that_run_only(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted)

    candidate = greet("Say nothing to {{who}}.", output={"format": "json"})
    result = await backtest(scripted, recipe=candidate, call=True)

    answer = result["runs"][0]["answer"]
    assert answer["status"] == "failed"
    assert "JSON" in answer["error"]
    nobody_answers = greet("Ask {{who}}.")
    result = await backtest(scripted, recipe=nobody_answers, call=True)
    assert result["runs"][0]["answer"]["status"] == "failed"


async def test_an_answer_with_which_none_was_recorded_is_unknown(scripted: Api) -> None:
    await push(scripted, greet("Ask {{who}}."))
    await run(scripted)  # no reply of the script fits

    result = await backtest(scripted, recipe=greet(), call=True)

    assert result["runs"][0]["answer"]["status"] == "unknown"
    assert "+你好\n" in result["runs"][0]["answer"]["diff"]


async def test_limits_of_runs_are_told(scripted: Api) -> None:
    await push(scripted, greet())
    for body in ({"runs": 0}, {"runs": 201}, {"runs": 21, "call": True}, {"run": 1}):
        problem = await backtest(scripted, status=400, **body)
        assert problem["code"] == "invalid_request"
    assert (
        "at most 20 with `call`"
        in (await backtest(scripted, status=400, runs=21, call=True))["error"]
    )
    await run(scripted)
    await run(scripted)
    assert (await backtest(scripted, runs=1))["count"] == 1


async def test_what_another_account_has_recorded_is_not_found(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted)
    key = new_key()
    scripted.store.accounts.create(key)
    other = replace(scripted, key=key)

    assert (await backtest(other, status=404))["code"] == "recipe_not_found"
    await push(other, greet())
    assert (await backtest(other))["count"] == 0


async def test_what_was_recorded_goes_with_the_recipe(scripted: Api) -> None:
    await push(scripted, greet())
    await run(scripted)
    await scripted("DELETE", "/prompt-recipes/greet?force=true")
    await push(scripted, greet("Other."))

    assert (await backtest(scripted))["count"] == 0


async def test_a_shipped_recipe_has_recorded_prompts_too(scripted: Api) -> None:
    await template(scripted, "You are a wiki writer.", "mira-wiki-schema")
    await template(scripted, "Greet {{entity_name}} {{drafts}}", "source-skill-wiki-synthesis")
    shipped = (await scripted("GET", "/prompt-recipes/wiki_synthesis")).json()["recipe"]["recipe"]
    context = {"read_drafts": {"blocks": []}, "loop": {"item": "Mira"}}
    ran = await run(scripted, "wiki_synthesis", given=context)
    await push(scripted, {**shipped, "model": "opus"})

    result = await post(scripted, "/prompt-recipes/wiki_synthesis/backtest", {}, 200)

    assert result["count"] == 1, ran
    assert result["runs"][0]["version"] == 0
    assert result["runs"][0]["status"] == "unchanged"


async def test_what_is_left_when_the_time_is_over_is_skipped(
    scripted: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_recipes, "BACKTEST_SECONDS", 0.0)
    await push(scripted, greet())
    await run(scripted)

    result = await backtest(scripted)

    assert result["skipped"] == 1
    assert result["runs"][0]["error"] == "the backtest has taken 0 seconds"


async def test_each_element_of_a_foreach_is_recorded_and_each_attempt_at_a_node_once(
    scripted: Api,
) -> None:
    await push(scripted, greet("Ask {{who}}.", inputs=[{"var": "who", "from": "loop.item"}]))
    retry = {"times": 2, "backoff_seconds": 0}
    node = {"component": "claude_api", "recipe": "greet", "retry": retry}
    graph = compile_flow(["input >> FOREACH xs >> ask"], {"ask": node})
    await scripted("POST", "/execute", json={"graph": graph, "context": {"xs": ["甲", "乙"]}})

    result = await backtest(scripted, recipe=greet(inputs=[{"var": "who", "from": "loop.item"}]))

    diffs = [one["messages"][0]["diff"] for one in result["runs"]]
    assert sorted("甲" in diff for diff in diffs) == [False, True]


async def test_a_recipe_in_a_recipe_is_assembled_from_recorded_values_too(scripted: Api) -> None:
    tone = {"name": "tone", "inputs": [{"var": "how", "from": "input.how"}]}
    await push(scripted, {**tone, "prompt_assembly": {"user": "Be {{how}}."}})
    recipe = greet("{{tone}} Greet {{who}}.")
    recipe["fragments"] = [{"var": "tone", "source": "recipe", "recipe": "prompt_recipe:tone"}]
    await push(scripted, recipe)
    await run(scripted, given={"name": "小明", "how": "kind"})
    recipe["prompt_assembly"] = {"user": "Greet {{who}}. {{tone}}"}

    (shown,) = (await backtest(scripted, recipe=recipe))["runs"]

    assert "-Be kind. Greet 小明.\n+Greet 小明. Be kind.\n" in shown["messages"][0]["diff"]


async def test_a_callback_s_answer_is_recorded_beside_its_prompt(scripted: Api) -> None:
    account = await scripted.store.accounts.of_key(scripted.key or "")
    assert account is not None
    await push(scripted, greet())
    inputs = '{"values": {"input.name": "小明"}, "missing": [], "node": {}}'
    prompt = RecordedPrompt("greet", 1, "ask", inputs)
    scripted.store.recorded_prompts.record(account, "r", "ask", prompt)
    await scripted.store.database.settle()
    outbound, workers = Outbound(development=True), WorkerPool()
    registry = Registry(outbound, workers, workers, ScriptedProvider([]), Models())
    recipes = RecipeResolver(outbound, load_catalog(), scripted.store, "")
    environment = AccountEnvironment(account, scripted.store, registry, recipes, run="r")
    pending = {"pending": True, "llm": {"recipe": "prompt_recipe:greet", "version": 1}}

    await environment.delivered("claude_api", "ask", pending, {"text": "你好"})

    result = await backtest(scripted, recipe=greet("Greet {{who}}!"), call=True)
    assert result["runs"][0]["answer"]["status"] == "unchanged"


async def test_an_account_asks_for_one_backtest_at_a_time(
    scripted: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key()
    scripted.store.accounts.create(key)
    other = replace(scripted, key=key)
    for api in (scripted, other):
        await push(api, greet())
        await run(api)
    asked: asyncio.Queue[str] = asyncio.Queue()
    answered, complete = asyncio.Event(), ScriptedProvider.complete

    async def wait_then_complete(self: Any, request: Any, secret: Any) -> Any:
        asked.put_nowait(str(request.messages))
        await answered.wait()
        return await complete(self, request, secret)

    monkeypatch.setattr(ScriptedProvider, "complete", wait_then_complete)
    first = asyncio.create_task(backtest(scripted, recipe=greet("Greet 1."), call=True))
    assert "Greet 1." in await asked.get()
    second = asyncio.create_task(backtest(scripted, recipe=greet("Greet 2."), call=True))
    theirs = asyncio.create_task(backtest(other, recipe=greet("Greet 3."), call=True))
    assert "Greet 3." in await asked.get()  # what came later has asked by now
    assert asked.empty()
    answered.set()
    results = await asyncio.gather(first, second, theirs)

    assert "Greet 2." in asked.get_nowait()
    assert [result["count"] for result in results] == [1, 1, 1]
