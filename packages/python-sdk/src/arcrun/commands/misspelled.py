"""Parameters of nodes that are most likely misspelled: an engine takes them for data of the node's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError

_SIMILAR = 0.75  # `opration` is, for `operation`


def misspelled_parameters(client: Arcrun, graph: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters that are almost named as one of the component's which the node leaves out.

    Args:
        client: asked for the components, if the graph has any parameters.
        graph: a compiled graph.
    """
    nodes = [
        (number, node) for number, node in enumerate(graph.get("nodes", [])) if node.get("data")
    ]
    if not nodes:
        return []
    try:
        components = client.components.list()
    except ArcrunError:  # an engine without a catalog; what was asked for has succeeded
        return []
    known = {each["canonical_id"]: _parameters(each) for each in components}
    return [
        {"message": message, "path": f"nodes[{number}].data.{name}"}
        for number, node in nodes
        for name, message in _misspelled(node, known.get(node.get("componentId"), ()))
    ]


def _parameters(component: Mapping[str, Any]) -> list[str]:
    schema = component.get("input_schema")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return [*properties] if isinstance(properties, Mapping) else []


def _misspelled(node: Mapping[str, Any], known: list[str] | tuple[()]) -> Iterator[tuple[str, str]]:
    from difflib import get_close_matches

    data = node["data"]
    missing = [name for name in known if name not in data]
    for name in data if known else ():
        near = [] if name in known else get_close_matches(name, missing, 1, _SIMILAR)
        if near:
            component = node["componentId"]
            yield name, f"{component} has no parameter {name!r}; did you mean {near[0]!r}?"
