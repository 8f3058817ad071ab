"""Flow lines `FROM >> EDGE >> TO` into triplets and graphs (docs/contract.md#workflow-graphs)."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .labels import LabelError, read_label
from .model import (
    MAX_PROBLEMS,
    Edge,
    FlowError,
    Graph,
    JsonObject,
    Node,
    NodeType,
    Problem,
    SearchResult,
    Triplet,
)
from .nearest import Suggestions
from .policy import split_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .labels import EdgeLabel

ARROW = ">>"
INPUT_NAMES = frozenset({"input", "trigger", "webhook", "start"})
OUTPUT_NAMES = frozenset({"output", "result", "end", "done"})
MAX_LINES = 1000
MAX_LINE_LENGTH = 1024
MAX_NAME_LENGTH = 256

_WRONG_ARROWS = re.compile(r"＞＞|》|»|->|→|=>")


def node_id(name: str) -> str:
    """Return the id of a node: its name in lower case, with white space replaced by `-`.

    Example:
        >>> node_id("Read 草稿")
        'read-草稿'
    """
    return re.sub(r"\s+", "-", name.strip().lower())


def parse_flow(lines: Sequence[str]) -> list[Triplet]:
    """Parse flow lines.

    Args:
        lines: The lines of a document's `flow`.

    Raises:
        FlowError: With every problem, each with its line and column, and where an edge label is
            wrong the nearest one that is known.

    Example:
        >>> parse_flow(["讀取 >> 失敗時 >> 通知"])[0].type
        'ON_FAIL'
        >>> parse_flow(["a >> 完成 >> b"])
        Traceback (most recent call last):
        arcrun_server.engine.model.FlowError: line 1, column 6: '完成' is not an edge label; did you mean '完成後'?
    """
    if isinstance(lines, str) or not isinstance(lines, (list, tuple)):
        raise FlowError([Problem("A flow is a list of lines `FROM >> EDGE >> TO`.", path="flow")])
    if not lines:
        raise FlowError([Problem("The flow has no lines; write at least one.", path="flow")])
    if len(lines) > MAX_LINES:
        message = f"The flow has {len(lines)} lines; at most {MAX_LINES} are allowed."
        raise FlowError([Problem(message, path="flow")])
    triplets: list[Triplet] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        parsed = _parse_line(number, line)
        if isinstance(parsed, Triplet):
            triplets.append(parsed)
        else:
            problems.extend(parsed)
        if len(problems) >= MAX_PROBLEMS:
            break
    if problems:
        raise FlowError(problems)
    return triplets


def compile_flow(
    lines: Sequence[str],
    config: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    known: Collection[str] = (),
) -> Graph:
    """Compile a document's flow and config into a graph.

    Args:
        lines: The document's `flow`.
        config: The document's `config`: for each node `component`, its parameters, and the fields of `policy`.
        name: The workflow's name; the graph's `id` and `name`.
        known: Component ids. A node without a config entry that is named like one runs it.

    Raises:
        FlowError: With every problem in the flow or the config.

    Example:
        >>> graph = compile_flow(["input >> 完成後 >> 計數"], {"計數": {"component": "comp_counter"}})
        >>> graph["nodes"][1]
        {'id': '計數', 'type': 'Component', 'label': '計數', 'componentId': 'comp_counter'}
    """
    triplets = parse_flow(lines)
    nodes = _nodes(triplets, known)
    problems = _apply_config(nodes, {} if config is None else config)
    if problems:
        raise FlowError(problems)
    return {
        "id": name,
        "name": name,
        "nodes": list(nodes.values()),
        "edges": [_edge(triplet) for triplet in triplets],
    }


def search_triplets(
    triplets: Sequence[str],
    *,
    known: Collection[str],
    now: datetime,
    version: str,
    mode: str | None = None,
) -> SearchResult:
    """Return the response to `POST /cypher/search` (docs/contract.md#routes).

    Args:
        triplets: Flow lines.
        known: Component ids; a node that is named like one gets it.
        now: The response's timestamp, with a zone.
        version: The engine's version.
        mode: With `compile` nothing is missing: the client has the config with the components.

    Raises:
        FlowError: With every problem in the lines.

    Example:
        >>> found = search_triplets(
        ...     ["input >> 完成後 >> 翻譯"], known=["hash"], version="1",
        ...     now=datetime(2026, 11, 22, tzinfo=timezone.utc))
        >>> found["missing"], found["triplets"][0]["type"]
        (['翻譯'], 'PIPE')
    """
    parsed = parse_flow(triplets)
    nodes = _nodes(parsed, known)
    called = {node_id(triplet.target) for triplet in parsed if triplet.type == "CALLS_SUBFLOW"}
    missing = [
        _label(node)
        for node in nodes.values()
        if node["type"] == "Component" and "componentId" not in node and node["id"] not in called
    ]
    return {
        "version": version,
        "timestamp": now.astimezone(timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z",
        "triplets": [
            {
                "line": triplet.line,
                "from": triplet.source,
                "edge": triplet.label,
                "to": triplet.target,
                "type": triplet.type,
            }
            for triplet in parsed
        ],
        "nodes": [
            {
                "name": _label(node),
                "id": node["id"],
                "type": node["type"],
                "componentId": node.get("componentId"),
            }
            for node in nodes.values()
        ],
        "cypher": {"nodes": list(nodes.values()), "edges": [_edge(triplet) for triplet in parsed]},
        "missing": [] if mode == "compile" else missing,
    }


def _parse_line(number: int, line: Any) -> Triplet | list[Problem]:
    if not isinstance(line, str):
        kind = type(line).__name__
        return [Problem(f"A flow line is text, but this one is a {kind}.", line=number, column=1)]
    if len(line) > MAX_LINE_LENGTH:
        message = f"The line has {len(line)} characters; at most {MAX_LINE_LENGTH} are allowed."
        return [Problem(message, line=number, column=MAX_LINE_LENGTH + 1)]
    parts = _split(line)
    if len(parts) != 3:
        return [_wrong_count(number, line, parts)]
    (source, source_at), (label, label_at), (target, target_at) = parts
    edge = _read_edge(number, label, label_at)
    problems = [
        *_name_problems(number, source, source_at, "before"),
        *([edge] if isinstance(edge, Problem) else []),
        *_name_problems(number, target, target_at, "after"),
    ]
    if problems or isinstance(edge, Problem):
        return problems
    return Triplet(
        number, source, label, target, edge.type, edge.condition, edge.iterator, edge.branch
    )


def _read_edge(number: int, label: str, column: int) -> EdgeLabel | Problem:
    if not label:
        message = "The edge label is missing; write for example 完成後 between the arrows."
        return Problem(message, line=number, column=column, suggestion="完成後")
    try:
        return read_label(label)
    except LabelError as problem:
        return Problem(str(problem), line=number, column=column, suggestion=problem.suggestion)


def _split(line: str) -> list[tuple[str, int]]:
    """Split at the arrows; each part trimmed, with the column where it starts (or would)."""
    parts, offset = [], 0
    for piece in line.split(ARROW):
        lead = len(piece) - len(piece.lstrip()) if piece.strip() else 0
        parts.append((piece.strip(), offset + lead + 1))
        offset += len(piece) + len(ARROW)
    return parts


def _wrong_count(number: int, line: str, parts: list[tuple[str, int]]) -> Problem:
    if not line.strip():
        message = "The line is empty; remove it or write `FROM >> EDGE >> TO`."
        return Problem(message, line=number, column=1)
    wrong_arrow = _WRONG_ARROWS.search(line)
    if wrong_arrow and len(parts) < 3:
        message = f"'{wrong_arrow[0]}' is not an arrow here; a line is `FROM >> EDGE >> TO`."
        suggestion = _WRONG_ARROWS.sub(ARROW, line)
        return Problem(message, line=number, column=wrong_arrow.start() + 1, suggestion=suggestion)
    message = f"A line has three parts, `FROM >> EDGE >> TO`, but this one has {len(parts)}."
    if len(parts) == 2:
        suggestion = f"{parts[0][0]} >> 完成後 >> {parts[1][0]}"
        return Problem(message, line=number, column=parts[1][1], suggestion=suggestion)
    if len(parts) == 1:
        return Problem(message, line=number, column=len(line.rstrip()) + 1)
    message += " Write each edge on a line of its own."
    return Problem(message, line=number, column=parts[3][1])


def _name_problems(number: int, name: str, column: int, side: str) -> list[Problem]:
    if not name:
        message = f"The name {side} the edge is missing."
        return [Problem(message, line=number, column=column)]
    if len(name) > MAX_NAME_LENGTH:
        message = f"The name has {len(name)} characters; at most {MAX_NAME_LENGTH} are allowed."
        return [Problem(message, line=number, column=column)]
    if any("\ud800" <= character <= "\udfff" for character in name):
        message = "The name holds half of a character (a lone surrogate); write it again."
        return [Problem(message, line=number, column=column)]
    return []


def _nodes(triplets: list[Triplet], known: Collection[str]) -> dict[str, Node]:
    targets = {node_id(triplet.target) for triplet in triplets}
    known = frozenset(known)
    nodes: dict[str, Node] = {}
    for triplet in triplets:
        for name in (triplet.source, triplet.target):
            identity = node_id(name)
            if identity in nodes:
                continue
            node: Node = {
                "id": identity,
                "type": _node_type(identity, is_target=identity in targets),
                "label": name,
            }
            if identity in known and node["type"] != "Output" and identity not in INPUT_NAMES:
                node["type"] = "Component"
                node["componentId"] = identity
            nodes[identity] = node
    return nodes


def _label(node: Node) -> str:
    return node.get("label", node["id"])


def _node_type(identity: str, *, is_target: bool) -> NodeType:
    if identity in OUTPUT_NAMES:
        return "Output"
    return "Input" if identity in INPUT_NAMES or not is_target else "Component"


def _edge(triplet: Triplet) -> Edge:
    edge: Edge = {
        "from": node_id(triplet.source),
        "to": node_id(triplet.target),
        "type": triplet.type,
    }
    if triplet.condition is not None:
        edge["condition"] = triplet.condition
    if triplet.iterator is not None:
        edge["iterator"] = triplet.iterator
    if triplet.branch is not None:
        edge["branch"] = triplet.branch
    return edge


def _apply_config(nodes: dict[str, Node], config: Any) -> list[Problem]:
    if not hasattr(config, "items"):
        return [Problem("A config maps node names to their components.", path="config")]
    problems: list[Problem] = []
    suggestions = Suggestions()
    for name, entry in config.items():
        if len(problems) >= MAX_PROBLEMS:
            break
        path = f"config.{name}"
        node = nodes.get(node_id(str(name)))
        if node is None:
            near = suggestions.nearest(node_id(str(name)), nodes)
            hint = f"; did you mean '{_label(nodes[near])}'?" if near else "."
            message = f"No line of the flow names a node '{name}'{hint}"
            suggestion = _label(nodes[near]) if near else None
            problems.append(Problem(message, path=path, suggestion=suggestion))
        elif not isinstance(entry, dict):
            message = "A node's config is an object: `component` and the component's parameters."
            problems.append(Problem(message, path=path))
        else:
            problems += _configure(node, entry, path)
    return problems


def _configure(node: Node, entry: JsonObject, path: str) -> list[Problem]:
    component = entry.get("component")
    data, fields = split_settings(entry, component or node.get("componentId"))
    if data:
        node["data"] = data
    node.update(fields)  # type: ignore[typeddict-item]  # what is wrong with them, `check_graph` says
    if component is None:
        return []
    if not isinstance(component, str) or not component:
        message = "`component` is the id of a component, as text."
        return [Problem(message, path=f"{path}.component")]
    node["componentId"] = component
    node["type"] = "Component"  # on the deployed engine, a node without incoming edges is an Input
    return []
