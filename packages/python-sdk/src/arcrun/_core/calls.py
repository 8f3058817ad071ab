"""Requests and answers as data: what is sent, and what came back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, cast

from .errors import InvalidArgumentError, UnexpectedResponseError
from .secret import Secret, blank_out
from .shapes import json_object

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What the engine answered."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

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


@dataclass(frozen=True)
class Call(Generic[T]):
    """One API call: what to send, how to read the answer, whether it may be repeated."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    read: Callable[[dict[str, Any]], T]
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    key: Literal["needed", "welcome", "none"] = "needed"
    repeatable: bool = True
    gone: T | None = None  # the result of a DELETE whose repetition finds nothing left
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    sealed: bool = False  # carries an envelope
    service: str | None = None  # asks for this service's recipe
    runs: bool = False  # runs a workflow

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
