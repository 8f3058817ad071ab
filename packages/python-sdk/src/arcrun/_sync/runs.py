# Generated from _async by scripts/unasync.py: edit there.
"""Runs that the engine has accepted: listed, read, cancelled, run again."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from typing import Any

from arcrun._concurrency import sleep
from arcrun._core import events, runs
from arcrun._core.errors import APIConnectionError
from arcrun._core.events import RunEvent
from arcrun._core.operations import Page
from arcrun._core.request import Request
from arcrun._core.retry import backoff
from arcrun._core.types import AcceptedRun, Run, RunStatus, RunSummary

from .connection import Connection
from .reading import parts_of


class Runs:
    """`client.runs`: the runs that the engine has accepted, as with `run_async`, or that have paused."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        workflow: str | None = None,
        status: RunStatus | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> list[RunSummary]:
        """List the runs, newest first.

        Args:
            workflow: only runs of this workflow.
            status: only runs of this status, as `paused`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: an argument is not valid, or the engine keeps no runs.
            APIStatusError: the engine refused.

        Example:
            >>> found = client.runs.list(status="paused")
            >>> [run["task_id"] for run in found if "task_id" in run]
            []
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)

        def page_at(cursor: str | None) -> Request[Page[RunSummary]]:
            return runs.list_runs(workflow, status, cursor)

        page_at(None)
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send_all(page_at)

    def get(
        self,
        run_id: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Run:
        """Return a run: its status, its input, its data or error, and its trace.

        Args:
            run_id: the run's id, as `workflows.run` returns it with `run_async`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such run.
            InvalidArgumentError: the id is not valid, or the engine keeps no runs.

        Example:
            >>> accepted = client.workflows.run("greet", {"text": "hello"}, run_async=True)
            >>> run = client.runs.get(accepted["run_id"])
            >>> run["workflow"]
            'greet'
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = runs.get_run(run_id)
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send(request)

    def events(
        self,
        run_id: str,
        *,
        after: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Generator[RunEvent, None]:
        """Follow a run: yield what has become of it, then what becomes of it, up to its end.

        A connection that is lost is made again, and goes on after the last event. It is closed when the
        generator is.

        Args:
            run_id: the run's id.
            after: the id of the last event that is known; None for all events.
            timeout: seconds for the engine to respond, and for each wait for more; None for the client's own.
            max_retries: how often in a row a connection that brings no event is made again; None for the
                client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such run.
            InvalidArgumentError: an argument is not valid, or the engine keeps no runs.
            APIConnectionError: the connection was lost, and could not be made again.

        Example:
            >>> accepted = client.workflows.run("greet", {"text": "hello"}, run_async=True)
            >>> for event in client.runs.events(accepted["run_id"]):
            ...     if event["type"] == "status":
            ...         print(event["status"])
            queued
            running
            succeeded
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return _follow(connection, events.run_events(run_id), events.check_event_id(after))

    def cancel(
        self,
        run_id: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Run:
        """End a run that has not ended, and return it. It is not retried.

        Args:
            run_id: the run's id.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it has ended.
            InvalidArgumentError: the id is not valid, or the engine keeps no runs.

        Example:
            >>> from arcrun import NotFoundError
            >>> try:
            ...     run = client.runs.cancel("0" * 32)
            ... except NotFoundError as error:
            ...     print(error.code)
            run_not_found
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = runs.cancel_run(run_id)
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send(request)

    def retry(
        self,
        run_id: str,
        *,
        start: str | None = None,
        latest: bool = False,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> AcceptedRun:
        """Run again what an ended run has run, as a new run. It is not retried.

        Args:
            run_id: the id of the run that has ended.
            start: the node from which on it is run again; what ran before is taken from the first run.
            latest: run the workflow as it is stored now.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it has not ended, or has no such node.
            InvalidArgumentError: an argument is not valid, or the engine keeps no runs.

        Example:
            >>> from arcrun import NotFoundError
            >>> try:
            ...     accepted = client.runs.retry("0" * 32, latest=True)
            ... except NotFoundError as error:
            ...     print(error.code)
            run_not_found
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = runs.retry_run(run_id, start, latest)
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send(request)


def _follow(
    connection: Connection, request: Request[dict[str, Any]], after: str | None
) -> Generator[RunEvent, None]:
    connection.require(runs.CAPABILITY, runs.WHAT)
    fruitless = 0
    while True:
        opened, came = time.monotonic(), False
        asking = connection.with_headers(events.headers_after(after))
        stream = asking.open_stream(request)
        failure: APIConnectionError | None = None
        try:
            parser = events.EventParser(connection.max_response_bytes, after or "")
            parts = parts_of(stream)
            while (part := connection.next_part(request, parts)) is not None:
                for received in parser.feed(part):
                    event = events.read_event(received)
                    after, came = event["id"], True
                    yield event
                    if events.is_end(event):
                        return
        except APIConnectionError as error:
            failure = error
        finally:
            stream.close()
        lasted = came or time.monotonic() - opened >= events.LASTING
        fruitless = 1 if lasted else fruitless + 1
        if fruitless > connection.max_retries:
            raise failure or events.cut_off(connection.settings.base_url, request.path)
        sleep(backoff(fruitless - 1))
