"""Find how the contract differs from the last release, by rules of our own.

The rules are those by which oasdiff tells breaking changes of OpenAPI documents, as far as the contract has what they
are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.release.compatibility import forms
from scripts.release.compatibility.reading import PartUnreadable, read_yaml
from scripts.release.compatibility.schemas import (
    PART,
    Comparison,
    Place,
    ReferenceInvalid,
    Schema,
    check_references,
    resolved,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.release.compatibility.differences import Difference
    from scripts.release.compatibility.schemas import Document

CONTRACT = "openapi/arcrun.yaml"

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def differences(old: Path, new: Path) -> list[Difference]:
    """Compare the contracts of two checkouts.

    Raises:
        PartUnreadable: One of them is missing, or is none.
    """
    if not (old / CONTRACT).is_file():
        return []
    return compare(_read(old), _read(new))


def compare(old: Document, new: Document) -> list[Difference]:
    """Compare two OpenAPI documents."""
    comparison, found = Comparison(old, new), []
    before, after = dict(_operations(old)), dict(_operations(new))
    found += [PART.broken(name, "was removed") for name in before.keys() - after.keys()]
    found += [PART.added(name, "was added") for name in after.keys() - before.keys()]
    for name in before.keys() & after.keys():
        found += _operation(comparison, name, before[name], after[name])
    return sorted(set(found))


def _read(root: Path) -> Document:
    document: Document = read_yaml(root, CONTRACT, forms.contract(_METHODS))
    try:
        check_references(document)
    except ReferenceInvalid as problem:
        raise PartUnreadable(root, CONTRACT, str(problem)) from None
    return document


def _operations(document: Document) -> Iterator[tuple[str, Schema]]:
    """Yield each operation, with the parameters of its path, under a name such as `GET /runs`."""
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                own = item[method]
                parameters = [*item.get("parameters", ()), *own.get("parameters", ())]
                security = own.get("security", document.get("security", []))
                whole = {**own, "parameters": parameters, "security": security}
                yield f"{method.upper()} {path}", whole


def _operation(comparison: Comparison, name: str, old: Schema, new: Schema) -> Iterator[Difference]:
    was, now = old.get("operationId"), new.get("operationId")
    if was != now:  # generated clients name their methods after it
        yield PART.broken(name, f"has the operationId `{now}`, was `{was}`")
    yield from _security(name, old, new)
    yield from _parameters(comparison, name, old, new)
    yield from _body(comparison, name, old, new)
    yield from _responses(comparison, name, old, new)


def _security(name: str, old: Schema, new: Schema) -> Iterator[Difference]:
    was, now = _ways(old), _ways(new)
    for way in sorted(was - now):
        yield PART.broken(name, f"can no longer be called {way}")
    for way in sorted(now - was):
        yield PART.added(name, f"can be called {way}")


def _ways(operation: Schema) -> set[str]:
    """Return the ways to authenticate, of which one is enough."""
    ways = operation["security"] or [{}]
    return {f"with {' and '.join(sorted(each))}" if each else "without a key" for each in ways}


def _parameters(
    comparison: Comparison, name: str, old: Schema, new: Schema
) -> Iterator[Difference]:
    was, now = _by_name(comparison.old, old), _by_name(comparison.new, new)
    for key in was.keys() - now.keys():
        yield PART.broken(name, f"was removed from the {key[0]}", key[1])
    for key in now.keys() - was.keys():
        if resolved(comparison.new, now[key]).get("required"):
            yield PART.broken(name, f"was added to the {key[0]} and is required", key[1])
        else:
            yield PART.added(name, f"was added to the {key[0]}", key[1])
    for key in was.keys() & now.keys():
        at = comparison.once(was[key], now[key], Place(name, "requests").field(key[1]))
        if at is not None:
            yield from _parameter(comparison, was[key], now[key], at)


def _by_name(document: Document, operation: Schema) -> dict[tuple[str, str], Schema]:
    """Return the parameters of an operation by where they are and what they are called."""
    found = {}
    for each in operation["parameters"]:
        parameter = resolved(document, each)
        name = parameter["name"]
        found[parameter["in"], name.lower() if parameter["in"] == "header" else name] = each
    return found


def _parameter(
    comparison: Comparison, old: Schema, new: Schema, place: Place
) -> Iterator[Difference]:
    """Yield how a parameter or a header differs."""
    was, now = resolved(comparison.old, old), resolved(comparison.new, new)
    if now.get("required") and not was.get("required"):
        yield place.narrowed("became required")
    if was.get("required") and not now.get("required"):
        yield place.widened("may be missing now")
    yield from comparison.schemas(was.get("schema", {}), now.get("schema", {}), place)


def _body(comparison: Comparison, name: str, old: Schema, new: Schema) -> Iterator[Difference]:
    place = Place(name, "requests")
    was, now = old.get("requestBody"), new.get("requestBody")
    if was is None or now is None:
        if was is not None:
            yield place.broken("has no body any more")
        elif now is not None:
            needed = resolved(comparison.new, now).get("required")
            yield place.broken("has a body") if needed else place.added("may have a body")
        return
    at = comparison.once(was, now, place)
    if at is None:
        return
    was, now = resolved(comparison.old, was), resolved(comparison.new, now)
    if now.get("required") and not was.get("required"):
        yield at.narrowed("needs a body now")
    yield from _content(comparison, was, now, at)


def _responses(comparison: Comparison, name: str, old: Schema, new: Schema) -> Iterator[Difference]:
    was, now = old.get("responses", {}), new.get("responses", {})
    for status in was.keys() - now.keys():
        yield PART.broken(name, "is no status of it any more", status)
    for status in now.keys() - was.keys():
        yield PART.added(name, "is a new status of it", status)
    for status in was.keys() & now.keys():
        at = comparison.once(was[status], now[status], Place(name, "responses", status))
        if at is not None:
            before = resolved(comparison.old, was[status])
            after = resolved(comparison.new, now[status])
            yield from _headers(comparison, before, after, at)
            yield from _content(comparison, before, after, at)


def _headers(
    comparison: Comparison, old: Schema, new: Schema, place: Place
) -> Iterator[Difference]:
    was, now = old.get("headers", {}), new.get("headers", {})
    for name in was.keys() - now.keys():
        yield place.field(name).broken("was removed")
    for name in now.keys() - was.keys():
        yield place.field(name).added("was added")
    for name in was.keys() & now.keys():
        at = comparison.once(was[name], now[name], place.field(name))
        if at is not None:
            yield from _parameter(comparison, was[name], now[name], at)


def _content(
    comparison: Comparison, old: Schema, new: Schema, place: Place
) -> Iterator[Difference]:
    was: dict[str, Any] = old.get("content", {})
    now: dict[str, Any] = new.get("content", {})
    for kind in was.keys() - now.keys():
        yield place.field(kind).broken("was removed")
    for kind in now.keys() - was.keys():
        yield place.field(kind).added("was added")
    for kind in was.keys() & now.keys():
        yield from comparison.schemas(
            was[kind].get("schema", {}), now[kind].get("schema", {}), place
        )
