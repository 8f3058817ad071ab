"""YAML and JSON documents that people write, with the place of each key and value: errors point there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from arcrun._core.config import PARSER_ERRORS
from arcrun._core.graphs import node_id

from .errors import CommandError

if TYPE_CHECKING:
    import yaml

# More values than this, aliases written out, are refused: a document of a few lines can stand for billions.
MOST_VALUES = 100_000
DEEPEST = 100

Path = tuple["str | int", ...]
_FULL_WIDTH_COLON = re.compile(r"^(\s*(?:- +)?[\w.-]+)：", re.MULTILINE)
_TAB = re.compile(r"^ *\t", re.MULTILINE)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Place(NamedTuple):
    """A place in a text; both count from 1."""

    line: int
    column: int


class Document:
    """A parsed document.

    Attributes:
        value: the mapping.
        text: the text that it was read from.
    """

    def __init__(self, value: dict[str, Any], text: str, places: dict[Path, Place]) -> None:
        self.value = value
        self.text = text
        self._places = places

    def place_of(self, path: Sequence[str | int]) -> Place | None:
        """Return the place of a value, or that of the nearest one around it that is in the document.

        Args:
            path: keys and positions, from the outermost.
        """
        steps = tuple(path)
        while steps:
            if steps in self._places:
                return self._places[steps]
            steps = steps[:-1]
        return None

    def has(self, path: Sequence[str | int]) -> bool:
        """Tell whether there is a value at a path."""
        return tuple(path) in self._places


def parse_document(text: str, what: str = "the document") -> Document:
    """Parse YAML, of which JSON is a part.

    Args:
        text: the document's text.
        what: names it in errors.

    Raises:
        CommandError: `invalid_yaml`, with the places, if it is not YAML of one mapping, or names a key twice.

    Example:
        >>> parse_document("name: greet").place_of(["name"])
        Place(line=1, column=7)
    """
    import yaml

    loader = yaml.SafeLoader(text.removeprefix("\ufeff"))
    try:
        node = loader.get_single_node()
        places: dict[Path, Place] = {}
        if node is not None:
            faults = list(_read(node, (), places, [MOST_VALUES], 0))
            if faults:
                raise _invalid(what, faults)
        value = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise _invalid(what, [_fault_of(error, text)]) from None
    except (yaml.YAMLError, *PARSER_ERRORS) as error:
        raise _invalid(what, [{"message": " ".join(str(error).split())}]) from None
    finally:
        loader.dispose()
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return Document(value, text, places)
    colon = _FULL_WIDTH_COLON.search(text)
    if colon:
        raise _invalid(what, [_full_width_colon(text, colon)])
    raise _invalid(
        what, [{"message": "it must be a mapping, lines of `key: value`", "line": 1, "column": 1}]
    )


def _read(
    node: yaml.Node, path: Path, places: dict[Path, Place], left: list[int], depth: int
) -> Iterator[dict[str, Any]]:
    """Note the places of a node and of what is in it; yield the keys that are named twice."""
    import yaml

    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST:
        raise ValueError(
            f"it has more than {MOST_VALUES} values or is nested more than {DEEPEST} deep; do aliases (*name) repeat?"
        )
    places.setdefault(path, _place(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _read(item, (*path, number), places, left, depth + 1)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, Place] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in seen and key.tag != "tag:yaml.org,2002:merge":
                place = _place(key)
                message = f"the key {name!r} stands here a second time; the first is on line {seen[name].line}"
                yield {"message": message, "line": place.line, "column": place.column}
            seen.setdefault(name, _place(key))
            yield from _read(value, (*path, name), places, left, depth + 1)


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _fault_of(error: yaml.MarkedYAMLError, text: str) -> dict[str, Any]:
    """Return what is wrong with a text that is no YAML, in words that name the usual mistakes."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    tab, colon = _TAB.search(text), _FULL_WIDTH_COLON.search(text)
    if tab and "\\t" in str(error.problem):
        place = _place_at(text, tab.end() - 1)
        message = "a tab can't indent YAML; use spaces"
        return {"message": message, "line": place.line, "column": place.column}
    if colon and _place_at(text, colon.end() - 1).line <= line:
        return _full_width_colon(text, colon)
    problem = str(error.problem or "it is not YAML").replace("\\n", "line end")
    return {"message": problem, "line": line, "column": mark.column + 1 if mark else 1}


def _full_width_colon(text: str, found: re.Match[str]) -> dict[str, Any]:
    place = _place_at(text, found.end() - 1)
    return {
        "message": "this is a full-width colon `：`; YAML needs `: `, a colon and a space",
        "line": place.line,
        "column": place.column,
    }


def _place_at(text: str, index: int) -> Place:
    before = text[:index]
    return Place(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def _invalid(what: str, faults: list[dict[str, Any]]) -> CommandError:
    first = faults[0]
    where = f"line {first['line']}, column {first['column']}: " if "line" in first else ""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return CommandError(
        "invalid_yaml", f"{what} is not valid YAML: {where}{first['message']}{more}", details=faults
    )


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
    return [{**detail, **_place_in(detail, document, nodes)} for detail in details]


def _place_in(detail: dict[str, Any], document: Document, nodes: Sequence[str]) -> dict[str, Any]:
    place = None
    if isinstance(detail.get("path"), str):
        steps = [name or int(number) for name, number in _STEP.findall(detail["path"])]
        place = document.place_of(_steps_in(steps, document, nodes))
    elif isinstance(detail.get("line"), int):
        place = _place_in_flow(detail["line"], detail.get("column"), document)
    elif isinstance(detail.get("node"), str):
        place = document.place_of(_config_of(detail["node"], document))
    return {"line": place.line, "column": place.column} if place else {}


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
    return tuple(steps)


def _config_of(node: str, document: Document) -> Path:
    """Return the path of a node's config: the document may write its name in another way than its id."""
    config = document.value.get("config")
    names = config if isinstance(config, dict) else {}
    name = next((name for name in names if node in {name, node_id(name)}), node)
    return ("config", name)


def _place_in_flow(number: int, column: object, document: Document) -> Place | None:
    place = document.place_of(("flow", number - 1))
    if place is None or not document.has(("flow", number - 1)):
        return None
    line = document.text.splitlines()[place.line - 1]
    quoted = line[place.column - 1 : place.column] in {'"', "'"}
    inner = column if isinstance(column, int) else 1
    return Place(place.line, place.column + inner - 1 + quoted)
