"""A request to the engine's API as data: what is sent, and whether it may be sent again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Generic, Literal, TypeVar, cast

from .errors import InvalidArgumentError
from .secret import Secret, blank_out
from .shapes import is_mapping

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
KeyUse = Literal["required", "optional", "none"]


class Request(Generic[T]):
    """One API request: what to send, how to read the response, whether it may be retried."""

    def __init__(
        self,
        method: Method,
        path: str,
        read: Callable[[dict[str, Any]], T],
        *,
        body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        key: KeyUse = "required",
        retryable: bool = True,
        result_if_gone: T | None = None,
        secrets: tuple[Secret, ...] = (),
        sealed: bool = False,
        service: str | None = None,
        runs_workflow: bool = False,
        streams: bool = False,
    ) -> None:
        """Describe a request.

        Args:
            method: the HTTP method.
            path: the path with its query, percent-encoded.
            read: makes the result from the response's JSON object.
            body: sent as JSON.
            idempotency_key: sent as `Idempotency-Key`.
            key: whether the API key is sent; see `trust.api_key_for`.
            retryable: whether sending it twice does no harm.
            result_if_gone: the result of a DELETE whose retry finds nothing left to delete.
            secrets: blanked out of error messages.
            sealed: whether the body carries a sealed value.
            service: the service whose recipe is fetched.
            runs_workflow: whether the request runs a workflow.
            streams: whether the response's body is read as it comes.
        """
        self.method = method
        self.path = path
        self.read = read
        self.body = body
        self.idempotency_key = idempotency_key
        self.key: KeyUse = key
        self.retryable = retryable
        self.result_if_gone = result_if_gone
        self.secrets = secrets
        self.sealed = sealed
        self.service = service
        self.runs_workflow = runs_workflow
        self.streams = streams

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"

    def content(self) -> bytes | None:
        """Return the body as JSON text in UTF-8.

        Raises:
            InvalidArgumentError: the body cannot be written as JSON.
        """
        if self.body is None:
            return None
        try:
            text = json.dumps(self.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return text.encode()
        except (TypeError, ValueError, RecursionError) as error:
            reason = blank_out(_unwritable(self.body) or str(error), self.secrets)
        raise InvalidArgumentError(f"an argument cannot be written as JSON: {reason}")


def _unwritable(body: object) -> str | None:
    """Return where a value is that JSON has no form for, and what it is; None if there is none."""
    waiting: list[tuple[str, object]] = [("", body)]
    seen: set[int] = set()  # a list or object may contain itself
    while waiting:
        place, value = waiting.pop()
        given: Any = value
        if is_mapping(value):
            items: Iterable[tuple[object, object]] = value.items()
        elif isinstance(given, (list, tuple)):
            items = enumerate(cast("list[object]", given))
        elif value is None or isinstance(value, (str, int, float)):
            continue
        else:
            kind = type(value).__name__
            date_hint = ", which YAML makes of an unquoted date: quote it"
            hint = date_hint if isinstance(value, date) else ""
            return f"{place or 'the value'} is a {kind}{hint}"
        if id(value) not in seen:
            seen.add(id(value))
            waiting += [(f"{place}.{key}".lstrip("."), item) for key, item in items]
    return None
