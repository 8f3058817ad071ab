"""The adapter protocol: commands out, answers in, one JSON object a line. See PROTOCOL.md."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from .resources import validator

VERSION = 1

FailureKind = Literal[
    "not-available",
    "not-started",
    "crash",
    "timeout",
    "garbage",
    "wrong-id",
    "schema",
    "could-not-run",
]


class AdapterFailure(Exception):
    """The adapter did not do what the protocol says; never a pass, never an answer of the SDK.

    Attributes:
        kind: `not-available` (what it runs on is not installed), `not-started`, `crash`, `timeout`,
            `garbage` (no JSON on stdout), `wrong-id`, `schema` (an answer of another shape) or `could-not-run` (the adapter says so itself).
        stderr: What an adapter that did not start had written to stderr.
    """

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.stderr = ""


@dataclass(frozen=True)
class Result:
    """The SDK returned a value."""

    value: Any


@dataclass(frozen=True)
class SdkError:
    """The SDK raised one of its typed errors; `name` is the common name in all languages."""

    name: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """What an adapter said of itself at `start`."""

    sdk: str
    version: str
    language: str
    runtime: str
    capabilities: frozenset[str]


def encode(identifier: int, command: str, body: dict[str, Any]) -> str:
    """A command as a line, checked against its schema."""
    message = {"id": identifier, "command": command, **body}
    validator(f"protocol/{command}").validate(message)
    return json.dumps(message, ensure_ascii=False)


def decode(line: str, identifier: int, command: str) -> Result | SdkError:
    """The answer in a line that an adapter wrote.

    Raises:
        AdapterFailure: The line is no JSON, answers another command, or has another shape.

    Example:
        >>> decode('{"id": 3, "result": {"ok": true}}', 3, "call")
        Result(value={'ok': True})
    """
    try:
        answer = json.loads(line)
    except ValueError:
        raise AdapterFailure(
            "garbage",
            f"stdout holds a line that is no JSON: {line[:200]!r}. Only answers may go to stdout; "
            "send everything else to stderr.",
        ) from None
    _check("protocol/answer", None, answer, "the answer")
    if answer["id"] != identifier:
        raise AdapterFailure(
            "wrong-id",
            f"the answer carries id {answer['id']}, the command had id {identifier}. Answer each "
            "command once, in order, with its own id.",
        )
    if "failure" in answer:
        failure = answer["failure"]
        detail = failure.get("detail", "")
        raise AdapterFailure(
            "could-not-run", failure["message"] + (f"\n{detail}" if detail else "")
        )
    if "error" in answer:
        error = answer["error"]
        return SdkError(error["name"], error["message"], error)
    _check(f"protocol/{command}", "result", answer["result"], f"the result of `{command}`")
    return Result(answer["result"])


def _check(schema_name: str, definition: str | None, value: Any, what: str) -> None:
    for error in validator(schema_name, definition).iter_errors(value):
        place = "".join(f".{part}" for part in error.absolute_path)
        raise AdapterFailure(
            "schema", f"{what}{place} has another shape than the protocol says: {error.message}"
        )
