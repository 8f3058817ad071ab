"""Parameters that are not filled like the others: conditions and code (docs/contract.md#placeholders)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .clock import TIME_NAMES
from .condition_parser import parse_condition
from .destinations import (
    CODE,
    HTTP_REQUEST,
    MODEL,
    MODEL_TOKENS,
    code_problem,
    destination_problem,
    model_problem,
)
from .flow import node_id
from .labels import DEFAULT_ITERATOR
from .model import MAX_PROBLEMS, Problem, readable
from .nearest import nearest
from .placeholders import Placeholder, escaped_pieces, parse, parse_escaped
from .templates import ObjectTemplate, is_template, parse_value, placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Graph, JsonObject

CONDITIONS = {"if_control": "condition", "filter": "condition"}
"""The components with a condition, and the parameter that holds it: it is parsed, not filled."""

ROOTS = frozenset({"input", "prev", "ctx", "loop", "credential", "secret"})
RESULT_FIELDS = frozenset({"success", "status", "data", "error", "branch", "result", "results"})
"""What results usually have, so that it is in the context."""

_VERBATIM = {**CONDITIONS, "code": "code"}
MAX_NAME_PARTS = 16
"""In how many parts dots may cut the name of a node."""

_INDEX = re.compile(r"\[\s*(\d+|'[^'\]]*'|\"[^\"\]]*\")\s*\]")
_COMPUTES = re.compile(r"[+*/%<>=!?()&]|\s-\s")
_NO_NAME = re.compile(r"[\[\]\"'`]")


def parse_parameters(component: str | None, data: JsonObject) -> Any:
    """Parse the templates in a node's data; what its component reads itself is none.

    Example:
        >>> parse_parameters("filter", {"condition": "n > {{input.n}}"})
        {'condition': 'n > {{input.n}}'}
    """
    verbatim = _VERBATIM.get(component or "")
    fields = tuple(
        (name, value if name == verbatim else parse_value(value)) for name, value in data.items()
    )
    return ObjectTemplate(fields) if any(is_template(value) for _, value in fields) else data


def optional_placeholders(component: str | None, data: JsonObject) -> frozenset[str]:
    """Return the placeholders that may find nothing: `try_catch` asks whether there is an error."""
    text = data.get("error") if component == "try_catch" else None
    parts = parse_escaped(text) if isinstance(text, str) else ()
    return frozenset(part.source for part in parts if isinstance(part, Placeholder))


@dataclass(frozen=True)
class ParameterCheck:
    """What was found in the parameters of a graph's nodes.

    Attributes:
        problems: Texts that can't be a condition, or hold what can't be a placeholder, and
            credentials that would go to a host that data chooses.
        warnings: Placeholders that name nothing that is known before the run.
    """

    problems: list[Problem]
    warnings: list[ParameterWarning]


@dataclass(frozen=True)
class ParameterWarning:
    """A placeholder whose first name is no root, no node and no field that the graph declares.

    Attributes:
        node: The node's id.
        placeholder: The placeholder as it was written.
        message: What is wrong with it.
    """

    node: str
    placeholder: str
    message: str


def check_parameters(graph: Graph) -> ParameterCheck:
    """Check the conditions, placeholders and destinations of a graph that `check_graph` finds nothing wrong with.

    Graphs are checked like this when they are pushed. What was stored before still runs.

    Example:
        >>> node = {"id": "a", "type": "Component", "componentId": "set"}
        >>> graph = {"nodes": [{**node, "data": {"values": {"x": "{{inptu.x}}"}}}], "edges": []}
        >>> check_parameters(graph).warnings[0].message
        "{{inptu.x}}: there is no node or declared field 'inptu'; did you mean 'input'?"
    """
    known = _Known(graph)
    problems: list[Problem] = []
    warnings: list[ParameterWarning] = []
    for owner, path, text, is_condition in _texts(graph):
        if len(problems) >= MAX_PROBLEMS:
            break
        found, message = _read(text, known, is_condition=is_condition)
        if message is not None:
            problems.append(Problem(message, path=path))
        for placeholder in found:
            if len(warnings) < MAX_PROBLEMS and not known.has(placeholder):
                warnings.append(known.warning(owner, placeholder))
    problems += _destination_problems(graph)
    return ParameterCheck(problems[:MAX_PROBLEMS], warnings)


def named_credentials(parsed: Any) -> frozenset[str]:
    """Return the credentials that the placeholders of parsed data name."""
    return frozenset(
        placeholder.credential for placeholder in placeholders(parsed) if placeholder.credential
    )


def asked_credentials(data: JsonObject) -> frozenset[str]:
    """Return the credentials that a node of a model names elsewhere than where its service takes a token.

    Example:
        >>> sorted(asked_credentials({"prompt": "{{secret.a}}", "mira_token": "{{secret.b}}"}))
        ['a']
    """
    asked = {name: value for name, value in data.items() if name not in MODEL_TOKENS}
    return named_credentials(parse_value(asked))


def _destination_problems(graph: Graph) -> Iterator[Problem]:
    """Yield the nodes that would send credentials to where they are not to go."""
    for number, node in enumerate(graph["nodes"]):
        problem, path = _destination_problem(node.get("componentId"), node.get("data") or {})
        if problem is not None:
            yield Problem(
                f"The node '{node['id']}': {problem}.", path=f"nodes[{number}].data{path}"
            )


def _destination_problem(component: str | None, data: JsonObject) -> tuple[str | None, str]:
    """Return why a node must not have the credentials that it names, and in which parameter."""
    if component == MODEL:
        return model_problem(asked_credentials(data)), ""
    if component not in (HTTP_REQUEST, CODE):
        return None, ""
    credentials = named_credentials(parse_parameters(component, data))
    if component == CODE:
        return code_problem(credentials), ""
    return destination_problem(data.get("url"), credentials), ".url"


def _texts(graph: Graph) -> Iterator[tuple[str, str, str, bool]]:
    """Yield the texts of a graph that may hold placeholders: node, path, text, whether it is a condition."""
    for number, node in enumerate(graph["nodes"]):
        component = node.get("componentId", "")
        for name, value in (node.get("data") or {}).items():
            path = f"nodes[{number}].data.{name}"
            if name == CONDITIONS.get(component):
                if isinstance(value, str):
                    yield node["id"], path, value, True
            elif name != _VERBATIM.get(component):
                for text in _strings(value):
                    yield node["id"], path, text, False
    for number, edge in enumerate(graph["edges"]):
        if edge["type"] == "IF":
            yield edge["from"], f"edges[{number}].condition", edge.get("condition", ""), True


def _strings(value: Any) -> Iterator[str]:
    """Yield the texts in a value that hold two braces. Data is at most 64 levels deep."""
    if isinstance(value, str):
        if "{{" in value:
            yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _read(text: str, known: _Known, *, is_condition: bool) -> tuple[list[Placeholder], str | None]:
    """Return the placeholders of a text, and what is wrong with it."""
    parts = [
        part
        for piece, is_literal in escaped_pieces(text)
        if not is_literal
        for part in parse(piece)
    ]
    found = [part for part in parts if isinstance(part, Placeholder)]
    if is_condition:
        try:
            found = list(parse_condition(text).placeholders())
        except ValueError as problem:
            return [], str(problem)
    for part in parts:
        if isinstance(part, str) and "{{" in part:
            return [], _not_closed(part)
    for placeholder in found:
        message = _malformed(placeholder, known.behind_node(placeholder.path))
        if message is not None:
            return [], message
    return found, None


def _not_closed(part: str) -> str:
    start = part.index("{{")
    shown = part[start : start + 40]
    return (
        f"`{shown}` is not a placeholder: it ends with `}}}}` and holds a name in between. Write `\\{{{{` for the "
        "text `{{`."
    )


def _malformed(placeholder: Placeholder, path: tuple[str, ...]) -> str | None:
    """Return why a placeholder could not name anything, and how it is written here.

    Args:
        placeholder: The placeholder.
        path: Its path behind the name of a node, which may hold any sign.
    """
    name = ".".join(path)
    if "|" in name:
        plain = placeholder.name.partition("|")[0].strip()
        return (
            f"{placeholder.source}: placeholders have no filters; write {{{{{plain}}}}}, and change the value in a node "
            "of its own"
        )
    if _INDEX.search(name):
        plain = _INDEX.sub(lambda index: "." + index[1].strip("'\""), placeholder.name)
        return (
            f"{placeholder.source}: there are no brackets in a placeholder; write {{{{{plain}}}}}"
        )
    if _NO_NAME.search(name) or not all(path):
        return f"{placeholder.source} is not a placeholder; it holds names with dots between them, as {{{{a.b.0.c}}}}"
    return None


class _Known:
    """The first names that a graph's placeholders can have."""

    def __init__(self, graph: Graph) -> None:
        self._nodes = {node["id"] for node in graph["nodes"]}
        self._names = {*ROOTS, *TIME_NAMES, *RESULT_FIELDS, *self._nodes}
        self._names |= {edge.get("iterator") or DEFAULT_ITERATOR for edge in graph["edges"]}
        for node in graph["nodes"]:
            data = node.get("data") or {}
            if not node.get("componentId"):
                self._names |= set(data)
            elif node.get("componentId") == "set" and isinstance(data.get("values"), dict):
                self._names |= set(data["values"])

    def has(self, placeholder: Placeholder) -> bool:
        return placeholder.path[0] in self._names or self.is_node(placeholder.path)

    def is_node(self, path: tuple[str, ...]) -> bool:
        """Tell whether a path begins with the name of a node, which may hold dots itself."""
        return len(self.behind_node(path)) < len(path)

    def behind_node(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return what follows the name of a node in a path; the whole path if it begins with none."""
        for length in range(min(len(path), MAX_NAME_PARTS), 0, -1):
            if node_id(".".join(path[:length])) in self._nodes:
                return path[length:]
        return path

    def warning(self, node: str, placeholder: Placeholder) -> ParameterWarning:
        root = placeholder.path[0]
        near = nearest(root, sorted(self._names), least=0.6)
        hint = f"; did you mean '{near}'?" if near else "; a field of the input is {{input.NAME}}"
        if _COMPUTES.search(root):
            hint = "; a placeholder looks a name up and does not compute: a node of its own does"
        message = f"{placeholder.source}: there is no node or declared field '{root}'{hint}"
        return ParameterWarning(node, placeholder.source, readable(message))
