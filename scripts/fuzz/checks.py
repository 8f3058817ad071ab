"""Define checks of our own for the fuzzer; `schemathesis.toml` loads them."""

from __future__ import annotations

from typing import Any

import schemathesis

# The error codes with which an operation may refuse data that matches its schema.
MEANING = {
    "POST /validate": {"invalid_graph", "unknown_component"},
    "POST /webhooks/named": {"invalid_graph", "unknown_component"},
    "POST /cypher/search": {"invalid_graph"},
    "POST /cypher/execute": {"invalid_graph", "unknown_component"},
    "POST /execute": {"invalid_graph", "unknown_component"},
    "POST /auth-recipes": {"invalid_recipe"},
    "POST /recipes": {"invalid_recipe"},
    "POST /prompt-recipes": {"invalid_recipe"},
    "POST /prompt-recipes/{name}/render": {"invalid_recipe"},
    "POST /prompt-recipes/{name}/test": {"invalid_recipe"},
    "POST /prompt-recipes/{name}/backtest": {"invalid_recipe"},
}
# What they may refuse is a text that is no cursor of theirs.
LISTS = (
    *("GET /credentials", "GET /webhooks/named", "GET /auth-recipes", "GET /recipes"),
    *("GET /workflows/{name}/executions", "GET /kbdb/blocks", "GET /kbdb/search"),
    *("GET /auth-recipes/{service}/versions", "GET /recipes/{id}/versions"),
    *("GET /prompt-recipes", "GET /prompt-recipes/{name}/versions", "GET /prompt-texts"),
    *("GET /components", "GET /components/search", "GET /runs", "GET /executions/paused"),
)
# What they may refuse is a label beside a version.
ONE_VERSION = (
    "GET /auth-recipes/{service}",
    "GET /recipes/{id}",
    "GET /prompt-recipes/{name}",
    "POST /prompt-recipes/{name}/render",
    "POST /prompt-recipes/{name}/test",
    "POST /prompt-recipes/{name}/backtest",
)


@schemathesis.check
def only_meaning_is_refused(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> bool | None:
    """Check that data that matches the schema is refused only for a reason that no schema can state."""
    del ctx
    label = f"{case.method.upper()} {case.operation.path}"
    if label not in {*MEANING, *LISTS, *ONE_VERSION} or response.status_code != 400:
        return None
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return None
    problem = response.json()
    if not _is_about_meaning(label, problem):
        raise AssertionError(f"{label} refused data that matches the schema: {problem['error']}")
    return None


def _is_about_meaning(label: str, problem: dict[str, Any]) -> bool:
    paths = [detail.get("path") for detail in problem.get("details", [])]
    if label in LISTS:
        return paths == ["cursor"]
    if label in ONE_VERSION and paths == ["label"]:
        return True
    return problem.get("code") in MEANING.get(label, ())
