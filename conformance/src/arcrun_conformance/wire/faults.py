"""Fault injection: which exchanges the faults of a scenario affect, and what they do to them."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from arcrun_conformance.cleaning import parsed_json
from arcrun_conformance.scenarios.patterns import differences

from .journal import Exchange, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FaultKind = Literal[
    "status",
    "redirect",
    "reset",
    "hangup",
    "truncate",
    "close",
    "stall",
    "delay",
    "drip",
    "trickle",
    "malformed",
    "raw",
    "informational",
]
_FORWARDED = {"delay", "drip", "trickle", "truncate", "close", "informational"}


@dataclass
class Fault:
    """One fault.

    Attributes:
        kind: What happens: `status` and `redirect` replace the engine's response, `reset` breaks
            the connection, `hangup` closes it without a response, `truncate` ends the body
            half-way, `stall` sends nothing more from some point on, `delay` waits before the
            request is passed on, `drip` sends the body byte by byte, `trickle` the head, `malformed`
            sends invalid HTTP or JSON, `raw` sends these bytes, `informational` sends interim responses first, and
            `close` closes the connection after a complete response, so that the next request needs
            a new one.
        where: The pattern of the requests that it affects.
        times: How many requests it affects.
        forward: Whether the engine gets the request, so that only its response is lost.
        response: The response that is sent instead.
        seconds: The length of the delay, or of the pause between two bytes.
        place: Where `reset` and `stall` happen: at the `head` (before anything is sent), in the
            `body`, or `after` the response; a `stall` also with `interim` responses again and
            again; how `close` does: `announced` or `silently`.
        raw: The bytes that are sent as they are.
        interim: The statuses of the interim responses.
    """

    kind: FaultKind
    where: Mapping[str, Any]
    times: int = 1
    forward: bool = False
    response: Response | None = None
    seconds: float = 0.0
    place: str = "head"
    raw: bytes = b""
    interim: tuple[int, ...] = ()
    hits: int = field(default=0, init=False)

    @property
    def text(self) -> str:
        """Return a short description, for reports."""
        forwarded = " (after the engine had responded)" if self.forward else ""
        where = f" ({self.place})" if self.place not in {"head", "announced"} else ""
        return f"{self.kind}{where}{forwarded}"


@dataclass(frozen=True)
class Rewrite:
    """A field of a response's JSON that is changed on the way to the SDK."""

    where: Mapping[str, Any]
    field: str
    value: Any


class FaultInjector:
    """The active faults and rewrites of one server; counts how often each fault was used."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.rewrites: list[Rewrite] = []

    def add(self, faults: Iterable[Fault]) -> None:
        """Activate more faults."""
        self.faults.extend(faults)

    def take(self, exchange: Exchange) -> Fault | None:
        """Return the fault for this exchange, if any, and count it as used."""
        for fault in self.faults:
            if fault.hits < fault.times and not differences(fault.where, exchange.request.value()):
                fault.hits += 1
                return fault
        return None

    def rewrite(self, exchange: Exchange, response: Response) -> Response:
        """Return the response with the rewrites applied."""
        for rewrite in self.rewrites:
            if response.status < 300 and not differences(rewrite.where, exchange.request.value()):
                response = _with_field(response, rewrite.field, rewrite.value)
        return response


def _with_field(response: Response, path: str, value: Any) -> Response:
    body = parsed_json(response.body)
    *parents, last = path.split(".")
    parent = body
    for part in parents:
        parent = parent[_key(parent, part)]
    parent[_key(parent, last)] = value
    changed = json.dumps(body, ensure_ascii=False).encode()
    return Response(response.status, response.headers, changed)


def _key(parent: Any, part: str) -> str | int:
    return int(part) if isinstance(parent, list) else part


def fault_of(definition: Mapping[str, Any]) -> Fault:
    """Return a fault from its definition in a scenario (schema `scenario`, definition `fault`).

    Example:
        >>> fault_of({"where": {"path": "/health"}, "do": "reset", "times": 2}).kind
        'reset'
    """
    where, times = definition.get("where", {}), definition.get("times", 1)
    do = definition["do"]
    name: Any
    setting: Any
    name, setting = (do, None) if isinstance(do, str) else next(iter(do.items()))
    kind: FaultKind = name
    # A response that is broken off or stalls half-way is the engine's own.
    half_way = kind in {"reset", "stall"} and setting in {"body", "after"}
    forward = definition.get("forward", kind in _FORWARDED or half_way)
    fault = Fault(kind, where, times, forward)
    if kind in {"delay", "drip", "trickle"}:
        fault.seconds = setting
    elif kind in {"reset", "stall", "close"}:
        fault.place = setting or ("announced" if kind == "close" else "head")
    elif kind == "raw":
        fault.raw = setting.encode()
    elif kind == "informational":
        fault.interim = tuple(setting)
    elif kind == "status":
        fault.response = prepared_response(setting)
    elif kind == "redirect":
        headers = [("location", setting["to"])]
        fault.response = Response(setting.get("status", 307), headers)
    elif kind == "malformed" and setting == "json":
        fault.response = Response(200, [("content-type", "application/json")], b'{"success": tru')
    return fault


@lru_cache(maxsize=4)
def _compressed(body: bytes) -> bytes:
    """Return a body in gzip: a large one holds up all cells of a run, and each SDK meets the same."""
    return gzip.compress(body, mtime=0)


def prepared_response(definition: Mapping[str, Any]) -> Response:
    """Return a response as a scenario writes it: `status`, `headers`, `body`, and whether to `gzip` it.

    A body that is text is sent as it is, as text/plain unless a header says otherwise: in UTF-8, or
    in the encoding that `charset` names. `base64` is a body that is no text at all.
    """
    body = definition.get("body", {"error": "a fault injected by the test", "code": "fault"})
    status = definition.get("status", 200)
    headers = {name.lower(): str(value) for name, value in definition.get("headers", {}).items()}
    if "base64" in definition:
        response = Response(status, [], base64.b64decode(definition["base64"]))
        headers.setdefault("content-type", "application/json")
    elif isinstance(body, str):
        response = Response(status, [], body.encode(definition.get("charset", "utf-8")))
        headers.setdefault("content-type", "text/plain")
    else:
        response = Response.from_json(body, status)
    if definition.get("gzip"):
        response.body = _compressed(response.body)
        headers["content-encoding"] = "gzip"
    own = [header for header in response.headers if header[0] not in headers]
    response.headers = [*own, *headers.items()]
    return response
