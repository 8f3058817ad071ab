"""Checks of a graph before it is stored (docs/contract.md#pushing-a-workflow)."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from .condition_parser import parse_condition
from .edges import EDGE_KINDS, EDGE_TYPES, LABELS
from .loops import find_loop
from .model import MAX_PROBLEMS, NodeType, Problem
from .nearest import Suggestions
from .policy_check import policy_field_problems, policy_use_problems
from .templates import parse_value, placeholders
from .versions import without_version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .placeholders import Placeholder

BUILTIN_IDS = frozenset({"comp_passthrough", "comp_uppercase", "comp_counter", "trigger_workflow"})
NODE_TYPES = frozenset(get_args(NodeType))
MAX_NODES = 1000
MAX_EDGES = 5000
MAX_ID_LENGTH = 256
MAX_COMPONENT_ID_LENGTH = 2048
MAX_NESTING = 64
MAX_DATA_BYTES = 1024 * 1024
MAX_LISTED = 100

_ITERATOR = re.compile(r"\w+")
_json_text = json.JSONEncoder(ensure_ascii=False).encode


def check_graph(graph: Any, known: Collection[str] | None = None) -> list[Problem]:
    """Find what is wrong with a graph.

    Args:
        graph: Any JSON value.
        known: The ids of the components that there are. Built-ins and URLs need not be among them. With `NAME@`
            among them, a node may also name `NAME@VERSION` or `NAME@LABEL`.
            None leaves components unchecked.

    Returns:
        Every problem, with its path; an empty list if the graph can run.

    Example:
        >>> node = {"id": "計數", "type": "Component", "componentId": "comp_countr"}
        >>> [problem.suggestion for problem in check_graph({"nodes": [node], "edges": []}, known=[])]
        ['comp_counter']
    """
    if not isinstance(graph, dict):
        return [Problem("A graph is an object with `nodes` and `edges`.", path="graph")]
    problems = [
        *_list_problems(graph, "nodes", MAX_NODES),
        *_list_problems(graph, "edges", MAX_EDGES),
    ]
    if problems:
        return problems
    nodes, edges = graph["nodes"], graph["edges"]
    if not nodes:
        return [Problem("The graph has no nodes; it needs at least one.", path="nodes")]
    suggestions = Suggestions()
    problems += policy_field_problems(graph, "", suggestions)
    for number, node in enumerate(nodes):
        if len(problems) < MAX_PROBLEMS:
            problems += _node_problems(node, f"nodes[{number}]", suggestions)
    ids = [
        node["id"] for node in nodes if isinstance(node, dict) and isinstance(node.get("id"), str)
    ]
    problems += _duplicates(ids)
    known_ids = dict.fromkeys(sorted(ids))
    for number, edge in enumerate(edges):
        if len(problems) < MAX_PROBLEMS:
            problems += _edge_problems(edge, f"edges[{number}]", known_ids, suggestions)
    if problems:
        return problems[:MAX_PROBLEMS]
    problems += _component_problems(nodes, edges, known, suggestions)
    return problems[:MAX_PROBLEMS] or _structure_problems(nodes, edges)


def is_url(component_id: str) -> bool:
    """Tell whether a component id is the address of a component on the web.

    Example:
        >>> is_url("https://example.com/翻譯"), is_url("hash")
        (True, False)
    """
    return component_id.startswith(("http://", "https://"))


def _list_problems(graph: dict[str, Any], key: str, most: int) -> list[Problem]:
    value = graph.get(key)
    if not isinstance(value, list):
        return [Problem(f"`{key}` must be a list.", path=key)]
    if len(value) > most:
        return [Problem(f"There are {len(value)} {key}; at most {most} are allowed.", path=key)]
    return []


def _node_problems(node: Any, path: str, suggestions: Suggestions) -> list[Problem]:
    if not isinstance(node, dict):
        return [Problem("A node is an object with `id` and `type`.", path=path)]
    problems = [*_text_problems(node, "id", path, MAX_ID_LENGTH)]
    kind = node.get("type")
    if not isinstance(kind, str) or kind not in NODE_TYPES:
        near = suggestions.nearest(str(kind), sorted(NODE_TYPES)) if isinstance(kind, str) else None
        message = f"A node's type is Input, Component or Output, not {_shown(kind)}."
        problems.append(Problem(message, path=f"{path}.type", suggestion=near))
    if "componentId" in node:
        problems += _text_problems(node, "componentId", path, MAX_COMPONENT_ID_LENGTH)
    if "label" in node and not isinstance(node["label"], str):
        problems.append(Problem("A node's label is text.", path=f"{path}.label"))
    if "data" in node:
        problems += _data_problems(node["data"], f"{path}.data")
    problems += policy_field_problems(node, path, suggestions)
    return problems


def _text_problems(owner: dict[str, Any], key: str, path: str, most: int) -> Iterable[Problem]:
    value = owner.get(key)
    where = f"{path}.{key}"
    if value is None:
        yield Problem(f"`{key}` is missing.", path=where)
    elif not isinstance(value, str) or not value:
        yield Problem(f"`{key}` must be text that is not empty, not {_shown(value)}.", path=where)
    elif len(value) > most:
        yield Problem(
            f"`{key}` has {len(value)} characters; at most {most} are allowed.", path=where
        )
    elif not is_unicode(value):
        yield Problem(f"`{key}` holds half of a character (a lone surrogate).", path=where)


def _data_problems(data: Any, path: str) -> list[Problem]:
    if not isinstance(data, dict):
        return [Problem("A node's data is an object of parameters.", path=path)]
    if _nesting(data) > MAX_NESTING:
        return [Problem(f"The data is nested deeper than {MAX_NESTING} levels.", path=path)]
    text = _json_text(data)
    if not is_unicode(text):
        return [Problem("The data holds half of a character (a lone surrogate).", path=path)]
    if len(text.encode()) > MAX_DATA_BYTES:
        return [Problem(f"The data is larger than {MAX_DATA_BYTES} bytes as JSON.", path=path)]
    return [
        Problem(
            f"{placeholder.source} is not the name of a credential; write {{{{credential.NAME}}}}, with a name of "
            "letters A–Z, digits and _.",
            path=path,
        )
        for placeholder in islice(_wrong_credentials(data), MAX_PROBLEMS)
    ]


def _wrong_credentials(data: Any) -> Iterable[Placeholder]:
    for placeholder in placeholders(parse_value(data)):
        if placeholder.path[0] in {"credential", "secret"} and placeholder.credential is None:
            yield placeholder


def _nesting(value: Any) -> int:
    """Return how deep a JSON value is nested. It goes level by level: recursion could overflow."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            item
            for holder in level
            for item in (
                holder.values()
                if isinstance(holder, dict)
                else holder
                if isinstance(holder, list)
                else ()
            )
        ]
    return depth


def _duplicates(ids: list[str]) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for number, identity in enumerate(ids):
        if identity in seen:
            message = f"Two nodes have the id '{identity}'; each needs its own."
            problems.append(Problem(message, path=f"nodes[{number}].id"))
        seen.add(identity)
    return problems


def _edge_problems(
    edge: Any, path: str, ids: Collection[str], suggestions: Suggestions
) -> list[Problem]:
    if not isinstance(edge, dict):
        return [Problem("An edge is an object with `from`, `to` and `type`.", path=path)]
    problems = []
    for side in ("from", "to"):
        end = edge.get(side)
        if not isinstance(end, str):
            problems.append(Problem(f"`{side}` must be a node's id.", path=f"{path}.{side}"))
        elif end not in ids:
            near = suggestions.nearest(end, ids)
            hint = f"; did you mean '{near}'?" if near else "."
            message = f"There is no node '{end}'{hint}"
            problems.append(Problem(message, path=f"{path}.{side}", suggestion=near))
    kind = edge.get("type")
    if not isinstance(kind, str) or kind not in EDGE_TYPES:
        problems.append(_unknown_edge_type(kind, path, suggestions))
    else:
        problems += _argument_problems(edge, kind, path)
    return problems


def _unknown_edge_type(kind: Any, path: str, suggestions: Suggestions) -> Problem:
    near = None
    if isinstance(kind, str):
        near = LABELS.get(kind.upper()) or suggestions.nearest(kind, sorted(EDGE_TYPES))
    hint = f"did you mean '{near}'?" if near else f"the types are {', '.join(sorted(EDGE_TYPES))}."
    return Problem(
        f"There is no edge type {_shown(kind)}; {hint}", path=f"{path}.type", suggestion=near
    )


def _argument_problems(edge: dict[str, Any], edge_type: str, path: str) -> list[Problem]:
    argument = EDGE_KINDS[edge_type].argument
    if argument is None:
        return []
    message = _ARGUMENT_CHECKS[argument](edge.get(argument))
    return [Problem(message, path=f"{path}.{argument}")] if message else []


def _against_condition(condition: Any) -> str | None:
    if not isinstance(condition, str) or not condition.strip():
        return "An IF without a condition would always run; give `condition`, such as `n > 3`."
    try:
        parse_condition(condition)
    except ValueError as problem:
        return str(problem)
    return None


def _against_branch(branch: Any) -> str | None:
    if isinstance(branch, str) and branch.strip():
        return None
    return "An ON_BRANCH without the branch's name would never run; give `branch`."


def _against_iterator(iterator: Any) -> str | None:
    if iterator is None or (isinstance(iterator, str) and _ITERATOR.fullmatch(iterator)):
        return None
    return f"An iterator is one word, not {_shown(iterator)}."


_ARGUMENT_CHECKS = {
    "condition": _against_condition,
    "branch": _against_branch,
    "iterator": _against_iterator,
}


def _component_problems(
    nodes: list[Any],
    edges: list[Any],
    known: Collection[str] | None,
    suggestions: Suggestions,
) -> list[Problem]:
    targets = {edge["to"] for edge in edges}
    called = {edge["to"] for edge in edges if edge["type"] == "CALLS_SUBFLOW"}
    loops = {edge["from"] for edge in edges if edge["type"] == "FOREACH"}
    names = None if known is None else sorted({*known, *BUILTIN_IDS})
    problems: list[Problem] = []
    for number, node in enumerate(nodes):
        if len(problems) >= MAX_PROBLEMS:
            return problems
        path = f"nodes[{number}]"
        component, is_called = node.get("componentId"), node["id"] in called
        if component is None:
            if node["type"] == "Component" and not is_called:
                problems.append(_no_component(node, path, is_target=node["id"] in targets))
        else:
            problems += _known_problems(component, f"{path}.componentId", names, suggestions)
            if is_called and component != "trigger_workflow":
                problems.append(_called_component(node, path))
        calls_workflow = is_called or component == "trigger_workflow"
        problems += policy_use_problems(
            node, path, calls_workflow=calls_workflow, has_foreach=node["id"] in loops
        )
        if calls_workflow:
            problems += _hand_over_problems(node, path)
    return problems


def _no_component(node: dict[str, Any], path: str, *, is_target: bool) -> Problem:
    kind = "" if is_target else " (or type Input, if it only stands for the run's input)"
    message = f"The node '{node['id']}' has no component; give it one{kind}."
    return Problem(message, path=f"{path}.componentId")


def _called_component(node: dict[str, Any], path: str) -> Problem:
    message = (
        f"'{node['id']}' is called as a sub-workflow and has the component "
        f"'{node['componentId']}'; remove the component, or use another edge than CALLS_SUBFLOW."
    )
    return Problem(message, path=f"{path}.componentId")


def _known_problems(
    component: str, path: str, known: list[str] | None, suggestions: Suggestions
) -> list[Problem]:
    if is_url(component):
        try:
            host, _ = urlsplit(component).hostname, urlsplit(component).port
        except ValueError:
            host = None
        return [] if host else [Problem(f"'{component}' is not a complete URL.", path=path)]
    if known is None or (_is_in(component, known) and not component.endswith("@")):
        return []
    name = without_version(component)
    if name is not None and _is_in(f"{name}@", known):
        return []
    listed = [one for one in known if not one.endswith("@")]
    near = suggestions.nearest(component, listed, least=0.7)
    hint = (
        f"; did you mean '{near}'?"
        if near
        else f"; use a URL, or one of {', '.join(listed[:MAX_LISTED])}"
    )
    message = f"There is no component '{component}'{hint}"
    return [Problem(message, path=path, suggestion=near, code="unknown_component")]


def _is_in(name: str, ordered: list[str]) -> bool:
    place = bisect_left(ordered, name)
    return place < len(ordered) and ordered[place] == name


def _hand_over_problems(node: dict[str, Any], path: str) -> list[Problem]:
    data = node.get("data") or {}
    problems = []
    if data.get("wait") is False:
        message = "`wait: false` is not supported; the called workflow is run to its end."
        problems.append(Problem(message, path=f"{path}.data.wait"))
    return problems + [
        Problem(
            f"{placeholder.source} can't be handed to another workflow, where it would be plain input; "
            "name the credential in the node that uses it.",
            path=f"{path}.data",
        )
        for placeholder in islice(
            filter(_names_credential, placeholders(parse_value(data))), MAX_PROBLEMS
        )
    ]


def _names_credential(placeholder: Placeholder) -> bool:
    return placeholder.credential is not None


def _structure_problems(nodes: list[Any], edges: list[Any]) -> list[Problem]:
    loop = find_loop([node["id"] for node in nodes], edges)
    if loop:
        way = " → ".join(loop.nodes)
        message = f"These nodes run in a circle: {way}. Remove one of these edges."
        return [Problem(message, path=f"edges[{loop.edge}]")]
    if {node["id"] for node in nodes} <= {edge["to"] for edge in edges}:
        message = "Nothing starts this workflow: every node is some edge's target."
        return [Problem(message, path="edges")]
    return []


def is_unicode(text: str) -> bool:
    r"""Tell whether a text is valid Unicode: it holds no lone surrogate.

    Example:
        >>> is_unicode("好"), is_unicode("\ud83d")
        (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:80]
