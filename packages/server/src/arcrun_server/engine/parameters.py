"""Parameters that are not filled like the others: conditions and code (docs/contract.md#placeholders)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .condition_parser import parse_condition
from .model import Problem
from .templates import ObjectTemplate, is_template, parse_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conditions import Condition
    from .model import JsonObject

CONDITIONS = {"if_control": "condition", "filter": "condition"}
"""The components with a condition, and the parameter that holds it: it is parsed, not filled."""

_VERBATIM = {**CONDITIONS, "code": "code"}


def parse_parameters(component: str | None, data: JsonObject) -> Any:
    """Parse the templates in a node's data; what its component reads itself is none.

    Example:
        >>> parse_parameters("filter", {"condition": "n > {{input.n}}"})
        {'condition': 'n > {{input.n}}'}
    """
    verbatim = _VERBATIM.get(component or "")
    fields = tuple(
        (name, value if name == verbatim else parse_value(value)) for name, value in data.items()
    )
    return ObjectTemplate(fields) if any(is_template(value) for _, value in fields) else data


def read_condition(component: str | None, data: JsonObject) -> Condition | None:
    """Return the condition of a node, or None if it has none that is text.

    Raises:
        ValueError: It is not a condition.
    """
    text = data.get(CONDITIONS.get(component or "", ""))
    return parse_condition(text) if isinstance(text, str) else None


def parameter_problems(component: Any, data: JsonObject, path: str) -> Iterator[Problem]:
    """Find what is wrong with the parameters that are read when a graph is pushed.

    Args:
        component: The node's component, whatever it is.
        data: The node's data.
        path: The path of the data.
    """
    if not isinstance(component, str):
        return
    try:
        read_condition(component, data)
    except ValueError as problem:
        yield Problem(str(problem), path=f"{path}.{CONDITIONS[component]}")
