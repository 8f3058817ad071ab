"""Parameters of `claude_api` when a graph is pushed: no secret goes into what a model is asked."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_server.engine import check_parameters, compile_flow


def problems_of(**parameters: Any) -> list[tuple[str | None, str]]:
    config = {"問": {"component": "claude_api", **parameters}}
    found = check_parameters(compile_flow(["input >> 完成後 >> 問"], config))
    return [(problem.path, problem.message) for problem in found.problems]


@pytest.mark.parametrize(
    "parameters",
    [
        {"prompt": "Use {{credential.tok}}. {{input.q}}"},
        {"prompt": "x", "system": "{{secret.tok}}"},
        {"messages": [{"role": "user", "content": "the token is {{credential.tok}}"}]},
        {"prompt": "x", "model": "{{credential.tok}}"},
        {"recipe": "{{credential.tok}}"},
    ],
)
def test_a_credential_in_what_a_model_is_asked_is_refused(parameters: dict[str, Any]) -> None:
    [(path, message)] = problems_of(**parameters)
    assert path == "nodes[1].data"
    assert message.startswith("The node '問': a model can't be asked with the credential tok: ")


def test_the_token_of_the_daemon_is_no_part_of_what_is_asked() -> None:
    assert problems_of(prompt="{{input.q}}", mira_token="{{secret.mira_token}}") == []
