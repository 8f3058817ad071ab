"""Find how the JavaScript SDK differs from the last release, by the API reports of both.

A type of which users make values (options, documents) may not ask for more; one whose values they get may not hold
less. Which it is follows from the parameters and the results of the methods.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from scripts.release.compatibility import report
from scripts.release.compatibility.differences import Part
from scripts.release.compatibility.reading import PartUnreadable, read_text
from scripts.release.compatibility.report import Declaration, Method, Value
from scripts.release.compatibility.types import (
    breaks_callers,
    breaks_readers,
    change_of_type,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from scripts.release.compatibility.differences import Difference
    from scripts.release.compatibility.types import Change

REPORT = "packages/js-sdk/etc/sdk.api.md"

_PART = Part("typescript")
# The name of a type, where its values are meant: not in `keyof Services`.
_NAME = re.compile(r"(?<!keyof )\b[A-Z]\w*\b(?!\[)")

Declarations = dict[str, Declaration]


class _Use(NamedTuple):
    """Who has the values of a type: users give them, users get them, or both."""

    given: bool
    received: bool

    def breaks(self, change: Change) -> bool:
        """Tell whether a change of the type breaks users."""
        return (self.given and breaks_callers(change)) or (self.received and breaks_readers(change))


def differences(old: Path, new: Path) -> list[Difference]:
    """Compare the API reports of two checkouts.

    Raises:
        PartUnreadable: One of them is missing, or is none.
    """
    if not (old / REPORT).is_file():
        return []
    before, after = _read(old), _read(new)
    given, received = _used(after)
    found: set[Difference] = set()
    found.update(_PART.broken(name, "was removed") for name in before.keys() - after)
    found.update(_PART.added(name, "was added") for name in after.keys() - before)
    for name in before.keys() & after.keys():
        # What no method mentions is read, such as an attribute of an error.
        use = _Use(name in given, name in received or name not in given)
        found.update(_declaration(name, before, after, use))
    return sorted(found)


def _read(root: Path) -> Declarations:
    text = read_text(root, REPORT)
    try:
        return report.read(text)
    except ValueError as problem:
        raise PartUnreadable(root, REPORT, f"is not understood: {problem}") from None


def _used(declarations: Declarations) -> tuple[set[str], set[str]]:
    """Return the types of parameters and those of results, with what these are made of."""
    members = [each for every in declarations.values() for each in every.members.values()]
    methods = [each for each in members if isinstance(each, Method)]
    parameters = [value.type for each in methods for value in each.parameters.values()]
    results = [each.returns for each in methods]
    return _made_of(parameters, declarations), _made_of(results, declarations)


def _made_of(types: Iterable[str], declarations: Declarations) -> set[str]:
    """Return the names in some types, and the names in their declarations."""
    waiting, found = _names(types), set[str]()
    while waiting:
        name = waiting.pop()
        if name in found or name not in declarations or declarations[name].kind == "class":
            continue
        found.add(name)
        values = declarations[name].members.values()
        fields = [each.type for each in values if isinstance(each, Value)]
        waiting |= _names([declarations[name].header, *fields])
    return found


def _names(types: Iterable[str]) -> set[str]:
    return {name for each in types for name in _NAME.findall(each)}


def _bases(name: str, declarations: Declarations) -> list[str]:
    """Return the classes or interfaces above one, the nearest first."""
    return list(dict.fromkeys(_above_one(name, declarations, ())))


def _above_one(name: str, declarations: Declarations, below: tuple[str, ...]) -> Iterator[str]:
    _, _, above = declarations[name].header.partition("extends ")
    for base in split(above, ","):
        yield base
        if base in declarations and base not in (*below, name):
            yield from _above_one(base, declarations, (*below, name))


def _all_members(name: str, declarations: Declarations) -> dict[str, Value | Method]:
    """Return the members of a declaration, inherited ones included."""
    found: dict[str, Value | Method] = {}
    for each in reversed([name, *_bases(name, declarations)]):
        if each in declarations:
            found |= declarations[each].members
    return found


def _declaration(
    name: str, before: Declarations, after: Declarations, use: _Use
) -> Iterator[Difference]:
    old, new = before[name], after[name]
    if old.kind != new.kind:
        yield _PART.broken(name, f"became the kind `{new.kind}`")
        return
    if old.kind in {"class", "interface"}:
        yield from _above(name, before, after)
    elif old.header != new.header and old.kind != "const":
        yield from _type(name, old.header, new.header, use)
    was, now = _all_members(name, before), _all_members(name, after)
    # What is inherited is a difference of the declaration above.
    for member in old.members.keys() - now.keys():
        yield _PART.broken(f"{name}.{member}", "was removed")
    for member in new.members.keys() - was.keys():
        added = new.members[member]
        if use.given and isinstance(added, Value) and added.required:
            yield _PART.broken(f"{name}.{member}", "was added and is required")
        else:
            yield _PART.added(f"{name}.{member}", "was added")
    for member in (old.members.keys() | new.members.keys()) & was.keys() & now.keys():
        yield from _member(name, member, was[member], now[member], use)


def _above(name: str, before: Declarations, after: Declarations) -> Iterator[Difference]:
    """Yield what is no longer above a class or interface, and other type parameters."""
    was, now = (each[name].header.partition("extends ")[0].strip() for each in (before, after))
    if was != now:
        yield _PART.broken(name, f"has the type parameters `{now}` now")
    bases, kept = _bases(name, before), _bases(name, after)
    for base in bases:
        # Of a private interface only the members count, and those are compared.
        if base not in kept and (base in before or before[name].kind == "class"):
            yield _PART.broken(name, "is no longer above it", base)


def _type(name: str, old: str, new: str, use: _Use) -> Iterator[Difference]:
    """Yield how what a name stands for has changed."""
    change = change_of_type(old.removeprefix("= "), new.removeprefix("= "))
    if change:
        yield _PART.changed(name, f"{change} its type", breaking=use.breaks(change))


def _member(
    name: str, member: str, old: Value | Method, new: Value | Method, use: _Use
) -> Iterator[Difference]:
    symbol = name if member == "constructor" else f"{name}.{member}"
    if isinstance(old, Method) and isinstance(new, Method):
        yield from _method(symbol, old, new)
    elif isinstance(old, Value) and isinstance(new, Value):
        yield from _property(symbol, old, new, use)
    else:
        yield _PART.broken(symbol, "is something else now")


def _method(symbol: str, old: Method, new: Method) -> Iterator[Difference]:
    if old.generics != new.generics:
        yield _PART.broken(symbol, f"has the type parameters `{new.generics}` now")
    names, names_now = list(old.parameters), list(new.parameters)
    for parameter in [each for each in names if each not in new.parameters]:
        yield _PART.broken(symbol, "was removed", parameter)
    for parameter in [each for each in names_now if each not in old.parameters]:
        if new.parameters[parameter].required:
            yield _PART.broken(symbol, "was added and is required", parameter)
        else:
            yield _PART.added(symbol, "was added", parameter)
    for position, parameter in enumerate(names):
        if parameter not in new.parameters:
            continue
        if names_now.index(parameter) != position:
            yield _PART.broken(symbol, "moved to another position", parameter)
        yield from _value(symbol, parameter, old.parameters[parameter], new.parameters[parameter])
    change = change_of_type(old.returns, new.returns)
    if change:
        yield _PART.changed(symbol, f"{change} its result", breaking=breaks_readers(change))


def _value(symbol: str, parameter: str, old: Value, new: Value) -> Iterator[Difference]:
    """Yield how a parameter has changed."""
    if new.required and not old.required:
        yield _PART.broken(symbol, "became required", parameter)
    if old.required and not new.required:
        yield _PART.added(symbol, "became optional", parameter)
    change = change_of_type(old.type, new.type)
    if change:
        breaking = breaks_callers(change)
        yield _PART.changed(symbol, f"{change} its type", parameter, breaking=breaking)


def _property(symbol: str, old: Value, new: Value, use: _Use) -> Iterator[Difference]:
    if new.required and not old.required:
        yield _PART.changed(symbol, "became required", breaking=use.given)
    if old.required and not new.required:
        yield _PART.changed(symbol, "may be missing now", breaking=use.received)
    change = change_of_type(old.type, new.type)
    if change:
        yield _PART.changed(symbol, f"{change} its type", breaking=use.breaks(change))
