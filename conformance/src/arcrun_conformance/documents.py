"""Reads hand-written YAML files and checks them against a JSON Schema; errors have file and line.

No file of others may end the interpreter: libyaml and what follows it work recursively, and an alias takes four
characters to repeat all that its anchor holds.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema.exceptions import best_match, relevance

from .cleaning import MAX_DEPTH, visible
from .resources import validator

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from pathlib import Path

    from jsonschema import ValidationError


@dataclass(frozen=True)
class Problem:
    """One error in a file: where it is, what is wrong, and what to do about it."""

    path: Path
    line: int | None
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        location = f"{self.path}:{self.line}" if self.line else str(self.path)
        suggestion = f"\n    {self.suggestion}" if self.suggestion else ""
        return f"{location}: {self.message}{suggestion}"


class DocumentError(Exception):
    """One or several files are invalid; `problems` says where and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


# What a file may hold, with its aliases written out; the largest of the package has some ten thousand values.
MAX_VALUES = 1_000_000
# How much of a message is shown: some repeat the whole value.
LONGEST_MESSAGE = 300
# libyaml is ten times faster; not every build of PyYAML has it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _SafeLoader(_Loader):  # type: ignore[misc]
    """Loads YAML's safe subset; a value that its tag does not allow is an error with its place."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, OverflowError) as error:
            kind = str(node.tag).rpartition(":")[2]
            problem = f"can't be read as {kind}: {shown(str(node.value))}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


# Dates stay text: they are compared and shown, but not computed with.
_SafeLoader.add_constructor(
    "tag:yaml.org,2002:timestamp", yaml.SafeLoader.yaml_constructors["tag:yaml.org,2002:str"]
)


class _StrictLoader(_SafeLoader):
    """Loads mappings whose keys are texts; a duplicate one is an error instead of being ignored."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _wrong_key(key, "a key must be a text")
            if key.value in seen:
                raise _wrong_key(key, f"duplicate key {shown(key.value)}")
            seen.add(key.value)
        constructed: dict[Hashable, Any] = super().construct_mapping(node, deep)
        for key, _ in node.value:  # those of merged mappings as well
            if not isinstance(self.construct_object(key), str):
                raise _wrong_key(key, f"the key {shown(key.value)} is no text: write it in quotes")
        return constructed


def _wrong_key(key: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, key.start_mark)


@dataclass(frozen=True)
class Document:
    """A parsed YAML file that knows the line of each of its values."""

    path: Path
    value: Any
    _root: yaml.Node | None = field(repr=False)

    def line_of(self, pointer: Sequence[str | int]) -> int | None:
        """Return the line (from 1) of the value at `pointer`, or of its nearest existing parent."""
        node, line = self._root, self._root.start_mark.line + 1 if self._root else None
        for part in pointer:
            child = _child(node, part)
            if child is None:
                break
            key, node = child
            line = key.start_mark.line + 1
        return line

    def problem(self, pointer: Sequence[str | int], message: str, suggestion: str = "") -> Problem:
        """Return a problem with the value at `pointer`."""
        return Problem(self.path, self.line_of(pointer), message, suggestion)


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def read(path: Path, schema_name: str) -> Document:
    """Read a YAML file and check it against one of the package's schemas.

    Raises:
        DocumentError: The file is missing, is not YAML, or does not match the schema; each
            problem has its line and what to do.
    """
    document = _loaded(path, _StrictLoader)
    errors = sorted(validator(schema_name).iter_errors(document.value), key=relevance)
    if errors:
        raise DocumentError([_explain(document, error) for error in errors])
    return document


def read_yaml(path: Path) -> Any:
    """Return the value of a YAML file that others have made, such as an OpenAPI document.

    Raises:
        DocumentError: The file is missing, is not YAML, or holds too much.
    """
    return _loaded(path, _SafeLoader).value


def parse_yaml(text: str, path: Path) -> Any:
    """Return the value of a YAML text of others; `path` is where it is from, for messages.

    Raises:
        DocumentError: It is not YAML, or holds too much.
    """
    return _parsed(text, path, _SafeLoader).value


def _loaded(path: Path, loader_class: type[_SafeLoader]) -> Document:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError([Problem(path, None, f"can't be read: {error}")]) from error
    return _parsed(text, path, loader_class)


def _parsed(text: str, path: Path, loader_class: type[_SafeLoader]) -> Document:
    try:
        _check_extent(path, yaml.parse(text, _Loader))
        loader = loader_class(text)
        root = loader.get_single_node()
        value = loader.construct_document(root) if root else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise DocumentError(
            [Problem(path, line, f"is not valid YAML: {shown(str(error.problem))}")]
        ) from error
    except yaml.YAMLError as error:
        raise DocumentError(
            [Problem(path, None, f"is not valid YAML: {shown(str(error))}")]
        ) from error
    return Document(path, value, root)


@dataclass
class _Extent:
    """How much a value holds, with its aliases written out.

    Attributes:
        anchor: The name by which aliases repeat it.
        levels: How deep it is nested; a text is 0 levels deep, a list or mapping of texts 1.
        values: How many values it has, itself included.
    """

    anchor: str | None = None
    levels: int = 0
    values: int = 1

    def add(self, item: _Extent) -> None:
        self.levels = max(self.levels, item.levels + 1)
        self.values += item.values


def _check_extent(path: Path, events: Iterable[yaml.Event]) -> None:
    """Check that values are not nested too deep, and are not too many; the parser's events need no recursion.

    Raises:
        DocumentError: They are.
    """
    opened, anchors = [_Extent()], {}
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append(_Extent(event.anchor, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = opened.pop()
            anchors[ended.anchor] = ended
            opened[-1].add(ended)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in [each.anchor for each in opened]:
                raise _refused(
                    path, event, f"*{shown(str(event.anchor))} is part of what it repeats"
                )
            opened[-1].add(anchors.get(event.anchor, _Extent()))
        elif isinstance(event, yaml.ScalarEvent):
            opened[-1].add(_Extent())
        if len(opened) - 2 + opened[-1].levels > MAX_DEPTH:
            raise _refused(path, event, f"nested more than {MAX_DEPTH} levels deep")
        if opened[-1].values > MAX_VALUES:
            raise _refused(path, event, f"has more than {MAX_VALUES:,} values, aliases written out")


def _refused(path: Path, event: yaml.Event, why: str) -> DocumentError:
    line = event.start_mark.line + 1 if event.start_mark else None
    return DocumentError([Problem(path, line, f"can't be read: {why}")])


def shown(text: str) -> str:
    """Return the beginning of a text that others have written, such as a value or a message about it."""
    text = visible(text)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"


def _explain(document: Document, error: ValidationError) -> Problem:
    # For oneOf/anyOf the branch that matches best says more than "is not valid under any".
    deepest = best_match(error.context) if error.context else None
    error = deepest or error
    rules: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    pointer = list(error.absolute_path)
    where = ".".join(map(str, pointer)) or "the file"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(rules.get("properties", {}))
        unknown = [key for key in error.instance if key not in known]
        line_pointer = [*pointer, unknown[0]] if unknown else pointer
        return document.problem(
            line_pointer,
            f"{where}: unknown key {shown(', '.join(unknown))}",
            _nearest(unknown, known),
        )
    if error.validator == "required":
        hint = rules.get("description", "")
        return document.problem(pointer, f"{where}: {shown(error.message)}", hint or "Add it.")
    return document.problem(
        pointer, f"{where}: {shown(error.message)}", rules.get("description", "")
    )


def _nearest(unknown: Sequence[str], known: Sequence[str]) -> str:
    close = [match for key in unknown for match in difflib.get_close_matches(key, known, 1)]
    if close:
        return f"Did you mean {', '.join(close)}?"
    return f"Known here: {', '.join(known)}." if known else "Remove it."
