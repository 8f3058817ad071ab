"""Templates: `{{a.b.c}}` in a node's data (CONTRACT.md §6).

A text is taken apart once; filling it is a single pass, and what is put in is never looked at
again. So run input that says `{{credential.x}}` stays the text that it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .sizes import Room, rough_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Missing:
    """The type of MISSING, which stands for a value that is not there (None is JSON's null)."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

_PLACE = re.compile(r"\{\{([^{}]+)\}\}")
_CREDENTIAL_ROOTS = frozenset({"credential", "secret"})
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9_]+")
_CACHED_LENGTH = 2000
_json_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, eq=False)
class Place:
    """One `{{…}}` in a text.

    Attributes:
        source: The place as it was written, braces and all.
        path: The dotted path in its parts.
        credential: The name of the credential that it stands for, if it does.
    """

    source: str
    path: tuple[str, ...]
    credential: str | None


@dataclass(frozen=True, eq=False)
class Template:
    """A text with places: alone, a place gives its value as it is; else all is text.

    Attributes:
        parts: Texts and places in order.
        alone: The place, if there is nothing but white space around it.
    """

    parts: tuple[str | Place, ...]
    alone: Place | None

    def fill(self, look_up: LookUp, room: Room) -> Any:
        """Put the values in."""
        if self.alone is not None:
            value = look_up(self.alone)
            if value is MISSING:
                return "".join(map(_as_written, self.parts))
            room.take(rough_size(value, room.left))
            return value
        pieces = []
        for part in self.parts:
            piece = part if isinstance(part, str) else _as_text(part, look_up(part), room)
            room.take(len(piece))
            pieces.append(piece)
        return "".join(pieces)


@dataclass(frozen=True, eq=False)
class ObjectShape:
    """A JSON object with templates somewhere inside."""

    fields: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, eq=False)
class ListShape:
    """A JSON list with templates somewhere inside."""

    items: tuple[Any, ...]


LookUp: TypeAlias = "Callable[[Place], Any]"


def shape_of(value: Any) -> Any:
    """Take the templates in a JSON value apart. What holds none is given back as it is.

    Example:
        >>> shape_of({"n": 1}), type(shape_of({"n": "{{count}}"})).__name__
        ({'n': 1}, 'ObjectShape')
    """
    if isinstance(value, str):
        return parse_template(value) or value
    if isinstance(value, dict):
        fields = tuple((key, shape_of(field)) for key, field in value.items())
        return ObjectShape(fields) if any(has_templates(field) for _, field in fields) else value
    if isinstance(value, list):
        items = tuple(map(shape_of, value))
        return ListShape(items) if any(map(has_templates, items)) else value
    return value


def has_templates(shape: Any) -> bool:
    """Tell whether anything in a shape is to be filled."""
    return isinstance(shape, (Template, ObjectShape, ListShape))


def fill(shape: Any, look_up: LookUp, room: Room) -> Any:
    """Fill the templates of a shape.

    Args:
        shape: What `shape_of` made of the value.
        look_up: Finds the value of a place; MISSING leaves the place as it was written.
        room: How much may be put in.

    Raises:
        TooLargeError: More would be put in.

    Example:
        >>> values = {("名字",): "小明", ("標籤",): ["a", "b"]}
        >>> shape = shape_of({"文": "你好 {{ 名字 }}:{{標籤}}", "全部": "{{標籤}}", "無": "{{x}}"})
        >>> fill(shape, lambda place: values.get(place.path, MISSING), Room(1000, "it"))
        {'文': '你好 小明:["a","b"]', '全部': ['a', 'b'], '無': '{{x}}'}
    """
    if isinstance(shape, Template):
        return shape.fill(look_up, room)
    if isinstance(shape, ObjectShape):
        return {key: fill(field, look_up, room) for key, field in shape.fields}
    if isinstance(shape, ListShape):
        return [fill(item, look_up, room) for item in shape.items]
    return shape


def places(shape: Any) -> Iterator[Place]:
    """Go through all places of a shape."""
    if isinstance(shape, Template):
        yield from (part for part in shape.parts if isinstance(part, Place))
    elif isinstance(shape, ObjectShape):
        for _, field in shape.fields:
            yield from places(field)
    elif isinstance(shape, ListShape):
        for item in shape.items:
            yield from places(item)


def parse_template(text: str) -> Template | None:
    """Take a text apart; None if it has no places."""
    if "{{" not in text:
        return None
    return _parse_short(text) if len(text) <= _CACHED_LENGTH else _parse(text)


def find(value: Any, path: tuple[str, ...]) -> Any:
    """Follow a path into a JSON value; a list is entered by index.

    Example:
        >>> find({"xs": [{"名": "甲"}]}, ("xs", "0", "名"))
        '甲'
    """
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit():
            index = int(key) if len(key) < 10 else len(value)  # no index has more digits
            if index >= len(value):
                return MISSING
            value = value[index]
        else:
            return MISSING
    return value


def _parse(text: str) -> Template | None:
    pieces = _PLACE.split(text)
    if len(pieces) == 1:
        return None
    parts: list[str | Place] = []
    for number, piece in enumerate(pieces):
        if number % 2:
            parts.append(_place(piece))
        elif piece:
            parts.append(piece)
    the_places = [part for part in parts if isinstance(part, Place)]
    rest = "".join(part for part in parts if isinstance(part, str))
    return Template(
        tuple(parts), the_places[0] if len(the_places) == 1 and not rest.strip() else None
    )


_parse_short = lru_cache(maxsize=4096)(_parse)


def _place(inside: str) -> Place:
    path = tuple(inside.strip().split("."))
    is_credential = (
        len(path) == 2 and path[0] in _CREDENTIAL_ROOTS and _CREDENTIAL_NAME.fullmatch(path[1])
    )
    return Place("{{" + inside + "}}", path, path[1] if is_credential else None)


def _as_text(place: Place, value: Any, room: Room) -> str:
    if value is MISSING:
        return place.source
    if isinstance(value, str):
        return value
    room.check(rough_size(value, room.left))  # before it is written, which may take much more
    return _json_text(value)


def _as_written(part: str | Place) -> str:
    return part if isinstance(part, str) else part.source
