"""Reads hand-written YAML files and checks them against a JSON Schema; errors have file and line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema.exceptions import best_match, relevance

from .resources import validator

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
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


# libyaml is ten times faster; not every build of PyYAML has it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_Loader):  # type: ignore[misc]
    """Loads YAML's safe subset; a duplicate key in a mapping is an error instead of being ignored."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"duplicate key {key.value}", key.start_mark
                )
            seen.add(key.value)
        constructed: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return constructed


# Dates stay text: they are compared and shown, but not computed with.
_UniqueKeyLoader.add_constructor(
    "tag:yaml.org,2002:timestamp", yaml.SafeLoader.yaml_constructors["tag:yaml.org,2002:str"]
)


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
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError([Problem(path, None, f"can't be read: {error}")]) from error
    try:
        loader = _UniqueKeyLoader(text)
        root = loader.get_single_node()
        value = loader.construct_document(root) if root else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise DocumentError([Problem(path, line, f"is not valid YAML: {error.problem}")]) from error
    except yaml.YAMLError as error:
        raise DocumentError([Problem(path, None, f"is not valid YAML: {error}")]) from error
    document = Document(path, value, root)
    errors = sorted(validator(schema_name).iter_errors(value), key=relevance)
    if errors:
        raise DocumentError([_explain(document, error) for error in errors])
    return document


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
            line_pointer, f"{where}: unknown key {', '.join(unknown)}", _nearest(unknown, known)
        )
    if error.validator == "required":
        hint = rules.get("description", "")
        return document.problem(pointer, f"{where}: {error.message}", hint or "Add it.")
    return document.problem(pointer, f"{where}: {error.message}", rules.get("description", ""))


def _nearest(unknown: Sequence[str], known: Sequence[str]) -> str:
    close = [match for key in unknown for match in difflib.get_close_matches(key, known, 1)]
    if close:
        return f"Did you mean {', '.join(close)}?"
    return f"Known here: {', '.join(known)}." if known else "Remove it."
