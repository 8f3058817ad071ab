"""Read what the Python SDK offers from its sources, with griffe, without importing it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

import griffe

from scripts.parity.surface import ErrorClass, Method, Parameter, Surface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The path of each client, and the prefix of the names on the asynchronous side.
CLIENTS = {"sync": ("_sync.client.Arcrun", ""), "async": ("_async.client.AsyncArcrun", "Async")}


def read_python(source: Path, kind: str) -> Surface:
    """Read one of the two clients.

    Args:
        source: The folder that holds the package `arcrun`.
        kind: `sync` or `async`. Names of the asynchronous side come without their `Async`.

    Raises:
        griffe.GriffeError: The sources can't be read.
    """
    package = cast(
        "griffe.Module", griffe.load("arcrun", search_paths=[source], resolve_aliases=True)
    )
    path, prefix = CLIENTS[kind]
    client = cast("griffe.Class", package[path])
    names = [str(name) for name in package.exports or ()]
    public = [_final(package[name]) for name in names if name != "__version__"]
    classes = [each for each in public if isinstance(each, griffe.Class)]
    errors = {each.name: each for each in classes if _is_error(each)}
    return Surface(
        methods={name: _method(function, prefix) for name, function in _methods(client)},
        options=tuple(_parameters(client["__init__"])),
        errors={name: _error(each) for name, each in errors.items()},
        results={
            each.name: dict(_fields(each))
            for each in classes
            if each.name not in errors and each.module.path == "arcrun._core.types"
        },
        defaults=dict(_defaults(package)),
        origins=dict(_origins(package)),
        exports=frozenset(names),
    )


def _origins(package: griffe.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the origins of each known recipe whose URLs do not depend on the engine."""
    for service, (base_url, _inject, _keys, *endpoint) in _value(
        package["_core.known_recipes"], "KNOWN"
    ).items():
        if base_url.startswith("https:"):
            yield service, tuple("/".join(url.split("/")[:3]) for url in (base_url, *endpoint))


def _final(found: griffe.Object | griffe.Alias) -> griffe.Object:
    return found.final_target if isinstance(found, griffe.Alias) else found


def _methods(client: griffe.Class) -> Iterator[tuple[str, griffe.Function]]:
    for name, member in client.members.items():
        if name.startswith("_"):
            continue
        if isinstance(member, griffe.Function):
            yield name, member
        elif isinstance(member, griffe.Attribute) and isinstance(member.annotation, griffe.Expr):
            package = client.package
            resource = package[member.annotation.canonical_path.removeprefix(f"{package.path}.")]
            for inner, method in cast("griffe.Class", resource).members.items():
                if isinstance(method, griffe.Function) and not inner.startswith("_"):
                    yield f"{name}.{inner}", method


def _method(function: griffe.Function, prefix: str) -> Method:
    returns = str(function.returns)
    if prefix:
        returns = returns.replace(prefix, "").replace("Awaitable[RawResponse[T]]", "RawResponse[T]")
    return Method(tuple(_parameters(function)), returns.replace("builtins.", ""))


def _parameters(function: Any) -> Iterator[Parameter]:
    own = [each for each in function.parameters if each.name != "self"]
    for position, parameter in enumerate(own):
        kind = parameter.kind
        if kind is griffe.ParameterKind.var_keyword:
            yield Parameter(parameter.name, required=False)
        else:
            by_name = kind is griffe.ParameterKind.keyword_only
            yield Parameter(
                parameter.name, parameter.default is None, None if by_name else position
            )


def _parents(found: griffe.Class) -> list[griffe.Class]:
    """Return the parent classes of a class that the package defines, in their order."""
    return [cast("griffe.Class", _final(each)) for each in found.resolved_bases]


def _is_error(found: griffe.Class) -> bool:
    return "Exception" in [str(base) for base in found.bases] or any(
        _is_error(parent) for parent in _parents(found)
    )


def _error(found: griffe.Class) -> ErrorClass:
    parents = _parents(found)
    attributes = [name for name, each in found.members.items() if each.is_attribute]
    parent = parents[0].name if parents else "Error"  # the name of Exception in JavaScript
    return ErrorClass(parent, tuple(attributes))


def _fields(found: griffe.Class) -> Iterator[tuple[str, bool]]:
    """Yield the keys of a TypedDict, or the attributes of another class."""
    for parent in _parents(found):
        yield from _fields(parent)
    total = str(found.keywords.get("total", "True")) == "True"
    for name, member in found.members.items():
        if member.is_attribute and not name.startswith("_"):
            yield name, total


def _defaults(package: griffe.Module) -> Iterator[tuple[str, str]]:
    """Yield the constants that are numbers, and the public ones that are URLs."""
    for module in _modules(package):
        for name, member in module.members.items():
            if not isinstance(member, griffe.Attribute) or not name.isupper():
                continue
            try:
                value = ast.literal_eval(str(member.value))
            except (ValueError, SyntaxError):
                continue
            yield from default(name, value, public=not name.startswith("_"))


def default(name: str, value: object, *, public: bool) -> Iterator[tuple[str, str]]:
    """Yield a constant if it is a default: a number, or a public URL."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name.lstrip("_"), f"{value:g}"
    elif isinstance(value, str) and public and value.startswith("https://"):
        yield name, value


# `_sync` is generated from `_async`; the command line and the MCP server are no part of what the SDKs have in common.
_LEFT_OUT = frozenset({"_sync", "commands", "cli", "mcp"})


def _modules(package: griffe.Module) -> Iterator[griffe.Module]:
    yield package
    for module in package.modules.values():
        if not module.is_alias and module.name not in _LEFT_OUT:
            yield from _modules(module)


def _value(module: Any, name: str) -> Any:
    """Return the value of a constant made of literals and of names of other constants."""
    return _evaluated(ast.parse(str(module[name].value), mode="eval").body, module)


def _evaluated(node: ast.expr, module: Any) -> Any:
    if isinstance(node, ast.Dict):
        keys = [_evaluated(key, module) for key in node.keys if key is not None]
        return dict(zip(keys, [_evaluated(each, module) for each in node.values], strict=True))
    if isinstance(node, (ast.Tuple, ast.List)):
        return [_evaluated(each, module) for each in node.elts]
    if isinstance(node, ast.Call):  # of a named tuple
        return [_evaluated(each, module) for each in node.args]
    if isinstance(node, ast.Name):
        return _value(module, node.id)
    return ast.literal_eval(node)
