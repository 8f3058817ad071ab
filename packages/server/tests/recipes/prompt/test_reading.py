"""A recipe is read once, and all that is wrong with it is said at once, with places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arcrun_server.engine.templates import MISSING
from arcrun_server.recipes.prompt.reading import read_recipe
from arcrun_server.recipes.prompt.record import Fragment, Input, Output, RecipeError
from arcrun_server.recipes.prompt.reference import parse_prompt_reference
from arcrun_server.recipes.prompt.transforms import Transform
from arcrun_server.recipes.reference import Reference

HERE = Path(__file__).parent


def minimal(**more: Any) -> dict[str, Any]:
    return {"name": "r", "prompt_assembly": {"user": "Hello"}, **more}


def problems_of(source: Any) -> list[tuple[int | None, int | None, str | None, str]]:
    with pytest.raises(RecipeError) as caught:
        read_recipe(source)
    return [(one.line, one.column, one.path, one.message) for one in caught.value.problems]


def test_the_recipe_of_the_design_is_read_verbatim() -> None:
    recipe, warnings = read_recipe((HERE / "wiki_synthesis.yaml").read_text("utf-8"))
    assert warnings == []
    assert (recipe.name, recipe.id) == ("wiki_synthesis", "prompt_recipe:wiki_synthesis")
    assert (recipe.model, recipe.system, recipe.user) == (
        "sonnet",
        "{{schema}}",
        "{{skill_template}}",
    )
    assert recipe.description == "Mira wiki 合成(抽 triplet + 寫 wiki paragraph)"
    assert recipe.fragments == (
        Fragment("schema", "kbdb_block", block_id="7a4e456e-1b0f-406a-8842-5e01d1cf1eef"),
        Fragment("skill_template", "kbdb_block", block_id="85e3b81e-dca8-4131-bcdc-990bd0d3a16f"),
    )
    assert recipe.inputs == (
        Input("drafts", "ctx.read_drafts.blocks", Transform("json_array")),
        Input(
            "existing_entities",
            "ctx.read_entities.blocks",
            Transform("extract_field", "page_name"),
        ),
        Input("entity_name", "ctx.loop.item"),
    )
    required = ["triplets", "entities", "paragraphs", "source_summary"]
    assert recipe.output == Output("json", {"type": "object", "required": required})


def test_the_deployed_form_is_read_as_well() -> None:
    recipe, _ = read_recipe(
        {
            "kind": "prompt_recipe",
            "name": "digest",
            "version": 3,
            "fragments": [{"source": "kv", "key": "tone"}],
            "inputs": [{"var": "text", "from": "input.text", "default": None}],
            "prompt_assembly": {"user": "{{tone}}{{text}}"},
            "output": {"format": "json", "required_fields": ["title"]},
        }
    )
    assert recipe.fragments == (Fragment("tone", "kv", key="tone"),)
    assert recipe.inputs[0].default is None
    assert recipe.output.schema == {"type": "object", "required": ["title"]}


def test_an_input_without_default_has_none() -> None:
    recipe, _ = read_recipe(
        minimal(inputs=[{"var": "a", "from": "input.a"}], prompt_assembly={"user": "{{a}}"})
    )
    assert recipe.inputs[0].default is MISSING


def test_all_problems_are_found_at_once_in_the_order_of_the_text() -> None:
    text = (
        "id: prompt_recipe:x\n"
        "versoin: 2\n"
        "prompt_assembly: {user: a}\n"
        "inputs:\n"
        "  - {var: drafts, from: ctx.a, transform: json_aray}\n"
        "  - {var: drafts, from: 'ctx..a'}\n"
        "output: {format: json, repair: 99}\n"
    )
    with pytest.raises(RecipeError) as caught:
        read_recipe(text)
    found = [(one.line, one.column, one.path, one.suggestion) for one in caught.value.problems]
    assert found == [
        (2, 1, "versoin", "version"),
        (5, 43, "inputs[0].transform", "json_array"),
        (6, 11, "inputs[1].var", None),
        (6, 25, "inputs[1].from", None),
        (7, 32, "output.repair", None),
    ]


def test_an_undeclared_variable_is_found_where_it_stands() -> None:
    text = (
        "name: x\n"
        "inputs: [{var: drafts, from: ctx.a}]\n"
        "prompt_assembly:\n"
        "  user: |\n"
        "    {{drafts}}\n"
        "    Write {{draft}} and {{draft}}.\n"
    )
    with pytest.raises(RecipeError) as caught:
        read_recipe(text)
    found = [(one.line, one.column, one.suggestion) for one in caught.value.problems]
    assert found == [(6, 11, "drafts"), (6, 25, "drafts")]


@pytest.mark.parametrize("text", [r"\{{x}}", "{{}}", "{ {x} }", "{{x} }"])
def test_braces_that_are_text_need_no_variable(text: str) -> None:
    recipe, warnings = read_recipe(minimal(prompt_assembly={"user": text}))
    assert (recipe.user, warnings) == (text, [])


def test_what_nothing_uses_is_a_warning() -> None:
    _, warnings = read_recipe(minimal(inputs=[{"var": "a", "from": "input.a"}]))
    assert [(one.path, one.message) for one in warnings] == [
        ("inputs[0].var", "nothing uses the input 'a'")
    ]


def test_a_fragment_may_use_what_the_templates_do_not() -> None:
    _, warnings = read_recipe(
        minimal(
            fragments=[{"var": "f", "source": "kv", "key": "k"}],
            inputs=[{"var": "a", "from": "input.a"}],
            prompt_assembly={"user": "{{f}}"},
        )
    )
    assert warnings == []


@pytest.mark.parametrize(
    ("recipe", "path", "message"),
    [
        ([1], None, "a recipe is an object, but this is a list"),
        (
            {"prompt_assembly": {"user": "a"}},
            None,
            "`id` is missing; write `id: prompt_recipe:NAME`",
        ),
        (minimal(name="Wiki"), "name", "a recipe's name is a lower-case letter"),
        (minimal(name="a-b"), "name", "a recipe's name is a lower-case letter"),
        (minimal(id="prompt_recipe:other"), "name", "different names"),
        (minimal(kind="auth_recipe"), "kind", "can't be 'auth_recipe'"),
        (minimal(version=[1]), "version", "must be a text or a number, but it is a list"),
        ({"name": "r"}, None, "`prompt_assembly` is missing"),
        (minimal(prompt_assembly={}), "prompt_assembly", "`user` is missing"),
        (minimal(prompt_assembly={"user": "  "}), "prompt_assembly.user", "`user` is empty"),
        (minimal(prompt_assembly={"user": 1}), "prompt_assembly.user", "must be a text"),
        (
            minimal(prompt_assembly={"user": "a", "assistant": "b"}),
            "prompt_assembly.assistant",
            "no field",
        ),
        (minimal(fragments={}), "fragments", "must be a list, but it is an object"),
        (minimal(fragments=[1]), "fragments[0]", "must be an object, but it is a number"),
        (
            minimal(fragments=[{"var": "a", "source": "web"}]),
            "fragments[0].source",
            "can't be 'web'",
        ),
        (minimal(fragments=[{"var": "a", "source": "kv"}]), "fragments[0]", "needs `key`"),
        (
            minimal(fragments=[{"var": "a", "source": "kbdb_block"}]),
            "fragments[0]",
            "needs `block_id` or `block_page_name`",
        ),
        (
            minimal(
                fragments=[
                    {"var": "a", "source": "kbdb_block", "block_id": "i", "block_page_name": "p"}
                ]
            ),
            "fragments[0]",
            "needs `block_id` or `block_page_name`",
        ),
        (
            minimal(fragments=[{"var": "a", "source": "kv", "key": "k", "block_id": "i"}]),
            "fragments[0].block_id",
            "a fragment of the source kv has no `block_id`",
        ),
        (
            minimal(fragments=[{"var": "a", "source": "recipe", "recipe": "x", "pin": True}]),
            "fragments[0].pin",
            "only a fragment of the source kbdb_block has `pin`",
        ),
        (
            minimal(fragments=[{"var": "a", "source": "recipe", "recipe": "x@"}]),
            "fragments[0].recipe",
            "behind `@` stands a version",
        ),
        (
            minimal(fragments=[{"var": "1a", "source": "kv", "key": "k"}]),
            "fragments[0].var",
            "a variable's name is",
        ),
        (
            minimal(
                fragments=[{"var": "a", "source": "kv", "key": "k"}],
                inputs=[{"var": "a", "from": "input.a"}],
            ),
            "inputs[0].var",
            "the variable 'a' is declared twice",
        ),
        (minimal(inputs=[{"from": "input.a"}]), "inputs[0]", "`var` is missing"),
        (minimal(inputs=[{"var": "a"}]), "inputs[0]", "`from` is missing"),
        (
            minimal(inputs=[{"var": "a", "from": "{{ctx.a}}"}]),
            "inputs[0].from",
            "a path without braces",
        ),
        (
            minimal(inputs=[{"var": "a", "from": "ctx."}]),
            "inputs[0].from",
            "a part of this path is empty",
        ),
        (
            minimal(inputs=[{"var": "a", "from": "ctx.a", "transform": "shout"}]),
            "inputs[0].transform",
            "there is no transform 'shout'",
        ),
        (
            minimal(inputs=[{"var": f"v{n}", "from": "ctx.a"} for n in range(65)]),
            "inputs",
            "more than 64",
        ),
        (minimal(output={"format": "xml"}), "output.format", "the choices are: json, text"),
        (minimal(output={"schema": {}}), "output.schema", "`schema` needs `format: json`"),
        (
            minimal(output={"format": "json", "schema": []}),
            "output.schema",
            "must be a JSON Schema",
        ),
        (
            minimal(output={"format": "json", "repair": True}),
            "output.repair",
            "must be a whole number",
        ),
        (minimal(output={"format": "json", "repair": -1}), "output.repair", "must be from 0 to 5"),
        (
            minimal(output={"format": "json", "schema": {}, "required_fields": ["a"]}),
            "output.required_fields",
            "not both",
        ),
        (
            minimal(output={"format": "json", "required_fields": [1]}),
            "output.required_fields[0]",
            "a text",
        ),
        (
            minimal(
                fragments=[
                    {"var": "f", "source": "kbdb_block", "block_page_name": "p", "version": 1}
                ]
            ),
            "fragments[0].version",
            "`version` is that of one block, and a page may have many",
        ),
        (minimal(tests=[{"name": "t"}]), "tests[0]", "`expect` is missing"),
        (minimal(tests=[{"name": "t", "expect": {}}]), "tests[0].expect", "this test can't fail"),
        *(
            (minimal(tests=[{"name": "t", "expect": given}]), f"tests[0].expect.{name}", message)
            for name, given, message in (
                ("contains", {"contains": []}, "`contains` has no texts"),
                ("contains", {"contains": None}, "`contains` has no texts"),
                ("contains", {"contains": ["a", ""]}, "the text 1 of `contains` is empty"),
                ("messages", {"contains": ["a"], "messages": {}}, "`messages` has no messages"),
                ("messages", {"messages": []}, "`messages` has no messages"),
                ("messages", {"messages": None}, "`messages` has no messages"),
                (
                    "messages[1].role",
                    {"messages": [{"role": "user", "content": "a"}] * 2},
                    "two messages of the role user",
                ),
            )
        ),
        (
            minimal(tests=[{"name": "t", "expect": {"output": 1}}]),
            "tests[0].expect",
            "needs a `reply`",
        ),
        (
            minimal(
                tests=[{"name": "t", "inputs": {}, "context": {}, "expect": {"contains": ["a"]}}]
            ),
            "tests[0].context",
            "not both",
        ),
        (
            minimal(tests=[{"name": "t", "expect": {"contains": ["a"]}}] * 2),
            "tests[1].name",
            "there are two tests 't'",
        ),
        (
            minimal(tests=[{"name": "t", "inputs": {"b": 1}, "expect": {"contains": ["a"]}}]),
            "tests[0].inputs.b",
            "the recipe has no 'b' among its inputs",
        ),
        (
            minimal(tests=[{"name": "t", "fragments": {"b": "x"}, "expect": {"contains": ["a"]}}]),
            "tests[0].fragments.b",
            "the recipe has no 'b' among its fragments",
        ),
        (
            minimal(tests=[{"name": "t", "expect": {"messages": [{"role": "assistant"}]}}]),
            "tests[0].expect.messages[0].role",
            "the choices are: system, user",
        ),
    ],
)
def test_what_a_recipe_can_not_be(recipe: Any, path: str | None, message: str) -> None:
    found = [(where, text) for _, _, where, text in problems_of(recipe)]
    assert any(where == path and message in text for where, text in found), found


def test_an_undeclared_variable_is_reported_beside_other_errors() -> None:
    found = problems_of(
        "id: aa\n"
        "inputs:\n"
        "  - {var: x, from: ctx.x, transform: jsn_array}\n"
        "  - {var: x, from: 'ctx.y[0]'}\n"
        "prompt_assembly: {user: '{{y}} {{x}}'}\n"
        "tests: [{name: t, inputs: {z: 1}, expect: {contains: [a]}}]\n"
    )
    assert [(line, path) for line, _, path, _ in found] == [
        (3, "inputs[0].transform"),
        (4, "inputs[1].var"),
        (4, "inputs[1].from"),
        (5, "prompt_assembly.user"),
        (6, "tests[0].inputs.z"),
    ]


@pytest.mark.parametrize(
    "recipe",
    [
        minimal(inputs=[{"from": "ctx.x"}], prompt_assembly={"user": "{{x}}"}),
        minimal(inputs=[{"var": "x y", "from": "ctx.x"}], prompt_assembly={"user": "{{x}}"}),
        minimal(inputs={"var": "x", "from": "ctx.x"}, prompt_assembly={"user": "{{x}}"}),
        minimal(inputs=["x"], prompt_assembly={"user": "{{x}}"}),
        minimal(imputs=[{"var": "x", "from": "ctx.x"}], prompt_assembly={"user": "{{x}}"}),
    ],
)
def test_where_variables_can_not_be_read_their_use_is_no_error(recipe: Any) -> None:
    assert "prompt_assembly.user" not in [path for _, _, path, _ in problems_of(recipe)]


@pytest.mark.parametrize(
    ("path", "suggestion"),
    [
        ("ctx.x[0]", "ctx.x.0"),
        ("ctx['甲'].b[12].c", "ctx.甲.b.12.c"),
        ('["a"]', "a"),
        ("ctx.x[i]", None),
        ("ctx.x]", None),
    ],
)
def test_a_path_has_dots_and_no_brackets(path: str, suggestion: str | None) -> None:
    recipe = minimal(inputs=[{"var": "a", "from": path}], prompt_assembly={"user": "{{a}}"})
    with pytest.raises(RecipeError, match="without brackets") as caught:
        read_recipe(recipe)
    assert [problem.suggestion for problem in caught.value.problems] == [suggestion]


@pytest.mark.parametrize("template", ["a" * 262_144, ["a" * 1000] * 263])
def test_an_object_has_no_more_characters_than_a_text(template: Any) -> None:
    recipe = minimal(description=template)
    with pytest.raises(RecipeError, match="the recipe is longer than 262,144 characters"):
        read_recipe(recipe)


def test_the_messages_that_a_test_expects_have_two_forms() -> None:
    as_object = {"system": "s", "user": "u"}
    as_list = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    for given in (as_object, as_list):
        recipe, _ = read_recipe(minimal(tests=[{"name": "t", "expect": {"messages": given}}]))
        assert recipe.tests[0].messages == as_object


def test_a_test_may_expect_null() -> None:
    recipe, _ = read_recipe(
        minimal(tests=[{"name": "t", "reply": "null", "expect": {"output": None}}])
    )
    assert (recipe.tests[0].expects_output, recipe.tests[0].output) == (True, None)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("prompt_recipe:wiki", Reference("wiki")),
        (" wiki ", Reference("wiki")),
        ("wiki@7", Reference("wiki", version=7)),
        ("prompt_recipe:wiki@production", Reference("wiki", label="production")),
        ("wiki@v2.1-rc", Reference("wiki", label="v2.1-rc")),
    ],
)
def test_a_reference_names_a_recipe_and_its_version(text: str, reference: Reference) -> None:
    assert parse_prompt_reference(text) == reference
    assert parse_prompt_reference(str(reference)) == reference


@pytest.mark.parametrize(
    "text", ["", "Wiki", "wiki@", "wiki@0", "wiki@-1", "wiki@1234567890", "a b", "x@y@z", "中"]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"name is|behind `@`"):
        parse_prompt_reference(text)


def test_the_example_of_the_page_is_a_recipe() -> None:
    page = (HERE.parents[4] / "docs" / "prompt-recipes.md").read_text("utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    recipe, warnings = read_recipe(example)
    assert (recipe.name, warnings) == ("daily_digest", [])
    assert [test.name for test in recipe.tests] == ["two articles"]
