"""The examples of a page of the documentation, and the keys and values of a schema that it has to explain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = re.compile(r"```(\w+)(?: (\S+))?\n(.*?)```", re.DOTALL)
Block = tuple[str, str, str]


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page: language, name and text."""
    return [(kind, name, text) for kind, name, text in BLOCK.findall(page)]


def keys_of(definition: Any) -> Iterator[str]:
    """Yield the names of all properties in a schema."""
    if isinstance(definition, dict):
        if isinstance(properties := definition.get("properties"), dict):
            yield from properties
        for value in definition.values():
            yield from keys_of(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from keys_of(value)


def values_of(definition: Any) -> Iterator[str]:
    """Yield the values of all enumerations in a schema."""
    if isinstance(definition, dict):
        yield from definition.get("enum", ())
        for value in definition.values():
            yield from values_of(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from values_of(value)


def keys_used_in(blocks: Iterable[Block], except_named: str = "") -> Iterator[str]:
    """Yield all keys that the YAML blocks of a page use."""
    for kind, name, text in blocks:
        if kind == "yaml" and (not except_named or name != except_named):
            yield from _keys(yaml.safe_load(text))


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)
