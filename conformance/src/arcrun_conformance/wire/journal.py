"""The journal: every request and response that went over the wire, in order, with times."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from arcrun_conformance.cleaning import parsed_json

Headers = list[tuple[str, str]]
ServerName = Literal["engine", "standin"]
# More than a server needs from a connection that waits to a request that is recorded, which is six.
_TURNS = 12


def body_value(body: bytes) -> Any:
    """Return a body as scenarios see it: parsed JSON, or else text; `None` if there is no body."""
    if not body:
        return None
    try:
        return parsed_json(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _grouped(pairs: str) -> dict[str, str | list[str]]:
    """Return the pairs of a query or a form by name; the values of a repeated name are a list."""
    collected: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(pairs, keep_blank_values=True):
        before = collected.get(name)
        if before is None:
            collected[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            collected[name] = [before, value]
    return collected


def headers_value(headers: Headers) -> dict[str, str]:
    """Return headers with lower-case names; values of a repeated name are joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


@dataclass
class Request:
    """A request as it was received; it is not changed any more once its value was asked for."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    _value: dict[str, Any] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def path(self) -> str:
        """Return the path, percent-decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str | list[str]]:
        """Return the query parameters; a repeated one is a list."""
        return _grouped(urlsplit(self.target).query)

    def header(self, name: str) -> str | None:
        """Return the value of a header, by its name in lower case."""
        return headers_value(self.headers).get(name)

    def value(self) -> dict[str, Any]:
        """Return the request as scenarios match it; the body is parsed if it is JSON or a form."""
        if self._value is None:  # every check of a scenario asks for it
            self._value = {
                "method": self.method,
                "path": self.path,
                "query": self.query,
                "target": self.target,
                "headers": headers_value(self.headers),
                "body": self._body(),
            }
        return self._value

    def _body(self) -> Any:
        if (
            (self.header("content-type") or "")
            .lower()
            .startswith("application/x-www-form-urlencoded")
        ):
            return _grouped(self.body.decode("utf-8", "replace"))
        return body_value(self.body)


@dataclass
class Response:
    """A response as it was passed on; it is not changed any more once its value was asked for."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    _value: dict[str, Any] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def from_json(cls, value: Any, status: int = 200) -> Response:
        """Return a response with a JSON body."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, [("content-type", "application/json")], body)

    def value(self) -> dict[str, Any]:
        """Return the response as scenarios match it."""
        if self._value is None:
            self._value = {
                "status": self.status,
                "headers": headers_value(self.headers),
                "body": body_value(self.body),
            }
        return self._value


@dataclass
class Exchange:
    """One request with its response.

    Attributes:
        number: The position in the journal, from 1, over all servers of the run of a scenario.
        server: The server that received it: `engine` (the proxy before it) or `standin`.
        step: The id of the step that was being carried out.
        started: Seconds since the journal began.
        finished: The same, when the response had been sent; `None` if it was not.
        response: The response; `None` if none was sent.
        fault: The injected fault, as text.
        problem: Why the proxy failed, as text.
        refusal: Why the request was not passed on: it is not safe with this target.
        own_response: What the server itself responded, before a fault or a rewrite; `None` if it was
            not asked.
    """

    number: int
    server: ServerName
    step: str
    started: float
    request: Request
    response: Response | None = None
    finished: float | None = None
    fault: str | None = None
    problem: str | None = None
    refusal: str | None = None
    own_response: Response | None = None


class Journal:
    """The exchanges of one scenario with one SDK."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.broken_requests: list[str] = []
        self.step = ""
        self._began = time.perf_counter()

    def now(self) -> float:
        """Return the seconds since the journal began."""
        return time.perf_counter() - self._began

    async def begin(self, step: str) -> None:
        """Record what is sent from now on as part of a step; what was sent before, as part of the step before.

        On a busy machine, a request may have waited to be read until its sender has given it up, and the step is over.
        The servers of a scenario share this event loop, so they read it within some turns: connections are accepted,
        handed over, read and parsed.
        """
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self.step = step

    def open(self, server: ServerName, request: Request) -> Exchange:
        """Record a request that a server has received."""
        number = len(self.exchanges) + 1
        exchange = Exchange(number, server, self.step, self.now(), request)
        self.exchanges.append(exchange)
        return exchange

    def close(self, exchange: Exchange, response: Response | None) -> None:
        """Record that a response has been sent, or that there will be none."""
        exchange.response = response
        exchange.finished = self.now()
