"""Runtime expressions of Arazzo: values that are known only when a workflow is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .inexpressible import Inexpressible

# As the placeholders of a scenario are filled in: an expression embedded into a text.
_EMBEDDED = re.compile(r"\{(\$(?:inputs|steps)\.[\w.-]+)\}")


def embedded(text: str) -> str:
    """Return an expression as it stands inside of a text.

    Example:
        >>> embedded("$inputs.api_key")
        '{$inputs.api_key}'
    """
    return f"{{{text}}}"


def expression(text: str) -> str:
    """Return the expression that a text consists of; empty if there is more, or none.

    Example:
        >>> expression("{$inputs.api_key}"), expression("Bearer {$inputs.api_key}")
        ('$inputs.api_key', '')
    """
    match = _EMBEDDED.fullmatch(text)
    return match[1] if match else ""


def has_expression(value: Any) -> bool:
    """Return whether a value has an expression anywhere, keys included."""
    if isinstance(value, str):
        return _EMBEDDED.search(value) is not None
    if isinstance(value, Mapping):
        return any(has_expression(key) or has_expression(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_expression, value))


def written(value: Any) -> Any:
    """Return a value as Arazzo has it: an expression that is the whole value keeps its type.

    Raises:
        Inexpressible: A text of the scenario would be read as an expression.
    """
    if isinstance(value, str):
        rest = _EMBEDDED.sub("", value)
        if "{$" in rest or re.match(r"\$[a-z]", rest):
            raise Inexpressible("it sends a text that Arazzo reads as an expression")
        return expression(value) or value
    if isinstance(value, Mapping):
        if any(has_expression(key) for key in value):
            raise Inexpressible("it sends a value of an earlier response as a name")
        return {key: written(item) for key, item in value.items()}
    return [written(item) for item in value] if isinstance(value, list) else value


def of_reply(path: str) -> str:
    """Return the expression of a value that a step saves.

    Raises:
        Inexpressible: Arazzo has none.

    Example:
        >>> of_reply("body.items.0.id"), of_reply("headers.etag")
        ('$response.body#/items/0/id', '$response.header.etag')
    """
    part, _, rest = path.partition(".")
    if part == "body":
        tokens = [token.replace("~", "~0").replace("/", "~1") for token in rest.split(".") if rest]
        return "$response.body" + ("#/" + "/".join(tokens) if tokens else "")
    if part == "headers" and rest:
        return f"$response.header.{rest}"
    raise Inexpressible(f"it saves {part} of a response")
