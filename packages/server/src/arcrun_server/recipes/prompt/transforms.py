"""Transforms: how the value of an input becomes text (docs/prompt-recipes.md).

The list is closed. A transform never looks into the texts that it is given: whatever a value says,
it is data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.characters import json_holds_nul
from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.templates import MISSING, find

if TYPE_CHECKING:
    from collections.abc import Callable

_SEPARATOR = "\n\n---\n\n"
_KINDS = {str: "text", bool: "true or false", list: "a list", dict: "an object"}
_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class TransformError(ValueError):
    """A value that a transform can't use, or a transform that there isn't; the message says which."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


class EmptyListError(TransformError):
    """`first` of an empty list: there is no value, so an input's default counts."""


class InvalidTextError(TransformError):
    """A value with a text that is none. JSON would escape its NUL, which the model would still read."""


@dataclass(frozen=True)
class Transform:
    """A transform with its argument, as `join` with `", "`."""

    name: str
    argument: str | None = None

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name}:{self.argument}"

    def apply(self, value: Any) -> str:
        r"""Return the text that a value becomes.

        Raises:
            TransformError: The value is of another kind than the transform needs.

        Example:
            >>> parse_transform("extract_field:名").apply([{"名": "甲"}, {"名": "乙"}])
            '甲\n乙'
        """
        return _TRANSFORMS[self.name](value, self.argument)


def parse_transform(text: str) -> Transform:
    """Read a transform as it is written in a recipe.

    Raises:
        TransformError: There is none of this name, or its argument is missing or has no meaning.

    Example:
        >>> parse_transform("join:, ")
        Transform(name='join', argument=', ')
    """
    name, colon, argument = text.partition(":")
    name = name.strip()
    if name not in _TRANSFORMS:
        near = nearest(name, _TRANSFORMS)
        raise TransformError(
            f"there is no transform '{name[:60]}'; the transforms are: {', '.join(_TRANSFORMS)}",
            f"{near}{colon}{argument}" if near else None,
        )
    if name == "extract_field":
        argument = argument.strip()
        if not all(argument.split(".")):
            raise TransformError(
                "extract_field needs the field's name, as in `extract_field:page_name`"
            )
    elif colon and name != "join":
        raise TransformError(f"{name} takes no argument; write just `{name}`", name)
    return Transform(name, argument if colon else None)


def as_text(value: Any) -> str:
    """Return a text as it is, and any other value as compact JSON.

    Raises:
        TransformError: The value holds a number that JSON can't represent.
        InvalidTextError: It holds NUL.

    Example:
        >>> as_text("{{a}}"), as_text({"甲": [1, None]})
        ('{{a}}', '{"甲":[1,null]}')
    """
    if isinstance(value, str):
        return value
    try:
        text = _compact.encode(value)
    except ValueError:
        raise TransformError("it holds a number that JSON can't represent") from None
    except RecursionError:
        raise TransformError("it is nested too deeply") from None
    if json_holds_nul(text):
        raise InvalidTextError("it holds NUL")
    return text


def kind_of(value: Any) -> str:
    """Return what a value is, in the words of JSON."""
    return "null" if value is None else _KINDS.get(type(value), "a number")


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise TransformError(f"{name} needs a list, but the value is {kind_of(value)}")
    return value


def _json_array(value: Any, _argument: str | None) -> str:
    return as_text(_list(value, "json_array"))


def _to_string(value: Any, _argument: str | None) -> str:
    return as_text(value)


def _join(value: Any, separator: str | None) -> str:
    return ("\n" if separator is None else separator).join(map(as_text, _list(value, "join")))


def _markdown_list(value: Any, _argument: str | None) -> str:
    # A line break inside an element stays inside its entry.
    return "\n".join(
        "- " + as_text(item).replace("\n", "\n  ") for item in _list(value, "markdown_list")
    )


def _first(value: Any, _argument: str | None) -> str:
    items = _list(value, "first")
    if not items:
        raise EmptyListError("first needs an element, but the list is empty")
    return as_text(items[0])


def _extract_field(value: Any, argument: str | None) -> str:
    return "\n".join(_fields(value, argument or "", f"extract_field:{argument}"))


def _pluck_content(value: Any, _argument: str | None) -> str:
    return _SEPARATOR.join(_fields(value, "content", "pluck_content"))


def _fields(value: Any, field: str, name: str) -> list[str]:
    path = tuple(field.split("."))
    texts = []
    for number, item in enumerate(_list(value, name)):
        found = find(item, path)
        if found is MISSING:
            raise TransformError(f"{name}: element {number} has no field '{field}'; {_has(item)}")
        texts.append(as_text(found))
    return texts


def _has(item: Any) -> str:
    if not isinstance(item, dict):
        return f"it is {kind_of(item)}"
    names = [name[:60] for name in list(item)[:10]]
    return f"it has: {', '.join(names)}" if names else "it is an empty object"


_TRANSFORMS: dict[str, Callable[[Any, str | None], str]] = {
    "json_array": _json_array,
    "to_string": _to_string,
    "join": _join,
    "markdown_list": _markdown_list,
    "extract_field": _extract_field,
    "first": _first,
    "pluck_content": _pluck_content,
}
TRANSFORMS = tuple(_TRANSFORMS)
"""The names of all transforms."""
