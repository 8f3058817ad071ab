"""Checks of our own for the fuzzer, loaded by `schemathesis.toml`."""

from __future__ import annotations

from typing import Any

import schemathesis

GRAPH_OPERATIONS = frozenset(
    {
        "POST /validate",
        "POST /webhooks/named",
        "POST /cypher/search",
        "POST /cypher/execute",
        "POST /execute",
    }
)
GRAPH_CODES = frozenset({"invalid_graph", "unknown_component"})


@schemathesis.check
def only_graphs_are_refused(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> bool | None:
    """Data that fits the schema may be refused only for what a schema can't say of a graph."""
    del ctx
    label = f"{case.method.upper()} {case.operation.path}"
    if label not in GRAPH_OPERATIONS or response.status_code != 400:
        return None
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return None
    code = response.json().get("code")
    if code not in GRAPH_CODES:
        raise AssertionError(f"{label} refused data that fits the schema with code {code!r}")
    return None
