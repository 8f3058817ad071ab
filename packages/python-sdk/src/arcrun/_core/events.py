"""Streams of server-sent events, as the WHATWG's HTML standard describes them (docs/contract.md#events-of-a-run)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypedDict, cast

from .advice import advised
from .errors import APIConnectionError, InvalidArgumentError, UnexpectedResponseError
from .request import Request
from .runs import check_run_id
from .shapes import is_mapping

MEDIA_TYPE = "text/event-stream"
ENDED = frozenset({"succeeded", "partial", "failed", "cancelled"})
LASTING = 10.0  # seconds: a stream that was open for so long did not fail

_BOM = b"\xef\xbb\xbf"
_END_OF_LINE = re.compile(rb"\r\n|\r|\n")
_EVENT_ID = re.compile(r"[\x21-\x7e]{1,128}")


class _RunEvent(TypedDict):
    id: str
    type: str


class RunEvent(_RunEvent, total=False):
    """An event of `runs.events`: of type `status`, or `node` if a node has ended.

    `id` is what `after` takes. A `node` has the status `ok`, `failed` or, if the run pauses for it, `waiting`.
    """

    status: str
    at: str
    node: str
    duration_ms: float
    attempts: int
    error: str
    failed_node: str
    task_id: str
    paused_node_id: str


class ServerEvent(NamedTuple):
    """An event as it came.

    Attributes:
        id: the last id that came, with it or before.
        type: its type, `message` if it has none.
        data: its data.
    """

    id: str
    type: str
    data: str


class EventParser:
    r"""Reads the events of one stream, in whatever pieces it comes.

    Example:
        >>> parser = EventParser(1000)
        >>> parser.feed(b"id: 0-1\nevent: sta"), parser.feed(b"tus\ndata: {}\n\n")
        ([], [ServerEvent(id='0-1', type='status', data='{}')])
    """

    def __init__(self, limit: int, last_id: str = "") -> None:
        """Prepare to read.

        Args:
            limit: how many bytes an event may have.
            last_id: the id of the event before the first one.
        """
        self._limit = limit
        self._id = last_id
        self._type = ""
        self._data: list[str] = []
        self._line: list[bytes] = []  # the parts of a line whose end has not come
        self._size = 0  # of the event whose end has not come
        self._is_start = True
        self._after_cr = False

    def feed(self, part: bytes) -> list[ServerEvent]:
        """Return the events that end in this part of the stream.

        Raises:
            UnexpectedResponseError: an event is larger than the limit.
        """
        if self._after_cr and part:
            self._after_cr = False
            part = part[part.startswith(b"\n") :]
        if not part:
            return []
        self._after_cr = part.endswith(b"\r")
        found: list[ServerEvent] = []
        *ended, rest = _END_OF_LINE.split(part)
        for line in ended:
            self._keep(line)
            whole, self._line = b"".join(self._line), []
            event = self._read_line(self._without_bom(whole))
            if event is not None:
                found.append(event)
        self._keep(rest)
        return found

    def _keep(self, part: bytes) -> None:
        self._line.append(part)
        self._size += len(part)
        if self._size > self._limit:
            problem = f"an event is larger than {self._limit:,} bytes"
            error = UnexpectedResponseError(
                f"{problem}; a client takes more with max_response_bytes=…"
            )
            raise advised(error, problem, "max_response_bytes")

    def _without_bom(self, line: bytes) -> bytes:
        is_start, self._is_start = self._is_start, False
        return line[len(_BOM) :] if is_start and line.startswith(_BOM) else line

    def _read_line(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> ServerEvent | None:
        data, kind = self._data, self._type
        self._data, self._type, self._size = [], "", 0
        return ServerEvent(self._id, kind or "message", "\n".join(data)) if data else None


def run_events(run_id: str) -> Request[dict[str, Any]]:
    """Follow a run: `GET /runs/{run_id}/events`."""
    return Request("GET", f"/runs/{check_run_id(run_id)}/events", dict, streams=True)


def check_event_id(event_id: str | None) -> str | None:
    """Return the id of an event if it can be one.

    Raises:
        InvalidArgumentError: it can't.
    """
    if event_id is None:
        return None
    if not isinstance(cast("object", event_id), str) or not _EVENT_ID.fullmatch(event_id):
        raise InvalidArgumentError(
            "after must be the id of an event of this run, as it was yielded"
        )
    return event_id


def is_event_stream(status: int, headers: Mapping[str, str]) -> bool:
    """Tell whether a response is a stream of events that can be read as it comes."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = headers.get("content-encoding", "identity").strip().lower()
    return status == 200 and media_type == MEDIA_TYPE and encoding in {"", "identity"}


def headers_after(event_id: str | None) -> dict[str, str]:
    """Return the headers that ask for the events after one; None for all of them."""
    # Compressed, an event might be held back until more of them are there.
    headers = {"Accept": MEDIA_TYPE, "Accept-Encoding": "identity"}
    return headers if event_id is None else {**headers, "Last-Event-ID": event_id}


def read_event(event: ServerEvent) -> RunEvent:
    """Return an event of a run.

    Raises:
        UnexpectedResponseError: it is none.
    """
    try:
        data: Any = json.loads(event.data)
    except (ValueError, RecursionError):
        data = None
    if not is_mapping(data) or not _EVENT_ID.fullmatch(event.id):
        raise UnexpectedResponseError(
            "the stream has an event without an id, or whose data is no JSON object; is the base URL an arcrun engine?"
        )
    return cast("RunEvent", {**data, "id": event.id, "type": event.type})


def cut_off(base_url: str, path: str) -> APIConnectionError:
    """Return the error for a stream that ended before its run had."""
    return APIConnectionError(
        f"GET {base_url}{path}: the engine ended the stream before the run had ended"
    )


def is_end(event: RunEvent) -> bool:
    """Tell whether an event is the last one of its run."""
    return event["type"] == "status" and event.get("status") in ENDED
