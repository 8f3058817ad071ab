"""The errors of commands: one shape for the command line and for MCP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from arcrun._core.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ArcrunError,
    ConfigurationError,
    InsecureTransportError,
    InvalidArgumentError,
    MissingSecretError,
    UnexpectedResponseError,
    WorkflowPaused,
    WorkflowRunError,
)


class Next(NamedTuple):
    """Something to do next.

    Attributes:
        text: what it is for, as `see the names`.
        command: the name of the command that does it, as `workflows list`; "" if none does.
        arguments: what follows that name, each as it is typed.
    """

    text: str
    command: str = ""
    arguments: tuple[str, ...] = ()


class CommandError(Exception):
    """A command that failed.

    Attributes:
        code: the engine's error code, or one of `docs/cli.md#error-codes`.
        message: what is wrong, where, and what to do.
        next: what can be done next.
        details: faults, each with a `message`, and `line` and `column` where the input has such a place.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        next: Sequence[Next] = (),  # noqa: A002 - the word of the JSON
        details: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next = list(next)
        self.details = [dict(detail) for detail in details]


_LOCAL_CODES: tuple[tuple[type[ArcrunError], str], ...] = (
    (APITimeoutError, "timeout"),
    (APIConnectionError, "unreachable"),
    (InsecureTransportError, "insecure_transport"),
    (ConfigurationError, "invalid_configuration"),
    (MissingSecretError, "missing_secret"),
    (InvalidArgumentError, "invalid_argument"),
    (WorkflowPaused, "run_paused"),
    (UnexpectedResponseError, "unexpected_response"),
)
# What the engine advises in its own words: a method and a route. Commands that do the same.
_COMMAND_OF_ROUTE = {
    "GET /webhooks/named": "workflows list",
    "GET /prompt-recipes": "recipe list",
    "GET /auth-recipes": "services",
    "GET /recipes": "recipe list",
    "GET /components": "components list",
    "GET /components/search?q=": "components search",
    "GET /credentials": "creds list",
    "GET /runs": "runs list",
    "GET /kbdb/search?q=": "kb search",
}


def command_error(error: ArcrunError) -> CommandError:
    """Return what a command says of an error of the SDK.

    Example:
        >>> command_error(InvalidArgumentError("no such kind")).code
        'invalid_argument'
    """
    if isinstance(error, APIStatusError):
        return CommandError(
            error.code or ("run_failed" if isinstance(error, WorkflowRunError) else "refused"),
            error.message,
            next=[_step(action) for action in error.next_actions],
            details=error.details,
        )
    code = next((code for kind, code in _LOCAL_CODES if isinstance(error, kind)), "failed")
    return CommandError(code, str(error), next=_advice(error))


def _step(action: str) -> Next:
    """Return what the engine advises, with the command that does it."""
    text, _, route = action.rpartition(": ")
    command = _COMMAND_OF_ROUTE.get(route)
    return Next(text, command) if text and command else Next(action)


def _advice(error: ArcrunError) -> list[Next]:
    if isinstance(error, ConfigurationError):
        return [Next("see which settings count", "auth status")]
    if isinstance(error, APIConnectionError):
        return [Next("check the engine and the settings", "doctor")]
    if isinstance(error, WorkflowPaused) and error.task_id:
        return [Next("resume the run", "runs resume", (error.task_id,))]
    return []
