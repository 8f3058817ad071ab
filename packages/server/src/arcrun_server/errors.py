"""Errors: the response to a request that can't be done, in one shape (docs/contract.md#errors)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Detail:
    """One thing that is wrong, and where.

    Args:
        message: What is wrong.
        path: Where in the body, as `graph.edges[0].to`.
        line: Line of a flow, from 1.
        column: Column in that line, from 1.
        suggestion: The nearest known name.
    """

    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    suggestion: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields that have a value."""
        return {key: value for key, value in vars(self).items() if value is not None}


class ApiError(Exception):
    """An error response: raised by a route or below it, sent by the application.

    The message goes to the client and into no log; it never quotes a value from the request.

    Args:
        status: HTTP status.
        code: One of the contract's codes, as `invalid_request`.
        message: What is wrong, where, and what to do.
        requires: What the request lacks.
        details: Everything that is wrong, one entry each.
        next_actions: What the caller can do now.
        headers: Further headers of the response.
        extra: Further fields of the response, as `valid` for an invalid graph.

    Example:
        >>> ApiError(404, "workflow_not_found", "no workflow 'greet' in this account").body()
        {'error': "no workflow 'greet' in this account", 'code': 'workflow_not_found'}
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        requires: str | None = None,
        details: Iterable[Detail] = (),
        next_actions: Iterable[str] = (),
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.requires = requires
        self.details = tuple(details)
        self.next_actions = tuple(next_actions)
        self.headers = headers or {}
        self.extra = extra or {}

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the response."""
        body: dict[str, Any] = {"error": self.message, "code": self.code}
        if self.requires is not None:
            body["requires"] = self.requires
        if self.details:
            body["details"] = [detail.as_json() for detail in self.details]
        if self.next_actions:
            body["next_actions"] = list(self.next_actions)
        return body | self.extra


def too_many(what: str, seconds: int = 1) -> ApiError:
    """Return the error response for a client that has to wait.

    Args:
        what: There is too much of what, as a sentence without its end.
        seconds: After how long to try again.
    """
    return ApiError(
        429,
        "too_many_requests",
        f"{what}; try again in a moment",
        next_actions=["wait as long as Retry-After says, then try again"],
        headers={"Retry-After": str(seconds)},
    )


class StartupError(Exception):
    """Something that keeps the server or a command from starting; the message is for the terminal."""


class StorageUnavailableError(Exception):
    """The store can't be used now: locked, full, damaged, or not connected.

    Args:
        reason: Why, without any value from a request, as `the disk is full`.
        outcome_known: Whether it is known that nothing was changed.
    """

    def __init__(self, reason: str, *, outcome_known: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.outcome = (
            "nothing was changed" if outcome_known else "the change may or may not have been made"
        )
