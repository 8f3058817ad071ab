"""The JSON schema of what a tool returns, from the types of its function's results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from arcrun.commands.result_types import Failure

_SCALARS: Mapping[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


@cache
def result_types(function: Callable[..., Any]) -> tuple[Any, ...]:
    """Return the types of a tool's results: those without `dry_run`, an argument that tools don't have."""
    hint = get_type_hints(function)["return"]
    kinds = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    return tuple(kind for kind in kinds if "dry_run" not in kind.__required_keys__)


def result_schema(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the schema that `tools/list` shows: the fields that a result or an error always has.

    Types would cost each conversation as many tokens as all else; `whole_schema` has them.
    """
    always = [sorted(kind.__required_keys__) for kind in result_types(function)]
    return {"type": "object", "anyOf": [{"required": names} for names in [*always, ["code"]]]}


def whole_schema(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the schema of a tool's result or error with all fields and their types; engines may add fields."""
    schemas = [schema_of(kind) for kind in (*result_types(function), Failure)]
    return {"type": "object", "anyOf": schemas}


def schema_of(hint: Any) -> dict[str, Any]:
    """Return the schema of a type.

    Example:
        >>> schema_of(list[str])
        {'type': 'array', 'items': {'type': 'string'}}
    """
    if hint is Any:
        return {}
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    return _schema_of_fields(hint) if is_typeddict(hint) else _schema_of_generic(hint)


def _schema_of_fields(kind: Any) -> dict[str, Any]:
    fields = get_type_hints(kind)
    return {
        "type": "object",
        "properties": {name: schema_of(hint) for name, hint in fields.items()},
        "required": sorted(kind.__required_keys__),
    }


def _schema_of_generic(hint: Any) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in {Union, UnionType}:
        return {"anyOf": [schema_of(each) for each in arguments]}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    raise TypeError(f"no schema for {hint!r}")
