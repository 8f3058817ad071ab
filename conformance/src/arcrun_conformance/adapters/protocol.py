"""The adapter protocol: commands go out, replies come in, one JSON object a line. See PROTOCOL.md."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from arcrun_conformance.cleaning import parsed_json, visible
from arcrun_conformance.resources import validator

if TYPE_CHECKING:
    from jsonschema import ValidationError

VERSION = 1

FailureKind = Literal[
    "not-available",
    "not-started",
    "crash",
    "timeout",
    "invalid-json",
    "mismatched-id",
    "invalid-reply",
    "failure",
]


class AdapterFailure(Exception):
    """The adapter did not keep the protocol; this never counts as passed, nor as an SDK's error.

    Attributes:
        kind: `not-available` (its runtime is not installed), `not-started`, `crash`, `timeout`,
            `invalid-json` (a line on stdout is not JSON), `mismatched-id`, `invalid-reply` (the
            reply does not match its schema) or `failure` (reported by the adapter itself).
        stderr: What an adapter that did not start had written to stderr.
    """

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(visible(message))
        self.kind: FailureKind = kind
        self.stderr = ""


@dataclass(frozen=True)
class Result:
    """The SDK returned a value; `waited` has the seconds of each wait, if the clock is replaced.

    `warned` has the texts of what it warned of meanwhile.
    """

    value: Any
    waited: tuple[float, ...] = field(default=(), repr=False)
    warned: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class SdkError:
    """The SDK raised one of its typed errors; `name` is the common name in all languages."""

    name: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)
    waited: tuple[float, ...] = ()
    warned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """The SDK and runtime that an adapter names in its reply to `start`."""

    sdk: str
    version: str
    language: str
    runtime: str
    capabilities: frozenset[str]


def encode(identifier: int, command: str, body: dict[str, Any]) -> str:
    """Return a command as a line, checked against its schema."""
    message = {"id": identifier, "command": command, **body}
    validator(f"protocol/{command}").validate(message)
    return json.dumps(message, ensure_ascii=False)


def decode(line: str, identifier: int, command: str) -> Result | SdkError:
    """Parse the reply in a line that an adapter wrote.

    Raises:
        AdapterFailure: The line is not JSON, replies to another command, or does not match the
            schema.

    Example:
        >>> decode('{"id": 3, "result": {"ok": true}}', 3, "call")
        Result(value={'ok': True})
    """
    try:
        reply = parsed_json(line)
    except ValueError as problem:
        raise AdapterFailure("invalid-json", _not_json(line, problem)) from None
    _check("protocol/reply", None, reply, "the reply")
    if reply["id"] != identifier:
        raise AdapterFailure(
            "mismatched-id",
            f"the reply has the id {reply['id']}, the command had the id {identifier}. Reply to "
            "each command once, in order, with the command's id.",
        )
    if "failure" in reply:
        failure = reply["failure"]
        detail = failure.get("detail", "")
        raise AdapterFailure("failure", failure["message"] + (f"\n{detail}" if detail else ""))
    waited, warned = tuple(reply.get("waited", ())), tuple(reply.get("warned", ()))
    if "error" in reply:
        error = reply["error"]
        fields = {"status": None, "code": None, "request_id": None, **error}
        return SdkError(error["name"], error["message"], fields, waited, warned)
    _check(f"protocol/{command}", "result", reply["result"], f"the result of `{command}`")
    return Result(reply["result"], waited, warned)


def _not_json(line: str, error: ValueError) -> str:
    shown = json.dumps(line[:200], ensure_ascii=False)
    if isinstance(error, json.JSONDecodeError):
        return (
            f"a line on stdout is not valid JSON: {shown}. Write only replies to stdout, and "
            "everything else to stderr."
        )
    return f"the reply {shown} is {error}"


def _check(schema_name: str, definition: str | None, value: Any, what: str) -> None:
    for error in validator(schema_name, definition).iter_errors(value):
        path = "".join(f".{part}" for part in error.absolute_path)
        raise AdapterFailure(
            "invalid-reply", f"{what}{path} does not match the protocol's schema: {_reason(error)}"
        )


def _reason(error: ValidationError) -> str:
    """Return what a value lacks, with values written as JSON: the library writes them as Python does."""
    value = json.dumps(error.validator_value)
    rule = error.validator_value if isinstance(error.validator_value, str) else value
    expected = {
        "type": f"a value of type {rule}",
        "pattern": f"a string that matches {rule}",
        "const": value,
        "enum": f"one of {rule}",
        "anyOf": "one of the forms that it has there",
        "oneOf": "one of the forms that it has there",
    }.get(str(error.validator))
    if expected is None:
        return str(error.message)
    got = json.dumps(error.instance, ensure_ascii=False)
    return f"expected {expected}, got {got if len(got) <= 300 else f'{got[:300]}…'}"
