"""Requests and answers as data: what is sent, and what came back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, TypeVar, cast

from .errors import InvalidArgumentError, UnexpectedResponseError
from .secret import Secret, blank_out
from .shapes import json_object

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "DELETE"]
KeyUse = Literal["needed", "welcome", "none"]


class Answer:
    """What the engine answered."""

    __slots__ = ("content", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status = status
        self.headers = headers
        self.content = content

    @property
    def request_id(self) -> str | None:
        """The answer's `X-Request-Id`."""
        return self.headers.get("x-request-id")

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")

    def json_object(self) -> dict[str, Any] | None:
        """Return the body if it is a JSON object."""
        try:
            value = json.loads(self.content)
        except (ValueError, RecursionError):
            return None
        return json_object(value)


class Call(Generic[T]):
    """One API call: what to send, how to read the answer, whether it may be repeated."""

    def __init__(
        self,
        method: Method,
        path: str,
        read: Callable[[dict[str, Any]], T],
        *,
        body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        key: KeyUse = "needed",
        repeatable: bool = True,
        gone: T | None = None,
        secrets: tuple[Secret, ...] = (),
        sealed: bool = False,
        service: str | None = None,
        runs: bool = False,
    ) -> None:
        """Describe a call.

        Args:
            method: the HTTP method.
            path: the path with its query, percent-encoded.
            read: makes the result of the answer's JSON object.
            body: what is sent as JSON.
            idempotency_key: sent as `Idempotency-Key`.
            key: whether the API key is sent.
            repeatable: whether a repetition does no harm.
            gone: the result of a DELETE whose repetition finds nothing left.
            secrets: what is blanked out of errors.
            sealed: whether the body carries an envelope.
            service: the service whose recipe is asked for.
            runs: whether a workflow is run.
        """
        self.method = method
        self.path = path
        self.read = read
        self.body = body
        self.idempotency_key = idempotency_key
        self.key = key
        self.repeatable = repeatable
        self.gone = gone
        self.secrets = secrets
        self.sealed = sealed
        self.service = service
        self.runs = runs

    def __repr__(self) -> str:
        return f"<Call {self.method} {self.path}>"

    def content(self) -> bytes | None:
        """Write the body as JSON."""
        if self.body is None:
            return None
        try:
            text = json.dumps(self.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return text.encode()
        except (TypeError, ValueError, RecursionError) as error:
            reason = blank_out(str(error), self.secrets)
        raise InvalidArgumentError(f"the body of {self.method} {self.path} is no JSON: {reason}")


def field_of(answer: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """Return a field that the contract promises."""
    value = answer.get(key)
    if not isinstance(value, kind):
        raise UnexpectedResponseError(
            f"the answer has no {key!r} that is a {kind.__name__}; is the base URL an arcrun engine?"
        )
    return value


def object_of(answer: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return a field that the contract promises to be an object."""
    return cast("dict[str, Any]", field_of(answer, key, dict))
