"""Defects of the Python SDK that are made in its own code: retries, time-outs, responses, errors.

Each function is a defect, by its id in wire.yaml with underscores; it replaces parts of the SDK.
"""

from __future__ import annotations

import json
import os
import random
import time
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any

import httpx

from arcrun import _http
from arcrun._core import response, retry
from arcrun._core.errors import APIConnectionError, APITimeoutError
from arcrun._sync import connection

if TYPE_CHECKING:
    from collections.abc import Mapping

_next_delay = retry.next_delay
_retry_after = retry.retry_after


def apply(defect: str) -> None:
    """Break the SDK, if this is one of the defects here."""
    action = globals().get(defect.replace("-", "_"))
    if action is not None and action is not apply:
        action()


def waits_for_a_day() -> None:
    retry.LONGEST_RETRY_AFTER = 1e6


def waits_before_a_date_in_the_past() -> None:
    def until(date: str) -> float | None:
        parsed = parsedate_tz(date)
        return None if parsed is None else abs(mktime_tz(parsed) - time.time())

    retry._until = until


def ignores_dates() -> None:
    retry._until = lambda _: None


def reads_milliseconds_as_seconds() -> None:
    def after(headers: Mapping[str, str]) -> float | None:
        text = headers.get("retry-after-ms")
        return float(text) if text and text.isdigit() else _retry_after(headers)

    retry.retry_after = after


def stops_at_a_strange_retry_after() -> None:
    def after(headers: Mapping[str, str]) -> float | None:
        text = headers.get("retry-after")
        return 60.0 if text and not text[:1].isdigit() else _retry_after(headers)

    retry.retry_after = after


def remembers_the_first_retry_after() -> None:
    kept: list[float] = []

    def after(headers: Mapping[str, str]) -> float | None:
        found = _retry_after(headers)
        if found is not None:
            kept.append(found)
        return kept[0] if kept else None

    retry.retry_after = after


def delays_without_jitter() -> None:
    retry.backoff = lambda attempt: float(min(8.0, 0.5 * 2**attempt))


def delays_that_do_not_grow() -> None:
    retry.backoff = lambda _: random.uniform(0, 0.5)


def delays_without_an_end() -> None:
    retry.backoff = lambda attempt: random.uniform(0, 0.5 * 2**attempt)


def repeats_a_501() -> None:
    retry._STATUSES = frozenset({*retry._STATUSES, 501})


def repeats_a_410_with_retry_after() -> None:
    def delay(request: Any, outcome: Any, **rest: Any) -> float | None:
        if getattr(outcome, "status", 0) == 410 and rest["attempt"] == 0:
            return 0.0
        return _next_delay(request, outcome, **rest)

    connection.next_delay = delay


def does_not_repeat_a_408() -> None:
    retry._STATUSES = retry._STATUSES - {408}


def repeats_once_more() -> None:
    def delay(request: Any, outcome: Any, *, attempt: int, max_retries: int) -> float | None:
        more = max_retries + (max_retries > 0)
        return _next_delay(request, outcome, attempt=attempt, max_retries=more)

    connection.next_delay = delay


def does_not_repeat_pushes() -> None:
    def delay(request: Any, outcome: Any, **rest: Any) -> float | None:
        return None if request.method == "POST" else _next_delay(request, outcome, **rest)

    connection.next_delay = delay


def does_not_repeat_time_outs() -> None:
    def delay(request: Any, outcome: Any, **rest: Any) -> float | None:
        late = isinstance(outcome, APITimeoutError)
        return None if late else _next_delay(request, outcome, **rest)

    connection.next_delay = delay


def repeats_failed_runs() -> None:
    retry.is_run_failure = lambda _: False


def repeats_no_500_of_a_run() -> None:
    retry.is_run_failure = lambda outcome: outcome.status == 500


def sends_every_run_with_one_key() -> None:
    own = os.urandom
    os.urandom = lambda size: b"k" * 16 if size == 16 else own(size)


def repeats_runs_on_any_engine() -> None:
    connection.Connection.has = lambda _self, _capability: True


def takes_a_missing_workflow_for_deleted() -> None:
    own = connection.read_response

    def read(request: Any, outcome: Any, *, attempt: int, **more: Any) -> Any:
        return own(request, outcome, attempt=attempt + 1, **more)

    connection.read_response = read


def forgets_that_a_connection_was_late() -> None:
    own = _http._connection_error

    def error_of(method: str, url: str, error: BaseException, clean: Any) -> APIConnectionError:
        failure = own(method, url, error, clean)
        return (
            APIConnectionError(str(failure)) if isinstance(error, httpx.ConnectTimeout) else failure
        )

    _http._connection_error = error_of


def times_each_byte() -> None:
    connection.attempt = lambda timeout: {"timeout": timeout.as_dict()}


def reads_any_utf() -> None:
    def json_object(self: response.Response) -> dict[str, Any] | None:
        try:
            value = json.loads(self.content)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    response.Response.json_object = json_object


def keeps_the_request_id_of_the_first_error() -> None:
    kept: list[str] = []

    def request_id(self: response.Response) -> str | None:
        kept.extend([self.headers["x-request-id"]] if "x-request-id" in self.headers else [])
        return kept[0] if kept else None

    response.Response.request_id = property(request_id)


def leaves_out_what_is_required() -> None:
    own = response.status_error

    def error_of(*arguments: Any) -> Any:
        error = own(*arguments)
        error.requires = None
        return error

    response.status_error = error_of


def returns_the_pages_before_an_error() -> None:
    own = connection.Connection.send

    def send(self: Any, request: Any) -> Any:
        try:
            return own(self, request)
        except Exception:
            if "cursor=" in request.path:
                return connection.Page([], None)
            raise

    connection.Connection.send = send


def follows_redirects_of_its_own_origin() -> None:
    own = httpx.Client.send

    def send(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        found = own(self, request, **options)
        target = found.headers.get("location", "")
        if found.is_redirect and request.url.join(target).netloc == request.url.netloc:
            found.close()
            moved = httpx.Request(request.method, request.url.join(target), headers=request.headers)
            return own(self, moved, **options)
        return found

    httpx.Client.send = send


def asks_another_engine_for_its_health() -> None:
    own = httpx.Client.send

    def send(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        if request.url.path == "/health":
            options["follow_redirects"] = True
        return own(self, request, **options)

    httpx.Client.send = send
