"""Read the API report of the JavaScript SDK, which api-extractor writes and `nox -s js_lint` keeps up to date."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.release.compatibility.types import split

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = re.compile(r"^```ts\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)
_DECLARATION = re.compile(
    r"(?P<export>export )?(?:declare )?(?:abstract )?"
    r"(?P<kind>class|interface|type|const|let|function|enum) (?P<name>[\w$]+)"
)
_RENAMED = re.compile(r"export \{ (\w+) as (\w+) \}")
_PROPERTY = re.compile(
    r"(?:readonly )?(?P<name>[\w$]+|\[[^\]]+\])(?P<optional>\?)?: (?P<type>.+)", re.DOTALL
)
_METHOD = re.compile(r"(?P<name>[\w$]+)(?P<generics><.*?>)?\((?P<rest>.*)", re.DOTALL)
_PARAMETER = re.compile(
    r"(?P<rest>\.\.\.)?(?P<name>[\w$]+|\{.*?\})(?P<optional>\?)?: (?P<type>.+)", re.DOTALL
)


@dataclass(frozen=True)
class Value:
    """A parameter or a property: its type, and whether it must be there."""

    type: str
    required: bool


@dataclass(frozen=True)
class Method:
    """A method, a constructor or a function."""

    parameters: dict[str, Value]
    returns: str
    generics: str = ""


@dataclass
class Declaration:
    """What the package exports under one name.

    Attributes:
        kind: `class`, `interface`, `type`, `const` or `function`.
        header: What is behind the name: type parameters and base types; of other declarations, all.
        members: The properties and methods, and the constructor.
    """

    kind: str
    header: str
    members: dict[str, Value | Method] = field(default_factory=dict)


def read(text: str) -> dict[str, Declaration]:
    """Read the exported declarations of a report.

    Raises:
        ValueError: The text is not such a report, or has a declaration of a form that is not known here.
    """
    code = _CODE.search(text)
    if code is None:
        raise ValueError("the API report has no block of TypeScript")
    names: dict[str, str] = dict(_RENAMED.findall(code[1]))
    found: dict[str, Declaration] = {}
    for statement in _statements(_COMMENT.sub("", code[1])):
        head = _DECLARATION.match(statement)
        if head is None:
            if not _RENAMED.match(statement):
                raise ValueError(f"the API report has a statement of an unknown form: {statement}")
        elif head["export"] or head["name"] in names:
            found[names.get(head["name"], head["name"])] = _declaration(
                head["kind"], statement[head.end() :]
            )
    return found


def _statements(code: str) -> Iterator[str]:
    """Yield the statements at the margin, each with the lines that belong to it."""
    lines: list[str] = []
    for line in code.splitlines():
        if line and not line.startswith((" ", "}")) and lines:
            yield "\n".join(lines).strip()
            lines = []
        if line.strip():
            lines.append(line)
    if lines:
        yield "\n".join(lines).strip()


def _declaration(kind: str, text: str) -> Declaration:
    if kind not in {"class", "interface"}:
        return Declaration(kind, text.strip().rstrip(";"))
    header, _, body = text.partition("{\n")
    declaration = Declaration(kind, header.strip())
    for member in _members(body.rpartition("}")[0]):
        name, parsed = _member(member)
        declaration.members[name] = parsed
    return declaration


def _members(body: str) -> Iterator[str]:
    """Yield the members of a class or interface, which api-extractor indents by four spaces."""
    member = ""
    for line in body.splitlines():
        if re.match(r" {4}[^\s}\])]", line) and member:
            yield member
            member = ""
        member = f"{member}\n{line}".strip()
    if member:
        yield member


def _member(text: str) -> tuple[str, Value | Method]:
    text = text.removeprefix("static ").removesuffix(";")
    if found := _PROPERTY.fullmatch(text):
        return found["name"], Value(found["type"], required=not found["optional"])
    if found := _METHOD.fullmatch(text):
        inside, returns = _closed(found["rest"])
        parameters = dict(_parameter(each) for each in split(inside, ","))
        return found["name"], Method(parameters, returns, found["generics"] or "")
    raise ValueError(f"the API report has a member of an unknown form: {text}")


def _closed(text: str) -> tuple[str, str]:
    """Return what is before the parenthesis that closes, and the type behind it."""
    depth = 1
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[:position], text[position + 1 :].removeprefix(":").strip()
    raise ValueError(f"the API report has a method that does not end: {text}")


def _parameter(text: str) -> tuple[str, Value]:
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise ValueError(f"the API report has a parameter of an unknown form: {text}")
    return found["name"], Value(found["type"], required=not (found["optional"] or found["rest"]))
