"""`/runs/{run_id}/events`: what becomes of a run, as server-sent events (docs/contract.md#events-of-a-run)."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from arcrun_server.errors import ApiError, Detail, StorageUnavailableError
from arcrun_server.json_text import encode
from arcrun_server.routes.runs import path_run_id, run_not_found
from arcrun_server.runs.errors import RunNotFoundError
from arcrun_server.runs.events import BEFORE_ALL, Position, last_position, read_position
from arcrun_server.web.event_stream import HEARTBEAT, EventStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.routes.context import Context
    from arcrun_server.runs.accepted import AcceptedRuns
    from arcrun_server.runs.events import RunEvent
    from arcrun_server.web.router import ApiRouter

LAST_EVENT_ID = "Last-Event-ID"
# Proxies close connections on which nothing comes for a minute or less.
_HEARTBEAT_SECONDS = 15.0
_RULE = "the id of an event of this run, as it was received; leave it out for all events"


class RunEventRoutes:
    """Follow runs."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add_to(self, router: ApiRouter) -> None:
        """Add this route."""
        router.add_api_route("/runs/{run_id}/events", self.events, methods=["GET"])

    async def events(self, request: Request) -> Response:
        """Return the events of a run after `Last-Event-ID`, up to its end."""
        account = await self._context.account(request)
        run_id = path_run_id(request)
        accepted = self._context.durable_runs(request.url.path)
        after = _last_event(request)
        try:
            run = await accepted.get(account, run_id)
        except RunNotFoundError:
            raise run_not_found(run_id) from None
        if after > last_position(run):
            raise _invalid_last_event()
        return EventStream(_written(accepted, run_id, after), self._context.streams)


async def _written(
    accepted: AcceptedRuns, run_id: str, after: Position
) -> AsyncGenerator[bytes, None]:
    followed = accepted.events.follow(run_id, after, _HEARTBEAT_SECONDS)
    try:
        async with aclosing(followed) as events:
            async for event in events:
                yield HEARTBEAT if event is None else _text(event)
    except StorageUnavailableError:
        return  # the client asks again for what it has not got


def _text(event: RunEvent) -> bytes:
    head = f"id: {event.id}\nevent: {event.type}\ndata: "
    return head.encode() + encode(event.data) + b"\n\n"


def _last_event(request: Request) -> Position:
    given = request.headers.getlist(LAST_EVENT_ID)
    if not given:
        return BEFORE_ALL
    position = read_position(given[0]) if len(given) == 1 else None
    if position is None:
        raise _invalid_last_event()
    return position


def _invalid_last_event() -> ApiError:
    return ApiError(
        400,
        "invalid_request",
        f"{LAST_EVENT_ID} must be {_RULE}",
        details=[Detail(_RULE, path=LAST_EVENT_ID)],
    )
