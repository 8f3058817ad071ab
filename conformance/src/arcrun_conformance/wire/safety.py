"""The requests that may be sent to an engine that others use as well (`live-safe.yaml`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arcrun_conformance.documents import read

from .journal import Request, body_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Guard = Callable[[Request], str | None]


@dataclass(frozen=True)
class Operation:
    """Requests that may be sent: the method, a pattern of the path, and where the run's id must be."""

    method: str
    path: re.Pattern[str]
    own: str = ""

    def covers(self, request: Request) -> re.Match[str] | None:
        """Return the match if the request is one of these."""
        return self.path.match(request.path) if request.method == self.method else None


class Safety:
    """The list of the requests that may be sent.

    Example:
        >>> from arcrun_conformance.wire.journal import Request
        >>> safety = Safety([Operation("GET", re.compile("^/health$"))])
        >>> safety.guard("arcconf_0a1b2c3d")(Request("POST", "/init", []))
        'POST /init is not in live-safe.yaml'
    """

    def __init__(self, operations: list[Operation]) -> None:
        self._operations = operations

    @classmethod
    def load(cls, path: Path) -> Safety:
        """Read the list.

        Raises:
            DocumentError: The file is invalid.
        """
        entries = read(path, "live-safe").value["operations"]
        return cls(
            [Operation(e["method"], re.compile(e["path"]), e.get("own", "")) for e in entries]
        )

    def guard(self, run: str) -> Guard:
        """Return a function that returns why a request must not be sent; `None` if it may."""

        def refusal(request: Request) -> str | None:
            for operation in self._operations:
                found = operation.covers(request)
                if found is not None:
                    return _not_own(operation, found, request, run)
            return f"{request.method} {request.path} is not in live-safe.yaml"

        return refusal


def _not_own(operation: Operation, found: re.Match[str], request: Request, run: str) -> str | None:
    if not operation.own:
        return None
    if operation.own == "path":
        name = found["name"]
    else:
        body = body_value(request.body)
        name = body.get(operation.own.removeprefix("body.")) if isinstance(body, dict) else None
    if isinstance(name, str) and run.lower() in name.lower():
        return None
    return f"{request.method} {request.path}: the name {name} does not contain the run's id {run}"
