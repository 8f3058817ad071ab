"""The contract of a component, and what the components share to read what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

from arcrun_server.engine import ComponentError
from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.shorten import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from arcrun_server.engine import JsonObject

T = TypeVar("T")


class _ContractRequired(TypedDict):
    canonical_id: str
    display_name: str
    category: Literal["logic", "data", "api", "auth"]
    version: str
    description: str
    input_schema: JsonObject
    output_schema: JsonObject
    config_example: JsonObject


class ComponentContract(_ContractRequired, total=False):
    """An entry of the component catalog (docs/contract.md#components)."""

    branches: list[str]


_KINDS: dict[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


# Second names of parameters, which the catalog does not show.
SECOND_NAMES = frozenset({"json", "list", "op", "text", "value"})


def parameters_of(contract: ComponentContract) -> frozenset[str]:
    """Return the names under which a component reads what it computes with."""
    return SECOND_NAMES | frozenset(contract["input_schema"]["properties"])


def data_schema(result: JsonObject, **more: JsonObject) -> JsonObject:
    """Return the output schema `{"success": true, "data": {"result": …}}`."""
    properties = {"result": result, **more}
    return {
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": {"const": True},
            "data": {"type": "object", "required": [*properties], "properties": properties},
        },
    }


def success(result: Any, **more: Any) -> JsonObject:
    """Return the result `{"success": true, "data": {"result": …}}`.

    Example:
        >>> success(3, branch="甲")
        {'success': True, 'data': {'result': 3, 'branch': '甲'}}
    """
    return {"success": True, "data": {"result": result, **more}}


def given_value(given: JsonObject, *names: str) -> Any:
    """Return a required parameter, under the first of its names that is given.

    Raises:
        ComponentError: None of the names is given.
    """
    for name in names:
        if name in given:
            return given[name]
    raise ComponentError(f"`{names[0]}` is missing; give it in the node's config")


def require(value: Any, kind: type[T], name: str) -> T:
    """Return a value if it is of a type; a whole number is a number too.

    Raises:
        ComponentError: It is of another type; the message says which, and the parameter.

    Example:
        >>> require(3, float, "seconds")
        3
    """
    fits = isinstance(value, (int, float)) if kind is float else isinstance(value, kind)
    if isinstance(value, bool) and kind is not bool:
        fits = False
    if not fits:
        raise ComponentError(f"`{name}` must be {_KINDS[kind]}, but it is {describe(value)}")
    return value  # type: ignore[no-any-return]


def optional(given: JsonObject, name: str, kind: type[T], default: T) -> T:
    """Return a parameter of a type, or its default if it was left out."""
    value = given.get(name)
    return default if value is None else require(value, kind, name)


def one_of(value: Any, choices: Iterable[str], name: str) -> str:
    """Return a text if it is one of the choices.

    Raises:
        ComponentError: It is not; the message names the nearest choice and lists them all.

    Example:
        >>> one_of("sha257", ["sha256", "sha512"], "algorithm")
        Traceback (most recent call last):
        arcrun_server.engine.environment.ComponentError: `algorithm` can't be 'sha257'; did you mean \
'sha256'? The choices are: sha256, sha512
    """
    known = list(choices)
    if isinstance(value, str) and value in known:
        return value
    near = nearest(value, known) if isinstance(value, str) else None
    hint = f"; did you mean '{near}'?" if near else "."
    raise ComponentError(
        f"`{name}` can't be {describe(value)}{hint} The choices are: {', '.join(known)}"
    )


def check_names(contract: ComponentContract, own: JsonObject) -> None:
    """Check that no parameter of a node is almost one of the component's: it would be ignored without a word.

    Raises:
        ComponentError: One is; the message says which one was probably meant.

    Example:
        >>> contract = {"canonical_id": "wait", "input_schema": {"properties": {"seconds": {}}}}
        >>> check_names(contract, {"secconds": 1})
        Traceback (most recent call last):
        arcrun_server.engine.environment.ComponentError: wait has no parameter 'secconds'; did you mean 'seconds'?
    """
    known = contract["input_schema"]["properties"]
    for name in own:
        if name not in known:
            longer = next((one for one in known if one.startswith(f"{name}_")), None)
            near = nearest(name, known, least=0.75) or longer
            if near is not None and near not in own:
                raise ComponentError(
                    f"{contract['canonical_id']} has no parameter {describe(name)}; did you mean '{near}'?"
                )


def describe(value: Any) -> str:
    """Return briefly what a value is, for an error message."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"'{shorten(value, 60, '…')}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    return f"a list of {len(value)}" if isinstance(value, list) else _KINDS.get(type(value), "this")
