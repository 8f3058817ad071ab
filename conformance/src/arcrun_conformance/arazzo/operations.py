"""The operations of an OpenAPI document, found by method and path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .inexpressible import Inexpressible

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Operation:
    """An operation, and its path in parts."""

    id: str
    method: str
    parts: tuple[str, ...]

    def values(self, parts: list[str]) -> dict[str, str] | None:
        """Return the values of the path's parameters; `None` if it is another path."""
        if len(parts) != len(self.parts):
            return None
        found = {}
        for expected, part in zip(self.parts, parts, strict=True):
            if expected.startswith("{"):
                found[expected[1:-1]] = unquote(part)
            elif expected != part:
                return None
        return None if "" in found.values() else found


class Operations:
    """The operations of a document.

    Example:
        >>> operations = Operations({"paths": {"/a/{name}": {"get": {"operationId": "getA"}}}})
        >>> operations.find("GET", "/a/x%2Fy")
        ('getA', {'name': 'x/y'})
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._operations = [
            Operation(item[method]["operationId"], method.upper(), tuple(path.split("/")))
            for path, item in document["paths"].items()
            for method in METHODS
            if "operationId" in item.get(method, {})
        ]

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """Return the id of the operation of a request, and the values of its path's parameters.

        Raises:
            Inexpressible: The document has no such operation.
        """
        parts = path.split("/")
        matching = [
            (each, values)
            for each in self._operations
            if each.method == method and (values := each.values(parts)) is not None
        ]
        if not matching:
            raise Inexpressible("it sends a request that the OpenAPI document does not have")
        operation, values = min(matching, key=lambda found: len(found[1]))
        return operation.id, values
