"""A cell's exchanges as HAR 1.2 (HTTP Archive), which browsers' developer tools open.

What HAR has no field for begins with an underscore, as the format asks of additions: `_arcrun` holds what
a replay needs.
"""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from arcrun_conformance._version import __version__
from arcrun_conformance.wire.journal import Exchange, Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from arcrun_conformance.runs.results import Cell

    from .substitution import Substitution

VERSION = "1.2"
FORMAT = 1


def har(
    cell: Cell, origins: Mapping[str, str], about: Mapping[str, Any], keys: Substitution
) -> dict[str, Any]:
    """Return the exchanges of a cell as HAR.

    Args:
        cell: The cell.
        origins: The origins of the servers: `engine`, `standin`.
        about: What a replay needs.
        keys: Replaces the key that must not be kept.
    """
    began = datetime.fromisoformat(cell.started)
    failed: dict[int, list[str]] = {}
    for check in cell.checks:
        for number in check.exchanges if check.outcome == "failed" else ():
            failed.setdefault(number, []).append(check.id)
    entries = [
        _entry(exchange, origins[exchange.server], began, keys)
        | {
            "_failed_checks": failed.get(exchange.number, []),
            "_caused_by": _cause(exchange, cell.exchanges),
        }
        for exchange in cell.exchanges
    ]
    return {
        "log": {
            "version": VERSION,
            "creator": {"name": "arcrun-conformance", "version": __version__},
            "comment": f"{cell.scenario} with {cell.sdk}",
            "pages": [],
            "entries": entries,
            "_arcrun": {"format": FORMAT, **about},
        }
    }


@dataclass(frozen=True)
class RecordedResponse:
    """What the engine did when it got a request.

    Attributes:
        method: The request's method.
        target: The request's path and query.
        response: The engine's own response.
        calls: What it requested of the stand-in meanwhile.
    """

    method: str
    target: str
    response: Response
    calls: tuple[Request, ...]


def recorded_responses(entries: Sequence[Mapping[str, Any]]) -> list[RecordedResponse]:
    """Return what the engine did with each request that it was asked to respond to, in order.

    Raises:
        ValueError: An entry has what no engine and no SDK sends; the message names its field.
    """
    calls: dict[int, list[Request]] = {}
    for entry in entries:
        if entry["_caused_by"] is not None:
            with _place(f"the request number {entry['_number']}"):
                calls.setdefault(entry["_caused_by"], []).append(_read_request(entry))
    found = []
    for entry in entries:
        if entry["_server"] == "engine" and entry["_asked"]:
            with _place(f"the response to request number {entry['_number']}"):
                urlsplit(entry["_target"])
                response = _read_response(entry.get("_own_response") or entry["response"])
            call = entry["request"]["method"], entry["_target"]
            found.append(RecordedResponse(*call, response, tuple(calls.get(entry["_number"], ()))))
    return found


@contextlib.contextmanager
def _place(where: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _cause(exchange: Exchange, exchanges: Sequence[Exchange]) -> int | None:
    """Return the number of the request that made the engine send one to the stand-in; `None` if an SDK sent it.

    An engine calls others while it runs a workflow, which a POST asks for. An SDK doesn't use a bound client
    while it waits for the response.
    """
    if exchange.server == "engine":
        return None
    causes = [
        other.number
        for other in exchanges
        if other.server == "engine"
        and other.request.method == "POST"
        and other.step == exchange.step
        and other.started <= exchange.started
        and (other.finished is None or exchange.started <= other.finished)
    ]
    return causes[-1] if causes else None


def _entry(exchange: Exchange, origin: str, began: datetime, keys: Substitution) -> dict[str, Any]:
    own = exchange.own_response
    finished = exchange.started if exchange.finished is None else exchange.finished
    milliseconds = round((finished - exchange.started) * 1000, 3)
    entry: dict[str, Any] = {
        "startedDateTime": (began + timedelta(seconds=exchange.started)).isoformat(),
        "time": milliseconds,
        "request": _request(exchange.request, origin, keys),
        "response": _response(exchange.response, keys),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "serverIPAddress": "127.0.0.1",
        "_number": exchange.number,
        "_server": exchange.server,
        "_step": exchange.step,
        "_target": keys.text(exchange.request.target),
        "_asked": own is not None,
    }
    if own is not None and own is not exchange.response:
        entry["_own_response"] = _response(own, keys)
    for name in ("fault", "problem", "refusal"):
        if getattr(exchange, name):
            entry[f"_{name}"] = keys.text(getattr(exchange, name))
    return entry


def _request(request: Request, origin: str, keys: Substitution) -> dict[str, Any]:
    target = keys.text(request.target)
    absolute = f"{origin}{target}" if target.startswith("/") else target
    described: dict[str, Any] = {
        "method": request.method,
        "url": absolute,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(keys.headers(request.headers)),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(target).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        described["postData"] = {
            "mimeType": request.header("content-type") or "",
            **_content(keys.body(request.body)),
        }
    return described


def _response(response: Response | None, keys: Substitution) -> dict[str, Any]:
    # As Chromium writes a request without a response: status 0.
    shown = Response(0) if response is None else keys.response(response)
    try:
        phrase = HTTPStatus(shown.status).phrase
    except ValueError:
        phrase = ""
    headers = {name.lower(): value for name, value in shown.headers}
    return {
        "status": shown.status,
        "statusText": phrase,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(shown.headers),
        "content": {
            "size": len(shown.body),
            "mimeType": headers.get("content-type", ""),
            **_content(shown.body),
        },
        "redirectURL": headers.get("location", ""),
        "headersSize": -1,
        "bodySize": len(shown.body),
    }


def _read_request(entry: Mapping[str, Any]) -> Request:
    described = entry["request"]
    body = _read_content(described["postData"]) if "postData" in described else b""
    urlsplit(entry["_target"])
    return Request(described["method"], entry["_target"], _read_headers(described), body)


def _read_response(described: Mapping[str, Any]) -> Response:
    status, body = int(described["status"]), _read_content(described["content"])
    if status < HTTPStatus.OK:
        raise ValueError(f"{status} is the status of no response")
    if body and status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        raise ValueError(f"a response with status {status} has no body")
    return Response(status, _read_headers(described), body)


def _read_headers(described: Mapping[str, Any]) -> Headers:
    return [(header["name"], header["value"]) for header in described["headers"]]


def _read_content(content: Mapping[str, str]) -> bytes:
    if content.get("encoding") != "base64":
        return content["text"].encode()
    try:
        return base64.b64decode(content["text"], validate=True)
    except ValueError as error:
        raise ValueError(f"the body is not base64: {error}") from error


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _content(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}
