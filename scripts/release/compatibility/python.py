"""Find how the Python SDK differs from the last release: griffe reads both, without importing them.

griffe finds what was removed, and parameters that moved, became required or take their values in another way.
It does not compare types yet; annotations are compared here, and so are the fields of results.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple, cast

import griffe

from scripts.release.compatibility.differences import Part
from scripts.release.compatibility.reading import PartUnreadable, read_text
from scripts.release.compatibility.types import breaks_callers, breaks_readers, change_of_type

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.release.compatibility.differences import Difference
    from scripts.release.compatibility.types import Change

SOURCE = "packages/python-sdk/src"
_PACKAGE = f"{SOURCE}/arcrun"

_PART = Part("python")
_REMOVED = griffe.BreakageKind.OBJECT_REMOVED
_WORDS = {
    griffe.BreakageKind.PARAMETER_MOVED: "moved to another position",
    griffe.BreakageKind.PARAMETER_REMOVED: "was removed",
    griffe.BreakageKind.PARAMETER_CHANGED_KIND: "is given in another way",
    griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT: "has another default",
    griffe.BreakageKind.PARAMETER_CHANGED_REQUIRED: "became required",
    griffe.BreakageKind.PARAMETER_ADDED_REQUIRED: "was added and is required",
    griffe.BreakageKind.RETURN_CHANGED_TYPE: "has another result",
    griffe.BreakageKind.OBJECT_CHANGED_KIND: "is something else now",
    griffe.BreakageKind.CLASS_REMOVED_BASE: "has another base class",
}
# Before the name of a resource of the asynchronous client.
_ASYNC = "async "
# What the name of a type that the SDK defines stands for, such as `Sensitivity`.
_ALIAS = re.compile(r"_?[A-Z]\w*[a-z]\w*")


def differences(old: Path, new: Path) -> list[Difference]:
    """Compare the Python SDK of two checkouts.

    Raises:
        PartUnreadable: A module of one of them is no Python, or a name in it stands for nothing.
    """
    if not (old / _PACKAGE).is_dir():
        return []
    before, after = _Surface(old), _Surface(new)
    removed, added = before.objects.keys() - after.objects, after.objects.keys() - before.objects
    found = {
        *(_PART.broken(name.removeprefix(_ASYNC), "was removed") for name in removed),
        *(_PART.added(name.removeprefix(_ASYNC), "was added") for name in added),
    }
    for name in before.objects.keys() & after.objects.keys():
        found.update(_compared(name, _Pair(before, after)))
    return sorted(found)


def _require_python(root: Path) -> None:
    """Check that each module can be parsed: griffe leaves out those that can't, as if they were removed."""
    first = f"{_PACKAGE}/__init__.py"
    found = (root / _PACKAGE).rglob("*.py")
    for file in sorted({first, *(path.relative_to(root).as_posix() for path in found)}):
        text = read_text(root, file)
        try:
            ast.parse(text)
        except SyntaxError as error:
            where = f" in line {error.lineno}" if error.lineno else ""
            why = f"is not valid Python: {error.msg}{where}"
            raise PartUnreadable(root, file, why) from None
        except ValueError as error:  # a null character, before Python 3.12
            raise PartUnreadable(root, file, f"is not valid Python: {error}") from None
        except (RecursionError, MemoryError):
            raise PartUnreadable(root, file, "is nested too deeply") from None


class _Surface:
    """What users reach: the exported names, and the classes of the clients' attributes.

    The names of the asynchronous client are those of the other one, since both are one source.

    Attributes:
        objects: By name: `Run`, `Arcrun`, `AsyncArcrun`, `creds` for the class of `client.creds`.
        aliases: What the types that are names for others stand for.
    """

    def __init__(self, root: Path) -> None:
        _require_python(root)
        self._root = root
        package = griffe.load("arcrun", search_paths=[root / SOURCE], resolve_aliases=True)
        self.package = cast("griffe.Module", package)
        self.objects: dict[str, griffe.Object] = {}
        self.aliases = dict(self._aliases(self.package))
        for name in map(str, self.package.exports or ()):
            if name != "__version__":
                self.objects[name] = self._object(name, name)
        for name in ("Arcrun", "AsyncArcrun"):
            if name in self.objects:
                self.objects.update(self._resources(name))

    def text(self, annotation: object) -> str:
        """Return a type as text, with what its names stand for."""
        text = "Any" if annotation is None else str(annotation)
        for _ in range(5):  # an alias may name another one
            replaced = _ALIAS.sub(lambda found: self.aliases.get(found[0], found[0]), text)
            if replaced == text:
                break
            text = replaced
        return text

    def _resources(self, client: str) -> Iterator[tuple[str, griffe.Object]]:
        for name, member in self.objects[client].members.items():
            if not isinstance(member, griffe.Attribute) or not _is_resource(member):
                continue
            path = getattr(member.annotation, "canonical_path", "")
            inside = path.removeprefix(f"{self.package.path}.")
            kind = _ASYNC if client.startswith("Async") else ""
            yield f"{kind}{name}", self._object(name, inside)

    def _object(self, name: str, path: str) -> griffe.Object:
        """Return what a name that users know stands for, by its path in the package."""
        try:
            return _final(self.package[path])
        except (KeyError, ValueError, griffe.AliasResolutionError, griffe.CyclicAliasError):
            why = f"has nothing behind the name `{name}`"
            raise PartUnreadable(self._root, _PACKAGE, why) from None

    def _aliases(self, module: griffe.Module) -> Iterator[tuple[str, str]]:
        for name, member in module.members.items():
            if isinstance(member, griffe.Attribute) and _ALIAS.fullmatch(name) and member.value:
                value = str(member.value)
                if "TypeVar" not in value and "ParamSpec" not in value:
                    yield name, f"({value})"
        for inner in module.modules.values():
            if not inner.is_alias and inner.name != "_sync":
                yield from self._aliases(inner)


def _final(found: griffe.Object | griffe.Alias) -> griffe.Object:
    return found.final_target if isinstance(found, griffe.Alias) else found


class _Pair(NamedTuple):
    """The SDK of the last release, and that of this one."""

    before: _Surface
    after: _Surface

    def change_of_type(self, old: object, new: object) -> Change | None:
        """Say how an annotation has changed, by what its names stand for."""
        return change_of_type(self.before.text(old), self.after.text(new))


def _compared(name: str, pair: _Pair) -> Iterator[Difference]:
    old, new = pair.before.objects[name], pair.after.objects[name]
    symbol = name.removeprefix(_ASYNC).removeprefix("Async")
    if old.kind is not new.kind:
        yield _PART.broken(symbol, "is something else now")
        return
    for breakage in griffe.find_breaking_changes(old, new):
        yield from _of_breakage(symbol, old, breakage)
    for member in _public(new).keys() - _public(old).keys():
        yield _PART.added(f"{symbol}.{member}", "was added")
    for member in _public(old).keys() - _public(new).keys():  # griffe overlooks inherited fields
        yield _PART.broken(f"{symbol}.{member}", "was removed")
    if isinstance(old, griffe.Class) and isinstance(new, griffe.Class):
        yield from _bases(symbol, old, new)
    for member, was in _public(old).items():
        now = _public(new).get(member)
        if isinstance(was, griffe.Function) and isinstance(now, griffe.Function):
            yield from _function(_method(symbol, member), was, now, pair)
        elif isinstance(was, griffe.Attribute) and isinstance(now, griffe.Attribute):
            yield from _attribute(symbol, member, was, now, pair)


def _public(found: griffe.Object) -> dict[str, griffe.Object]:
    """Return the members that users reach, inherited ones included."""
    return {
        name: _final(member)
        for name, member in found.all_members.items()
        if name == "__init__" or not name.startswith("_")
    }


def _method(symbol: str, name: str) -> str:
    return symbol if name == "__init__" else f"{symbol}.{name}"


def _of_breakage(
    symbol: str, owner: griffe.Object, breakage: griffe.Breakage
) -> Iterator[Difference]:
    """Yield the difference of what griffe has found."""
    kind = breakage.kind
    member = breakage.obj.name if breakage.obj.path != owner.path else ""
    if kind is _REMOVED:
        yield _PART.broken(f"{symbol}.{member}" if member else symbol, "was removed")
    elif kind.name.startswith("PARAMETER"):
        parameter = breakage.old_value or breakage.new_value
        is_breaking = kind is not griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT
        yield _PART.changed(
            _method(symbol, member), _WORDS[kind], parameter.name, breaking=is_breaking
        )
    elif kind in _WORDS:
        yield _PART.broken(_method(symbol, member) if member else symbol, _WORDS[kind])


def _bases(symbol: str, old: griffe.Class, new: griffe.Class) -> Iterator[Difference]:
    """Yield a public class that is no longer above another: `except` and `isinstance` see it."""

    def above(found: griffe.Class) -> set[str]:
        return {each.name for each in found.mro() if not each.name.startswith("_")}

    for base in sorted(above(old) - above(new)):
        yield _PART.broken(symbol, "is no longer above it", base)


def _function(
    symbol: str, old: griffe.Function, new: griffe.Function, pair: _Pair
) -> Iterator[Difference]:
    """Yield parameters that were added, and what has another type."""
    was = {each.name: each for each in old.parameters}
    for parameter in new.parameters:
        if parameter.name not in was:
            if not parameter.required:
                yield _PART.added(symbol, "was added", parameter.name)
            continue
        change = pair.change_of_type(was[parameter.name].annotation, parameter.annotation)
        if change:
            yield _PART.changed(
                symbol, f"{change} its type", parameter.name, breaking=breaks_callers(change)
            )
    change = pair.change_of_type(old.returns, new.returns)
    if change and old.name != "__init__":
        yield _PART.changed(symbol, f"{change} its result", breaking=breaks_readers(change))


def _attribute(
    symbol: str, member: str, old: griffe.Attribute, new: griffe.Attribute, pair: _Pair
) -> Iterator[Difference]:
    """Yield a field or attribute that has another type, or is not always there any more."""
    change = pair.change_of_type(old.annotation, new.annotation)
    if change and not _is_resource(old):
        yield _PART.changed(symbol, f"{change} its type", member, breaking=breaks_readers(change))
    if _is_total(old) and not _is_total(new):
        yield _PART.broken(symbol, "may be missing now", member)
    if _is_total(new) and not _is_total(old):
        yield _PART.added(symbol, "is always there now", member)


def _is_resource(attribute: griffe.Attribute) -> bool:
    """Tell whether an attribute of a client is a group of methods, whose class is compared by itself."""
    return str(attribute.value or "").startswith("resource(")


def _is_total(attribute: griffe.Attribute) -> bool:
    """Tell whether a field is always there: whether its TypedDict does not say `total=False`."""
    owner = attribute.parent
    keywords = owner.keywords if isinstance(owner, griffe.Class) else {}
    return str(keywords.get("total", "True")) == "True"
