"""The injection vectors, which Node computed: hostile values come out of assembly and output as they went in."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.recipes.prompt.assembly import (
    AssemblyError,
    FragmentText,
    Prompt,
    ResolvedRecipe,
    assemble,
)
from arcrun_server.recipes.prompt.output import node_result, parse_json
from arcrun_server.recipes.prompt.reading import read_recipe

if TYPE_CHECKING:
    from conftest import Api

FILE = json.loads(
    (Path(__file__).parents[5] / "conformance/vectors/prompt_injection.json").read_text("utf-8")
)
BY_NAME = [
    pytest.param(list(vectors), id=name)
    for name, vectors in groupby(FILE["vectors"], key=lambda vector: vector["name"])
]


def text_of(value: Any) -> Any:
    """Carry out the rules that stand for long texts."""
    if isinstance(value, list):
        return [text_of(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"repeat", "times"}:
        return value["repeat"] * value["times"]
    if value.keys() == {"concat"}:
        return "".join(text_of(value["concat"]))
    return {key: text_of(item) for key, item in value.items()}


def recipe_of(vector: dict[str, Any]) -> dict[str, Any]:
    """Return the recipe of the file, with the transform of a vector."""
    value, other = FILE["recipe"]["inputs"]
    if vector["transform"] is not None:
        value = {**value, "transform": vector["transform"]}
    return {**FILE["recipe"], "inputs": [value, other]}


def assembled(vector: dict[str, Any]) -> Prompt:
    recipe, warnings = read_recipe(recipe_of(vector))
    assert warnings == []
    rules = FragmentText(FILE["fragments"]["rules"], {"key": "rules"}, "text 'rules'")
    values = {"input.value": text_of(vector["value"]), "input.other": FILE["other"]}
    return assemble(ResolvedRecipe(recipe, 1, {"rules": rules}), lambda path: (True, values[path]))


def expected(vector: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["role"], text_of(one["content"])) for one in vector["messages"]]


@pytest.mark.parametrize("vectors", BY_NAME)
def test_a_hostile_value_changes_no_template(vectors: list[dict[str, Any]]) -> None:
    for vector in vectors:
        if "error" in vector:
            with pytest.raises(AssemblyError) as refused:
                assembled(vector)
            assert refused.value.code == vector["error"], vector["transform"]
            assert refused.value.variable == "value"
            continue
        prompt = assembled(vector)
        messages = [(message.role, message.content) for message in prompt.messages]
        assert messages == expected(vector), vector["transform"]
        (_, system), (_, user) = messages
        assert prompt.one_text() == f"{system}{FILE['separator']}{user}"


@pytest.mark.parametrize("vectors", BY_NAME)
def test_an_answer_that_repeats_a_hostile_value_gives_it_unchanged(
    vectors: list[dict[str, Any]],
) -> None:
    for vector in (one for one in vectors if "error" not in one):
        value = text_of(vector["value"])
        for escaped in (True, False):
            answer = json.dumps({"echo": value}, ensure_ascii=escaped)
            assert node_result(parse_json(f"```json\n{answer}\n```"))["echo"] == value


def test_every_transform_meets_every_value() -> None:
    names = {vector["name"] for vector in FILE["vectors"] if "messages" in vector}
    transforms = {str(vector["transform"]).partition(":")[0] for vector in FILE["vectors"]}
    assert len(names) >= 40
    assert transforms == {
        *("None", "to_string", "json_array", "join", "markdown_list"),
        *("extract_field", "first", "pluck_content"),
    }


@pytest.mark.parametrize("transform", [None, "json_array", "markdown_list"])
async def test_render_shows_the_messages_of_the_vectors(alice: Api, transform: str | None) -> None:
    for vector in (one for one in FILE["vectors"] if one["transform"] == transform):
        context = {"value": text_of(vector["value"]), "other": FILE["other"]}
        body = json.dumps(
            {
                "recipe": recipe_of(vector),
                "context": {"input": context},
                "fragments": FILE["fragments"],
            },
            ensure_ascii=True,
        )
        response = await alice(
            "POST",
            "/prompt-recipes/hostile/render",
            content=body,
            headers={"Content-Type": "application/json"},
        )
        if "error" in vector:
            assert (response.status_code, response.json()["code"]) == (400, vector["error"])
            continue
        assert response.status_code == 200, response.text
        shown = [(one["role"], one["content"]) for one in response.json()["messages"]]
        assert shown == expected(vector), vector["name"]
