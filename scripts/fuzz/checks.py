"""Checks of our own for the fuzzer, loaded by `schemathesis.toml`."""

from __future__ import annotations

from typing import Any

import schemathesis

# Operation -> the codes with which it may refuse data that fits its schema.
MEANING = {
    "POST /validate": {"invalid_graph", "unknown_component"},
    "POST /webhooks/named": {"invalid_graph", "unknown_component"},
    "POST /cypher/search": {"invalid_graph"},
    "POST /cypher/execute": {"invalid_graph", "unknown_component"},
    "POST /execute": {"invalid_graph", "unknown_component"},
    "POST /auth-recipes": {"invalid_recipe"},
    "POST /recipes": {"invalid_recipe"},
}


@schemathesis.check
def only_meaning_is_refused(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> bool | None:
    """Data that fits the schema may be refused only for what no schema can say of it."""
    del ctx
    label = f"{case.method.upper()} {case.operation.path}"
    if label not in MEANING or response.status_code != 400:
        return None
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return None
    code = response.json().get("code")
    if code not in MEANING[label]:
        raise AssertionError(f"{label} refused data that fits the schema with code {code!r}")
    return None
