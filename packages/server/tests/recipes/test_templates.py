"""Templates of recipes: each kind fills the placeholders that it always did, and leaves the others alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.engine import ComponentError
from arcrun_server.engine.condition_parser import parse_condition
from arcrun_server.engine.placeholders import Placeholder, as_empty
from arcrun_server.recipes.api.component import assemble_request
from arcrun_server.recipes.api.record import check_api_recipe
from arcrun_server.recipes.auth.injection import fill_injection, fill_secrets

TEXTS = st.lists(
    st.sampled_from(["{", "}", "{{", "}}", " ", "a", "a.b", "secret.", "k_1", "名", "x y", "\n"]),
    max_size=14,
).map("".join)
SECRETS = {"secret.a": "甲", "secret.k_1": "{{secret.a}}", "runtime.access_token": "tok"}


@given(TEXTS)
def test_an_api_recipe_fills_names_and_leaves_what_else_stands_in_braces(template: str) -> None:
    recipe = {"method": "GET", "endpoint": "https://own.example", "headers": {"A": template}}
    given_values = {"a": {"b": "乙"}, "名": "丙", "k_1": None}
    expected = re.sub(
        r"\{\{\s*([\w.-]+)\s*\}\}",
        lambda match: {"a": '{"b": "乙"}', "a.b": "乙", "名": "丙"}.get(match[1], ""),
        template,
    )
    assert assemble_request(recipe, given_values).headers["A"] == expected


@given(TEXTS)
def test_an_auth_recipe_fills_secrets_and_leaves_what_else_stands_in_braces(template: str) -> None:
    expected = re.sub(
        r"\{\{\s*((?:secret|runtime)\.[A-Za-z0-9_]+)\s*\}\}",
        lambda match: SECRETS.get(match[1], ""),
        template,
    )
    assert fill_secrets(template, SECRETS, as_empty) == expected


@given(TEXTS)
def test_a_condition_takes_a_key_in_braces(text: str) -> None:
    braces = re.fullmatch(r"\{\{\s*([^{}]*[^{}\s][^{}]*?)\s*\}\}", text.strip())
    if braces and not braces[1].startswith("secret."):
        assert [found.name for found in parse_condition(text).placeholders()] == [braces[1]]


@pytest.mark.parametrize("text", ["{{}}", "{{a}}{{b}}", "{{a} }", "x {{a}}"])
def test_a_condition_takes_nothing_beside_the_braces(text: str) -> None:
    with pytest.raises(ValueError, match="Write `key`"):
        parse_condition(text)


def test_a_value_that_is_missing_is_an_error_in_an_auth_recipe() -> None:
    recipe = {
        "service": "own",
        "base_url": "https://own.example",
        "inject": {"header": {"A": "{{ secret.gone }}"}},
    }
    with pytest.raises(ComponentError, match=r"no value for \{\{secret\.gone\}\}"):
        fill_injection(recipe, {})


def test_missing_is_asked_with_the_placeholder() -> None:
    asked: list[Placeholder] = []

    def missing(placeholder: Placeholder) -> str:
        asked.append(placeholder)
        return "-"

    assert fill_secrets("a {{secret.x}}", {}, missing) == "a -"
    assert [(placeholder.name, placeholder.start) for placeholder in asked] == [("secret.x", 2)]


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("https://own.example", True),
        ("https://own.example/{{a}}", True),
        ("https://own.example?q={{a}}", True),
        ("https://own.example#{{a}}", True),
        ("https://own.example{{_path}}", True),
        ("https://own.example{{ _path }}/x", True),
        ("https://own.example{{path}}", False),
        ("https://own.example{{_path", False),
        ("https://own.example{x}", False),
        ("https://{{_path}}", False),
        ("https:///x", False),
        ("{{a}}", False),
    ],
)
def test_no_placeholder_can_choose_the_host(endpoint: str, allowed: bool) -> None:
    recipe = {"canonical_id": "own", "endpoint": endpoint}
    paths = [problem.path for problem in check_api_recipe(recipe)]
    assert paths == ([] if allowed else ["endpoint"])


@pytest.mark.parametrize("text", ["{{}}", "{{ }}", "{{a b}}", "{{a/b}}"])
def test_a_placeholder_that_could_never_be_filled_is_refused(text: str) -> None:
    recipe = {"canonical_id": "own", "endpoint": "https://own.example", "body_template": text}
    [problem] = check_api_recipe(recipe)
    assert (problem.path, problem.code) == ("body_template", "invalid_recipe")
    assert "is not a placeholder" in problem.message
