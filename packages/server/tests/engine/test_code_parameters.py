"""Parameters of `code` when a graph is pushed: the code is no template, and no secret goes to it."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_server.engine import check_parameters, compile_flow


def problems_of(**parameters: Any) -> list[tuple[str | None, str]]:
    config = {"算": {"component": "code", **parameters}}
    found = check_parameters(compile_flow(["input >> 完成後 >> 算"], config))
    return [(problem.path, problem.message) for problem in found.problems]


@pytest.mark.parametrize("text", ["{{credential.tok}}", "Bearer {{secret.tok}}"])
def test_a_credential_for_code_is_refused(text: str) -> None:
    [(path, message)] = problems_of(code="return input", input={"a": [text]})
    assert path == "nodes[1].data"
    assert message.startswith("The node '算': code can't be handed the credential tok: ")


@pytest.mark.parametrize(
    "code", ["return '{{credential.tok}}'", "if (a) {{ b() }}", "return `{{`", "{{ }}"]
)
def test_braces_in_code_are_no_placeholders(code: str) -> None:
    assert problems_of(code=code, input={"a": "{{input.a}}"}) == []
