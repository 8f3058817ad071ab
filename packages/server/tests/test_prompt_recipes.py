"""Prompt recipes over HTTP: pushed, rendered, tested, labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from prompts import SEED_RECIPE, greet, push, read, template
from pushed_recipes import post

from arcrun_server.engine import compile_flow
from arcrun_server.recipes.versions import NewVersion

if TYPE_CHECKING:
    from conftest import Api


async def test_the_bytes_that_were_pushed_come_back(alice: Api) -> None:
    pushed = await push(alice, SEED_RECIPE, message="first")
    assert pushed["recipe"]["version"] == 1
    got = (await read(alice, "/prompt-recipes/wiki_synthesis"))["recipe"]
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
    got = (await read(alice, "/prompt-recipes/greet"))["recipe"]
    assert got["recipe"] == greet()
    assert "source" not in got


async def test_every_push_makes_a_version_that_stays(alice: Api) -> None:
    assert (await push(alice, greet("One {{who}}"), message="why"))["recipe"]["version"] == 1
    assert (await push(alice, greet("Two {{who}}")))["recipe"]["version"] == 2
    assert (await push(alice, greet("Two {{who}}")))["recipe"]["version"] == 3
    first = (await read(alice, "/prompt-recipes/greet?version=1"))["recipe"]
    assert first["recipe"]["prompt_assembly"]["user"] == "One {{who}}"
    versions = await read(alice, "/prompt-recipes/greet/versions?limit=2")
    assert [one["version"] for one in versions["versions"]] == [3, 2]
    rest = await read(
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
    assert (await read(alice, "/prompt-recipes/greet/versions"))["count"] == 1


async def test_a_lost_update_is_refused(alice: Api) -> None:
    assert (await push(alice, greet(), expected_version=0))["recipe"]["version"] == 1
    refused = await push(alice, greet(), 409, expected_version=0)
    assert (refused["code"], refused["newest_version"]) == ("version_conflict", 1)
    assert (await push(alice, greet(), expected_version=1))["recipe"]["version"] == 2
    await push(alice, greet(), 409, expected_version=1)
    other = {**greet(), "name": "other"}
    assert (await push(alice, other, 409, expected_version=4))["newest_version"] == 0
    assert await own_names(alice) == ["greet"]


async def own_names(api: Api) -> list[str]:
    """The names of the recipes that are not shipped."""
    listed = (await read(api, "/prompt-recipes"))["recipes"]
    return [recipe["name"] for recipe in listed if "shipped" not in recipe]


async def test_lists_show_names_versions_and_descriptions_page_by_page(alice: Api) -> None:
    for name in ("b", "a", "c"):
        await push(alice, {**greet(), "name": name, "description": f"說明 {name}"})
    await push(alice, {**greet(), "name": "a", "description": "newer"})
    page = await read(alice, "/prompt-recipes?limit=2")
    assert page["recipes"] == [
        {"name": "a", "version": 2, "description": "newer"},
        {"name": "b", "version": 1, "description": "說明 b"},
    ]
    rest = await read(alice, f"/prompt-recipes?limit=2&cursor={page['next_cursor']}")
    assert [one["name"] for one in rest["recipes"]] == ["c", "wiki_synthesis"]
    assert page["count"] == 4


async def test_recipes_are_private_to_their_account(alice: Api, bob: Api, nobody: Api) -> None:
    await push(alice, greet())
    assert await own_names(bob) == []
    await read(bob, "/prompt-recipes/greet", 404)
    await post(bob, "/prompt-recipes/greet/render", {"inputs": {"who": "x"}}, 404)
    assert (await bob("DELETE", "/prompt-recipes/greet")).status_code == 404
    await read(bob, "/prompt-recipes/greet/versions", 404)
    assert (await nobody("GET", "/prompt-recipes")).status_code == 401
    await read(alice, "/prompt-recipes/greet")


async def test_what_is_wrong_is_said_with_line_column_and_the_nearest_name(alice: Api) -> None:
    text = SEED_RECIPE.replace("json_array", "json_aray")
    refused = await push(alice, text, 400)
    assert refused["code"] == "invalid_recipe"
    assert refused["error"].startswith("line 21, column 16: there is no transform 'json_aray'")
    assert refused["error"].endswith("did you mean 'json_array'?")
    (detail,) = refused["details"]
    assert (detail["line"], detail["column"], detail["suggestion"]) == (21, 16, "json_array")
    assert await own_names(alice) == []


async def test_a_schema_that_is_none_is_refused(alice: Api) -> None:
    recipe = greet(output={"format": "json", "schema": {"type": "objekt"}})
    refused = await push(alice, recipe, 400)
    assert "output.schema: this is not a valid JSON Schema" in refused["error"]


async def test_unknown_names_suggest_what_there_is(alice: Api) -> None:
    await push(alice, greet())
    assert "did you mean 'greet'?" in (await read(alice, "/prompt-recipes/great", 404))["error"]
    missing = await read(alice, "/prompt-recipes/greet?version=7", 404)
    assert missing["error"] == "the recipe 'greet' has no version 7; its newest version is 1"
    missing = await read(alice, "/prompt-recipes/greet?label=staging", 404)
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
    await read(alice, "/prompt-recipes/greet", 404)


async def test_values_for_unknown_variables_are_refused_with_the_nearest_name(alice: Api) -> None:
    await alice("PUT", "/prompt-texts/tone", json={"text": "kind"})
    await push(alice, greet("{{who}} {{tone}}", fragments=[{"source": "kv", "key": "tone"}]))
    path = "/prompt-recipes/greet/render"
    refused = await post(alice, path, {"inputs": {"whoo": "x", "who": "y", "z": 1}}, 400)
    assert refused["code"] == "invalid_request"
    assert refused["error"] == (
        "inputs.whoo: this is no input of the recipe; did you mean 'who'? (and 1 more, see details)"
    )
    assert [(one["path"], one.get("suggestion")) for one in refused["details"]] == [
        ("inputs.whoo", "who"),
        ("inputs.z", None),
    ]
    refused = await post(alice, path, {"inputs": {"who": "x"}, "fragments": {"tune": "y"}}, 400)
    assert refused["details"] == [
        {
            "message": "this is no fragment of the recipe",
            "path": "fragments.tune",
            "suggestion": "tone",
        }
    ]
    many = {"recipe": greet(), "inputs": {f"v{number}": 1 for number in range(20_000)}}
    assert len((await post(alice, path, many, 400))["details"]) == 50
    await post(
        alice, path, {"inputs": {"who": "x"}, "fragments": {"tone": "y"}, "context": {"z": 1}}
    )


async def test_a_version_that_this_engine_can_not_read_is_an_error_that_says_why(
    alice: Api,
) -> None:
    account = await alice.store.accounts.of_key(alice.key or "")
    assert account is not None
    old = greet(inputs=[{"var": "who", "from": "ctx.names[0]"}])
    await alice.store.prompt_recipes.push(account, "greet", NewVersion(old))
    outer = {
        "name": "outer",
        "fragments": [{"var": "f", "source": "recipe", "recipe": "greet"}],
        "prompt_assembly": {"user": "{{f}}"},
    }
    assert "inputs[0].from: `from` is a path" in (await push(alice, outer))["warnings"][0]
    for path in ("greet/render", "greet/test", "outer/render"):
        refused = await post(alice, f"/prompt-recipes/{path}", {}, 422)
        assert refused["code"] == "invalid_recipe"
        assert "inputs[0].from: `from` is a path with dots" in refused["error"]


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


async def test_the_push_that_closes_a_cycle_warns_of_it(alice: Api) -> None:
    async def warnings(name: str, held: str) -> Any:
        fragments = [{"var": "f", "source": "recipe", "recipe": held}]
        recipe = {"name": name, "fragments": fragments, "prompt_assembly": {"user": "{{f}}"}}
        return (await push(alice, recipe))["warnings"]

    await push(alice, {"name": "a", "prompt_assembly": {"user": "x"}})
    assert await warnings("b", "a") == []
    assert await warnings("c", "b") == []
    assert await warnings("a", "c") == ["the recipes hold each other: a → c → b → a"]
    assert await warnings("d", "d") == ["the recipes hold each other: d → d"]


async def test_what_nothing_uses_is_warned_of_with_fragments_too(alice: Api) -> None:
    for key, text in (
        ("one", "{{by_fragment}}{{two}}"),
        ("two", "{{by_two}}"),
        ("lone", "{{lost}}"),
    ):
        await alice("PUT", f"/prompt-texts/{key}", json={"text": text})
    inputs = [
        {"var": var, "from": "ctx.a"} for var in ("own", "by_fragment", "by_two", "lost", "unused")
    ]
    fragments = [{"source": "kv", "key": key} for key in ("one", "two", "lone")]
    recipe = {
        "name": "r",
        "fragments": fragments,
        "inputs": inputs,
        "prompt_assembly": {"user": "{{own}}{{one}}"},
    }
    assert (await push(alice, recipe))["warnings"] == [
        "fragments[2].var: nothing uses the fragment 'lone'",
        "inputs[3].var: nothing uses the input 'lost'",
        "inputs[4].var: nothing uses the input 'unused'",
    ]
    await alice("DELETE", "/prompt-texts/two")  # which might use any of them
    (warning,) = (await push(alice, recipe))["warnings"]
    assert "there is no text 'two'" in warning


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
    await read(alice, "/prompt-recipes/greet")
    assert (await alice("DELETE", "/prompt-recipes/greet?force=true")).status_code == 200
    await read(alice, "/prompt-recipes/greet", 404)


async def test_only_a_node_s_recipe_counts_as_a_name(alice: Api) -> None:
    await push(alice, greet())
    config = {"a": {"component": "set", "values": {"text": '"recipe":"greet"', "name": "greet"}}}
    body = {
        "name": "other",
        "graph": compile_flow(["input >> 完成後 >> a"], config),
        "description": "d",
    }
    await post(alice, "/webhooks/named", body, 201)
    assert (await alice("DELETE", "/prompt-recipes/greet")).status_code == 200


async def test_two_versions_are_compared_line_by_line(alice: Api) -> None:
    text = "name: r\nprompt_assembly:\n  user: {}\n"
    for word in ("One", "Two"):
        await push(alice, text.format(word))
    compared = await read(alice, "/prompt-recipes/r/diff?from=1&to=2")
    assert compared["diff"].splitlines() == [
        "--- prompt_recipe:r@1",
        "+++ prompt_recipe:r@2",
        "@@ -1,3 +1,3 @@",
        " name: r",
        " prompt_assembly:",
        "-  user: One",
        "+  user: Two",
    ]
    assert (await read(alice, "/prompt-recipes/r/diff?from=1"))["to"] == 2
    assert (await read(alice, "/prompt-recipes/r/diff?from=2"))["diff"] == ""
    await read(alice, "/prompt-recipes/r/diff?from=3", 404)
    await read(alice, "/prompt-recipes/r/diff?from=0", 400)
    await read(alice, "/prompt-recipes/r/diff", 400)


async def test_a_deleted_recipe_is_gone_with_its_labels(alice: Api) -> None:
    await push(alice, greet())
    await alice("PUT", "/prompt-recipes/greet/labels/production", json={"version": 1})
    assert (await alice("DELETE", "/prompt-recipes/greet")).status_code == 200
    await read(alice, "/prompt-recipes/greet", 404)
    assert (await alice("DELETE", "/prompt-recipes/greet")).status_code == 404
    await push(alice, greet())
    assert (await read(alice, "/prompt-recipes/greet"))["recipe"]["labels"] == {}
