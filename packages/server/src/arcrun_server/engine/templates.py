"""Templates: placeholders in a node's data (docs/contract.md#placeholders).

A text is parsed once; filling it is a single pass, and what is put in is never parsed. So run input
that says `{{credential.x}}` stays the text that it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .placeholders import Placeholder, as_written, only_placeholder, parse_escaped
from .sizes import AT_ONCE, has_more_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .sizes import ByteBudget


class Missing:
    """The type of MISSING, which stands for a value that is not there (None is JSON's null)."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

# Parsed texts are kept up to this length: a placeholder takes a hundred times the memory of its five characters.
_CACHED_LENGTH = 200
_CACHED_TEXTS = 1024
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, eq=False)
class Template:
    """A text with placeholders.

    Attributes:
        parts: Plain texts and placeholders, in order.
        alone: The placeholder, if there is nothing but white space around it: it yields the value
            itself, with its type. All others yield text.
    """

    parts: tuple[str | Placeholder, ...]
    alone: Placeholder | None

    def fill(self, look_up: LookUp, budget: ByteBudget) -> Any:
        """Return the value or the text that the values make of the template."""
        if self.alone is not None:
            value = look_up(self.alone)
            if value is MISSING:
                return "".join(
                    part if isinstance(part, str) else as_written(part) for part in self.parts
                )
            budget.take(budget.measure(value))
            return value
        pieces = []
        for part in self.parts:
            piece = part if isinstance(part, str) else _as_text(part, look_up(part), budget)
            budget.take(len(piece))
            pieces.append(piece)
        return "".join(pieces)


@dataclass(frozen=True, eq=False)
class ObjectTemplate:
    """A JSON object with templates somewhere inside."""

    fields: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, eq=False)
class ListTemplate:
    """A JSON list with templates somewhere inside."""

    items: tuple[Any, ...]


LookUp: TypeAlias = "Callable[[Placeholder], Any]"


def parse_value(value: Any) -> Any:
    """Parse the templates in a JSON value. What holds none is returned as it is.

    Example:
        >>> parse_value({"n": 1}), type(parse_value({"n": "{{count}}"})).__name__
        ({'n': 1}, 'ObjectTemplate')
    """
    if isinstance(value, str):
        return parse_template(value) or value
    if isinstance(value, dict):
        fields = tuple((key, parse_value(field)) for key, field in value.items())
        return ObjectTemplate(fields) if any(is_template(field) for _, field in fields) else value
    if isinstance(value, list):
        items = tuple(map(parse_value, value))
        return ListTemplate(items) if any(map(is_template, items)) else value
    return value


def is_template(parsed: Any) -> bool:
    """Tell whether anything in a parsed value is to be filled."""
    return isinstance(parsed, (Template, ObjectTemplate, ListTemplate))


def fill(parsed: Any, look_up: LookUp, budget: ByteBudget) -> Any:
    """Fill the templates of a parsed value.

    Args:
        parsed: What `parse_value` returned.
        look_up: Finds the value of a placeholder; one whose value is MISSING stays as it was written.
        budget: How many bytes may be put in.

    Raises:
        TooLargeError: More would be put in.

    Example:
        >>> from arcrun_server.engine.sizes import ByteBudget
        >>> values = {("名字",): "小明", ("標籤",): ["a", "b"]}
        >>> parsed = parse_value({"文": "你好 {{ 名字 }}:{{標籤}}", "全部": "{{標籤}}", "無": "{{x}}"})
        >>> fill(parsed, lambda found: values.get(found.path, MISSING), ByteBudget(1000, "it"))
        {'文': '你好 小明:["a","b"]', '全部': ['a', 'b'], '無': '{{x}}'}
    """
    if isinstance(parsed, Template):
        return parsed.fill(look_up, budget)
    if isinstance(parsed, ObjectTemplate):
        return {key: fill(field, look_up, budget) for key, field in parsed.fields}
    if isinstance(parsed, ListTemplate):
        return [fill(item, look_up, budget) for item in parsed.items]
    return parsed


def placeholders(parsed: Any) -> Iterator[Placeholder]:
    """Iterate over all placeholders of a parsed value."""
    if isinstance(parsed, Template):
        yield from (part for part in parsed.parts if isinstance(part, Placeholder))
    elif isinstance(parsed, ObjectTemplate):
        for _, field in parsed.fields:
            yield from placeholders(field)
    elif isinstance(parsed, ListTemplate):
        for item in parsed.items:
            yield from placeholders(item)


def parse_template(text: str) -> Template | None:
    """Parse a text; return None if it has nothing to fill."""
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
    parts = parse_escaped(text)
    if parts == (text,):
        return None
    return Template(parts, only_placeholder(parts))


_parse_short = lru_cache(maxsize=_CACHED_TEXTS)(_parse)


def _as_text(placeholder: Placeholder, value: Any, budget: ByteBudget) -> str:
    if value is MISSING:
        return as_written(placeholder)
    if isinstance(value, str):
        return value
    budget.check(budget.measure(value))  # before it is written, which may take much more
    if isinstance(value, (dict, list)) and has_more_values(value, AT_ONCE):
        return "".join(_encoder.iterencode(value))  # slower, but other threads have their turns
    return _encoder.encode(value)
