"""Workflow documents (`flow` and `config`) and graphs (docs/contract.md#pushing-a-workflow)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from .advice import advised
from .errors import InvalidArgumentError
from .names import nearest
from .shapes import is_mapping, is_text, json_list, objects

# What a node says about failures stands in a config among the parameters of its component, and in a graph beside them
# (docs/contract.md#policies). A component with a parameter of such a name keeps it.
_NODE_FIELDS = ("retry", "timeout_seconds", "on_failure", "repeatable", "concurrency")
_OWN_PARAMETERS = {"http_request": ("timeout_seconds",)}
_WORKFLOW_FIELDS = (
    *("retry", "timeout_seconds", "on_failure", "repeatable"),
    *("on_failure_workflow", "max_running", "when_full", "cron", "webhook"),
)


def is_document(graph: object) -> bool:
    """Tell whether a workflow is a document; otherwise it is a compiled graph.

    Raises:
        InvalidArgumentError: it is neither.
    """
    if isinstance(graph, Mapping):
        fields = cast("Mapping[str, object]", graph)
        if "flow" in fields:
            return True
        if isinstance(fields.get("nodes"), list) and isinstance(fields.get("edges"), list):
            return False
    error = InvalidArgumentError(
        'a workflow is a document {"flow": ["input >> 完成後 >> a", …], "config": {…}} or a compiled '
        'graph {"nodes": […], "edges": […]}; parse YAML text with yaml.safe_load first'
    )
    raise advised(
        error,
        'the workflow has no `flow`, a list of lines such as "input >> 完成後 >> a" (nor `nodes` and `edges`, as a '
        "compiled graph has)",
    )


def flow_of(document: Mapping[str, Any]) -> list[str]:
    """Return the document's flow lines.

    Raises:
        InvalidArgumentError: they are not a list of text.
    """
    flow = document["flow"]
    if not isinstance(flow, list) or not flow:
        problem = "the document's flow must be a list of lines, and not empty"
        raise advised(InvalidArgumentError(problem), problem, path=("flow",))
    lines = cast("list[object]", flow)
    for number, line in enumerate(lines, 1):
        if not isinstance(line, str):
            problem = f'flow line {number} is not text: write "FROM >> EDGE >> TO", quoted'
            raise advised(InvalidArgumentError(problem), problem, path=("flow", number - 1))
    return cast("list[str]", flow)


def config_of(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the document's config: the component and parameters of each node.

    Raises:
        InvalidArgumentError: it is not a mapping of mappings.
    """
    config: object = document.get("config") or {}
    if not is_mapping(config):
        problem = "config must map each node to its settings"
        raise advised(InvalidArgumentError(problem), problem, path=("config",))
    for node, settings in config.items():
        if not is_text(node):
            problem = f"config names a node {node!r} that is not text: quote it in YAML"
            raise advised(InvalidArgumentError(problem), problem, path=("config",))
        if not is_mapping(settings):
            problem = (
                f"the config of node {node!r} must be a mapping, such as {{component: set, …}}"
            )
            raise advised(InvalidArgumentError(problem), problem, path=("config", node))
    return {node: _with_retry(settings) for node, settings in config.items()}


def _with_retry(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields in whose `retry` the key `on` is text: to YAML 1.1, which PyYAML reads, it means true."""
    retry: object = fields.get("retry")
    if not isinstance(retry, Mapping):
        return dict(fields)
    named = {
        "on" if key is True else key: value
        for key, value in cast("Mapping[object, object]", retry).items()
    }
    return {**fields, "retry": named}


def check_description(description: object) -> str | None:
    """Return the description of a workflow, if there is one.

    Raises:
        InvalidArgumentError: it is not text, or is empty.
    """
    if description is None or (is_text(description) and description.strip()):
        return description
    raise InvalidArgumentError("description must be non-empty text")


def strictness(graph: Mapping[str, Any], given: object) -> bool | None:
    """Return whether a workflow is strict, as the argument or else the document says; None if neither does.

    Raises:
        InvalidArgumentError: what was said is not a bool.
    """
    # The engine reads what a compiled graph says itself.
    strict: object = graph.get("strict") if given is None and "flow" in graph else given
    return None if strict is None else check_strict(strict)


def check_strict(strict: object) -> bool:
    """Return whether a workflow is strict, if that is a bool: a text such as "no" would count as true.

    Raises:
        InvalidArgumentError: it is not.
    """
    if isinstance(strict, bool):
        return strict
    raise InvalidArgumentError(f"strict must be True or False, not {strict!r}")


def compile_graph(
    name: str,
    compiled: Mapping[str, Any],
    config: Mapping[str, Mapping[str, Any]],
    document: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the graph to push: the compiled nodes with their config, under a name.

    Args:
        name: the workflow's name.
        compiled: what the engine made of the document's flow.
        config: the component and parameters of each node.
        document: the document; what it says about failures, runs and its schedule becomes part of the graph.

    Raises:
        InvalidArgumentError: the engine does not know a component, or the config names a node that
            is not in the flow.
    """
    missing = json_list(compiled.get("missing"))
    if missing:
        listed = ", ".join(str(item) for item in missing)
        raise InvalidArgumentError(f"workflow {name!r}: the engine does not know {listed}")
    nodes = [dict(node) for node in objects(compiled["cypher"]["nodes"])]
    by_id = {str(node.get("id")): node for node in nodes}
    for key, settings in config.items():
        node = by_id.get(key) or by_id.get(node_id(key))
        if node is None:
            near = nearest(key, list(by_id))
            problem = f"config names a node {key!r} that is not in the flow{near}"
            if not near:
                problem += f"; its nodes are: {', '.join(by_id)}"
            error = InvalidArgumentError(
                f"workflow {name!r}: config names a node {key!r} that is not in the flow{near}"
            )
            raise advised(error, problem, path=("config", key))
        if settings.get("component"):
            node["componentId"], node["type"] = settings["component"], "Component"
        own = _OWN_PARAMETERS.get(str(node.get("componentId")), ())
        fields = {k: v for k, v in settings.items() if k in _NODE_FIELDS and k not in own}
        data = {k: v for k, v in settings.items() if k != "component" and k not in fields}
        if data:
            node["data"] = {**(node.get("data") or {}), **data}
        node.update(fields)
    said = _with_retry({key: document[key] for key in _WORKFLOW_FIELDS if key in document})
    edges = list(compiled["cypher"]["edges"])
    return {"id": name, "name": name, **said, "nodes": nodes, "edges": edges}


def node_id(name: str) -> str:
    """Return the id that the engine gives a node (docs/contract.md#workflow-graphs)."""
    return re.sub(r"\s+", "-", name.strip().lower())
