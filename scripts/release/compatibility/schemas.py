"""Compare two JSON schemas of the contract, by who writes what they describe.

Clients write requests: these may not ask for more than before. Clients read responses: these may not hold less, or
what no client has seen before. A new field of a response is neither, since clients ignore fields that they don't know
(docs/contract.md#transport).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from scripts.release.compatibility.differences import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.release.compatibility.differences import Difference

Schema = dict[str, Any]
Document = dict[str, Any]
Side = Literal["requests", "responses"]

PART = Part("contract")
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
# Conditions that are not understood here: with another one, other values are valid.
_CONDITIONS = ("pattern", "format", "multipleOf", "uniqueItems", "not", "if", "then", "else")
_VARIANTS = ("oneOf", "anyOf")
_REFERENCE = re.compile(r"#/components/[^/]+/[^/]+")
_NOTES = {"description", "title", "example", "examples", "default", "deprecated", "$comment"}


@dataclass(frozen=True)
class Place:
    """Where in the contract a schema is.

    Attributes:
        symbol: The operation, or the component that both documents refer to.
        side: Who writes it.
        member: The path of fields to it.
    """

    symbol: str
    side: Side
    member: str = ""

    def field(self, name: str) -> Place:
        """Return the place of a field."""
        return replace(self, member=f"{self.member}.{name}" if self.member else name)

    def narrowed(self, what: str) -> Difference:
        """Return that fewer values are valid: those who write them have to know."""
        return self._difference(what, breaking=self.side == "requests")

    def widened(self, what: str) -> Difference:
        """Return that more values are valid: those who read them have to know."""
        return self._difference(what, breaking=self.side == "responses")

    def broken(self, what: str) -> Difference:
        """Return a difference that breaks clients on either side."""
        return self._difference(what, breaking=True)

    def added(self, what: str) -> Difference:
        """Return a difference that breaks nobody."""
        return self._difference(what, breaking=False)

    def _difference(self, what: str, *, breaking: bool) -> Difference:
        return PART.changed(self.symbol, f"{what} in {self.side}", self.member, breaking=breaking)


@dataclass
class Comparison:
    """Compares what two documents describe; each pair of components once.

    Attributes:
        old: The document of the last release.
        new: The one of this release.
        seen: The components that were compared, with the side.
    """

    old: Document
    new: Document
    seen: set[tuple[str, Side]] = field(default_factory=set)

    def once(self, old: Schema, new: Schema, place: Place) -> Place | None:
        """Return the place at which to compare two nodes: that of the component if both refer to it, None if it was."""
        reference = old.get("$ref")
        if reference is None or new.get("$ref") != reference:
            return place
        if (reference, place.side) in self.seen:
            return None
        self.seen.add((reference, place.side))
        return Place(reference.rpartition("/")[2], place.side)

    def schemas(self, old: Schema, new: Schema, place: Place) -> Iterator[Difference]:
        """Yield how two schemas differ."""
        at = self.once(old, new, place)
        if at is None:
            return
        if at is not place:
            old, new = resolved(self.old, old), resolved(self.new, new)
        was, now = _variants(self.old, old), _variants(self.new, new)
        pairs, removed, added = _paired(was, now)
        if len(was) == len(now) == 1:
            pairs, removed, added = [(was[0], now[0])], [], []
        for before, after in pairs:
            yield from self._variant(before, after, at)
        for each in removed:
            yield at.narrowed(f"has no variant {_named(each)} any more")
        for each in added:
            yield at.widened(f"has the new variant {_named(each)}")

    def _variant(self, old: Schema, new: Schema, place: Place) -> Iterator[Difference]:
        at = self.once(old, new, place)
        if at is None:
            return
        was, now = merged(self.old, old), merged(self.new, new)
        before, after = _types(was), _types(now)
        if before != after:
            kinds = f"{_listed(before)} → {_listed(after)}"
            if not before & after:
                yield at.broken(f"has another type, {kinds},")
                return
            if after < before:
                yield at.narrowed(f"has a narrower type, {kinds},")
            elif before < after:
                yield at.widened(f"has a wider type, {kinds},")
            else:
                yield at.broken(f"has another type, {kinds},")
        yield from _values(was, now, at)
        yield from _bounds(was, now, at)
        yield from _conditions(was, now, at)
        yield from self._fields(was, now, at)
        yield from self._open(was, now, at)
        if "items" in was or "items" in now:
            yield from self.schemas(_items(was), _items(now), at)

    def _fields(self, old: Schema, new: Schema, place: Place) -> Iterator[Difference]:
        was, now = old.get("properties", {}), new.get("properties", {})
        required, required_now = set(old.get("required", ())), set(new.get("required", ()))
        for name in was.keys() - now.keys():
            yield place.field(name).broken("was removed")
        for name in now.keys() - was.keys():
            if name in required_now:
                yield place.field(name).narrowed("was added and is required")
            else:
                yield place.field(name).added("was added")
        for name in (required_now - required) - (now.keys() - was.keys()):
            yield place.field(name).narrowed("became required")
        for name in (required - required_now) & now.keys():
            yield place.field(name).widened("may be missing now")
        for name in was.keys() & now.keys():
            yield from self.schemas(was[name], now[name], place.field(name))

    def _open(self, old: Schema, new: Schema, place: Place) -> Iterator[Difference]:
        """Yield whether fields without a name are valid, and of which kind."""
        was, now = (each.get("additionalProperties", True) for each in (old, new))
        if was is not False and now is False:
            yield place.narrowed("takes no other fields")
        elif was is False and now is not False:
            yield place.added("takes other fields")
        elif was != now:
            yield from self.schemas(_schema(was), _schema(now), place.field("*"))


class ReferenceInvalid(Exception):
    """A component refers to one that is not there, or contains itself; the message names it."""


def check_references(document: Document) -> None:
    """Check that each reference leads to a component, and that no component contains itself.

    A component may have itself in a field: only `$ref`, `allOf`, `oneOf` and `anyOf` are followed.

    Raises:
        ReferenceInvalid: One leads nowhere, or a component contains itself.
    """
    components = document.get("components", {})
    for reference in _references(document):
        _, _, kind, name = reference.split("/")
        if name not in components.get(kind, {}):
            raise ReferenceInvalid(f"refers to {reference}, which is not there")
    for kind, named in components.items():
        for name in named:
            if _contains_itself(components, f"#/components/{kind}/{name}", ()):
                raise ReferenceInvalid(f"has a component that contains itself: {kind}/{name}")


def _references(node: Any) -> Iterator[str]:
    """Yield the references to components in a document."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and _REFERENCE.fullmatch(reference):
            yield reference
    if isinstance(node, (dict, list)):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _references(each)


def _contains_itself(components: Schema, reference: str, above: tuple[str, ...]) -> bool:
    if reference in above:
        return True
    _, _, kind, name = reference.split("/")
    inside = _inside(components[kind][name])
    return any(_contains_itself(components, each, (*above, reference)) for each in inside)


def _inside(node: Any) -> Iterator[str]:
    """Yield the references by which a node contains others as a part of itself."""
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        yield node["$ref"]
        return
    for name in ("allOf", *_VARIANTS):
        for each in node.get(name, ()):
            yield from _inside(each)


def resolved(document: Document, node: Schema) -> Schema:
    """Return what a node refers to, or itself."""
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def merged(document: Document, schema: Schema) -> Schema:
    """Return a schema with those of its `allOf` in it.

    Example:
        >>> merged({}, {"required": ["a"], "allOf": [{"type": "object", "required": ["b"]}]})
        {'required': ['a', 'b'], 'type': 'object'}
    """
    schema = resolved(document, schema)
    result = {name: value for name, value in schema.items() if name != "allOf"}
    for each in schema.get("allOf", ()):
        for name, value in merged(document, each).items():
            if name == "required":
                value = [*result.get(name, ()), *value]  # noqa: PLW2901
            elif name == "properties":
                value = {**result.get(name, {}), **value}  # noqa: PLW2901
            result[name] = value
    return result


def _variants(document: Document, schema: Schema) -> list[Schema]:
    """Return the schemas of which a value matches one: those of `oneOf` or `anyOf`, or the schema itself."""
    target = resolved(document, schema)
    name = next((name for name in _VARIANTS if name in target), None)
    if name is None:
        return [schema]
    beside = {key: value for key, value in target.items() if key not in {name, *_NOTES}}
    found = [inner for each in target[name] for inner in _variants(document, each)]
    return [{"allOf": [beside, each]} for each in found] if beside else found


def _paired(
    old: list[Schema], new: list[Schema]
) -> tuple[list[tuple[Schema, Schema]], list[Schema], list[Schema]]:
    """Return the variants that belong together, those that were removed, and those that were added."""
    pairs, removed, added = [], [], list(new)
    for each in old:
        same = [other for other in added if _key(other) == _key(each)]
        if same:
            added.remove(same[0])
            pairs.append((each, same[0]))
        else:
            removed.append(each)
    return pairs, removed, added


def _key(schema: Schema) -> str:
    """Return what identifies a variant: the component, its title, or else all of it."""
    named = schema.get("$ref") or schema.get("title")
    kept = {name: value for name, value in schema.items() if name not in _NOTES}
    return str(named or json.dumps(kept, sort_keys=True, default=str))


def _named(schema: Schema) -> str:
    return f"`{_key(schema).rpartition('/')[2]}`"


def _types(schema: Schema) -> frozenset[str]:
    """Return the types of the values that a schema takes; a `number` may be an `integer`."""
    stated = schema.get("type")
    if stated is None:
        return _TYPES
    types = frozenset([stated] if isinstance(stated, str) else stated)
    return types | {"integer"} if "number" in types else types


def _listed(types: frozenset[str]) -> str:
    return "any" if types == _TYPES else "/".join(sorted(types))


def _values(old: Schema, new: Schema, place: Place) -> Iterator[Difference]:
    """Yield the values of an enumeration that were removed and added."""
    was, now = _enumeration(old), _enumeration(new)
    if was == now:
        return
    if was is None:
        yield place.narrowed("takes listed values only")
    elif now is None:
        yield place.widened("takes values that are not listed")
    else:
        for value in sorted(was - now):
            yield place.field(value).broken("is no value any more")
        for value in sorted(now - was):
            yield place.field(value).widened("is a new value")


def _enumeration(schema: Schema) -> set[str] | None:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values is None:
        return None
    return {each if isinstance(each, str) else json.dumps(each) for each in values}


def _bounds(old: Schema, new: Schema, place: Place) -> Iterator[Difference]:
    """Yield limits that were moved."""
    limits = [(name, 1, math.inf) for name in UPPER] + [(name, -1, -math.inf) for name in LOWER]
    for name, sign, none in limits:
        was, now = old.get(name, none), new.get(name, none)
        if now * sign < was * sign:
            yield place.narrowed(f"has a tighter `{name}`")
        elif now != was:
            yield place.widened(f"has a wider `{name}`")


def _conditions(old: Schema, new: Schema, place: Place) -> Iterator[Difference]:
    for name in _CONDITIONS:
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if was is not None and now is not None:
            yield place.broken(f"has another `{name}`")
        elif was is None:
            yield place.narrowed(f"has a `{name}`")
        else:
            yield place.widened(f"has no `{name}` any more")


def _items(schema: Schema) -> Schema:
    return _schema(schema.get("items", True))


def _schema(value: Schema | bool) -> Schema:
    return {} if isinstance(value, bool) else value
