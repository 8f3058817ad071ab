"""What a command takes, read from its function: the command line and MCP both offer exactly this."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import CommandError
from .sentences import sentence

# Given by the caller of a command, not by its user.
INJECTED = frozenset({"client", "report", "language", "ask", "profile"})


Type = Literal["text", "integer", "flag", "object", "texts"]


@dataclass(frozen=True)
class Contents:
    """Marks a parameter that is the text of a file: the command line takes the file's path, or `-`."""


@dataclass(frozen=True)
class Fields:
    """Marks a parameter that is a JSON object: the command line takes KEY=VALUE, a file, or standard input."""


@dataclass(frozen=True)
class Hidden:
    """Marks a parameter that is a secret: the command line takes it from a prompt or from standard input."""


FileText = Annotated[str, Contents()]
JsonObject = Annotated[dict[str, Any], Fields()]
SecretText = Annotated[str, Hidden()]


_SCHEMAS: dict[Type, dict[str, Any]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "flag": {"type": "boolean"},
    "object": {"type": "object"},
    "texts": {"type": "array", "items": {"type": "string"}},
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a command.

    Args:
        name: Its name, in Python and in JSON.
        type: `text`, `integer`, `flag`, `object` or `texts`.
        mark: Where its value comes from on the command line; None for an argument as it is.
        choices: The texts that it can be; empty for any.
        required: Whether it has no default.
        default: What counts where it is left out.
        positional: Whether it stands without its name on the command line.
        description: What it means, from the docstring.
    """

    name: str
    type: Type
    mark: Contents | Fields | Hidden | None
    choices: tuple[str, ...]
    required: bool
    default: Any
    positional: bool
    description: str

    @property
    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of its value."""
        found: dict[str, Any] = dict(_SCHEMAS[self.type])
        if self.choices:
            found = {"enum": list(self.choices)}
        if self.description:
            found["description"] = self.description
        return found

    def accepts(self, value: object) -> bool:
        """Tell whether a JSON value is one of this parameter's."""
        if self.type == "text":
            return isinstance(value, str) and (not self.choices or value in self.choices)
        if self.type == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if self.type == "flag":
            return isinstance(value, bool)
        if self.type == "object":
            return isinstance(value, dict)
        return isinstance(value, list) and all(isinstance(item, str) for item in value)


def parameters_of(function: Callable[..., Any]) -> list[Parameter]:
    """Return what a command takes, in the order of its signature.

    Args:
        function: the command's function; parameters before `*` are positional.
    """
    hints = get_type_hints(function, include_extras=True)
    texts = descriptions_of(function)
    return [
        _parameter(each, hints[each.name], texts.get(each.name, ""))
        for each in inspect.signature(function).parameters.values()
        if each.name not in INJECTED
    ]


def descriptions_of(function: Callable[..., Any]) -> dict[str, str]:
    """Return what the docstring says of each argument."""
    _, _, section = inspect.cleandoc(function.__doc__ or "").partition("\nArgs:\n")
    section = re.split(r"\n\n", section, maxsplit=1)[0]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def _parameter(found: inspect.Parameter, hint: Any, description: str) -> Parameter:
    bare = _without_none(hint)
    mark = None
    if get_origin(bare) is Annotated:
        bare, mark, *_ = get_args(bare)
    choices = tuple(get_args(bare)) if get_origin(bare) is Literal else ()
    kinds: dict[Any, Type] = {str: "text", int: "integer", bool: "flag"}
    kind: Type | None = "text" if choices else kinds.get(bare)
    if kind is None:
        kind = "texts" if get_origin(bare) is list else "object"
    required = found.default is inspect.Parameter.empty
    return Parameter(
        found.name,
        kind,
        mark,
        choices,
        required,
        None if required else found.default,
        found.kind is not inspect.Parameter.KEYWORD_ONLY,
        description,
    )


def _without_none(hint: Any) -> Any:
    """Return the type X of `X | None`; any other as it is."""
    if get_origin(hint) in {Union, types.UnionType}:
        (kept,) = [each for each in get_args(hint) if each is not type(None)]
        return kept
    return hint


def input_schema(parameters: list[Parameter]) -> dict[str, Any]:
    """Return the JSON schema of a command's arguments."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: each.schema for each in parameters},
        "additionalProperties": False,
    }
    required = [each.name for each in parameters if each.required]
    return {**schema, "required": required} if required else schema


def check_arguments(parameters: list[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a command's arguments if they are valid. No error shows a value: it may be a secret.

    Raises:
        CommandError: one is missing, unknown, or of another type.
    """
    known = {each.name: each for each in parameters}
    names = ", ".join(known) or "none"
    for name in given:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1)
            meant = sentence("; did you mean {names}?", names=repr(near[0]) if near else "")
            hint = meant if near else sentence("; the arguments are: {names}", names=names)
            shown = (
                repr(name) if name.isidentifier() and len(name) <= 40 else sentence("of that name")
            )
            raise CommandError(
                "invalid_argument",
                sentence("there is no argument {shown}{hint}", shown=shown, hint=hint),
            )
    for each in parameters:
        if each.required and given.get(each.name) is None:
            raise CommandError(
                "invalid_argument",
                sentence(
                    "the argument {name} is missing: {description}",
                    name=repr(each.name),
                    description=each.description,
                ),
            )
        value = given.get(each.name)
        if value is not None and not each.accepts(value):
            allowed = (
                sentence("one of {choices}", choices=", ".join(each.choices))
                if each.choices
                else sentence("a JSON {kind}", kind=_JSON[each.type])
            )
            raise CommandError(
                "invalid_argument",
                sentence(
                    "the argument {name} must be {allowed}", name=repr(each.name), allowed=allowed
                ),
            )
    return {name: value for name, value in given.items() if value is not None}


_JSON = {
    "text": "string",
    "integer": "integer",
    "flag": "boolean",
    "object": "object",
    "texts": "array of strings",
}
