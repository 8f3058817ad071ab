"""Where in a document are the faults that an engine found in what was made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from arcrun._core.graphs import node_id

from .documents import Document, Path, Place, summary_of
from .errors import CommandError

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")


def located(
    details: Sequence[dict[str, Any]], document: Document, nodes: Sequence[str]
) -> list[dict[str, Any]]:
    """Return an engine's faults of a workflow with the places in the document that was pushed.

    A fault of the flow has `line`, the number of the flow's line, and `column` within it; one of the graph has a `path`
    such as `graph.nodes[1].data.url`, where the document has `config.NAME.url`.

    Args:
        details: the engine's faults.
        document: the workflow document.
        nodes: the ids of the graph's nodes, in its order.
    """
    return [_with_place(detail, _place_in(detail, document, nodes)) for detail in details]


def located_in_recipe(
    details: Sequence[dict[str, Any]], document: Document
) -> list[dict[str, Any]]:
    """Return an engine's faults of a recipe with their places: of a text it says them, else it names the path."""
    return [_located_in_recipe(detail, document) for detail in details]


def _located_in_recipe(detail: dict[str, Any], document: Document) -> dict[str, Any]:
    path = detail.get("path")
    if "line" in detail or not isinstance(path, str):
        return {**detail, "message": _sentence(detail)}
    place = _place_of(steps_of(path), detail, document)
    named = {**detail, "message": f"{path}: {detail.get('message', '')}"}
    return _with_place(named, place)


def failure_at(failure: CommandError, details: list[dict[str, Any]]) -> CommandError:
    """Return a failure whose faults have places, with the first of them in its message."""
    failure.details = details
    if details and "line" in details[0]:
        failure.message = summary_of(details)
    return failure


def steps_of(path: str) -> list[str | int]:
    """Return the keys and positions of a path.

    Example:
        >>> steps_of("nodes[1].data.url")
        ['nodes', 1, 'data', 'url']
    """
    return [name or int(number) for name, number in _STEP.findall(path)]


def _with_place(detail: dict[str, Any], place: Place | None) -> dict[str, Any]:
    kept = {key: value for key, value in detail.items() if key not in {"line", "column"}}
    return {**kept, "message": _sentence(detail), **(place._asdict() if place else {})}


def _sentence(detail: dict[str, Any]) -> str:
    """Return what is wrong, with the nearest known name where the message leaves it out."""
    message, suggestion = str(detail.get("message", "")), detail.get("suggestion")
    if not suggestion or repr(suggestion) in message:
        return message
    return f"{message.rstrip('.')}; did you mean {suggestion!r}?"


def _place_in(detail: dict[str, Any], document: Document, nodes: Sequence[str]) -> Place | None:
    if isinstance(detail.get("path"), str):
        steps = _steps_in(steps_of(detail["path"]), document, nodes)
        return _place_of(steps, detail, document)
    if isinstance(detail.get("line"), int):
        column = detail.get("column")
        offset = column - 1 if isinstance(column, int) else 0
        return document.place_within(("flow", detail["line"] - 1), offset)
    if isinstance(detail.get("node"), str):
        return _place_of(_config_of(detail["node"], document), detail, document)
    return None


def _place_of(
    steps: Sequence[str | int], detail: dict[str, Any], document: Document
) -> Place | None:
    """Return the place of a value, or of the placeholder in it that the fault quotes."""
    quoted = _PLACEHOLDER.search(str(detail.get("message", "")))
    return document.place_of(steps, quoted[0] if quoted else "")


def _steps_in(steps: list[str | int], document: Document, nodes: Sequence[str]) -> Path:
    """Return where the document has what the graph has at `steps`."""
    if steps[:1] == ["graph"]:
        steps = steps[1:]
    if len(steps) >= 2 and steps[0] == "nodes" and isinstance(steps[1], int):
        if steps[1] >= len(nodes):
            return ()
        names = {"componentId": "component"}
        rest = [names.get(str(step), step) for step in steps[2:] if step != "data"]
        return (*_config_of(nodes[steps[1]], document), *rest)
    if steps[:1] == ["edges"]:
        return ("flow",)
    if steps[:1] == ["triplets"]:  # of a request to compile the flow
        return ("flow", *steps[1:])
    return tuple(steps)


def _config_of(node: str, document: Document) -> Path:
    """Return the path of a node's config: the document may write its name in another way than its id."""
    config = document.value.get("config")
    names = config if isinstance(config, dict) else {}
    name = next((name for name in names if node in {name, node_id(name)}), node)
    return ("config", name)
