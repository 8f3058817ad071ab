"""What went over the wire: every request and answer, in order, with times."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Headers = list[tuple[str, str]]
Place = Literal["engine", "standin"]


def body_value(body: bytes) -> Any:
    """A body as scenarios see it: parsed JSON, else text, else `None` if there is none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def headers_value(headers: Headers) -> dict[str, str]:
    """Headers with lower-case names; values of a repeated name joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str | list[str]]:
        """Query parameters; a repeated one is a list."""
        collected: dict[str, str | list[str]] = {}
        for name, value in parse_qsl(urlsplit(self.target).query, keep_blank_values=True):
            before = collected.get(name)
            if before is None:
                collected[name] = value
            elif isinstance(before, list):
                before.append(value)
            else:
                collected[name] = [before, value]
        return collected

    def header(self, name: str) -> str | None:
        """The value of a header, by its name in lower case."""
        return headers_value(self.headers).get(name)

    def value(self) -> dict[str, Any]:
        """The request as scenarios match it; the body parsed where it is JSON or a form."""
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": headers_value(self.headers),
            "body": self._body(),
        }

    def _body(self) -> Any:
        if (self.header("content-type") or "").startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return body_value(self.body)


@dataclass
class Answer:
    """An answer as it was sent on."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Answer:
        """An answer with a JSON body."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, [("content-type", "application/json")], body)

    def value(self) -> dict[str, Any]:
        """The answer as scenarios match it."""
        return {
            "status": self.status,
            "headers": headers_value(self.headers),
            "body": body_value(self.body),
        }


@dataclass
class Exchange:
    """One request and what became of it.

    Attributes:
        number: Position in the journal, from 1, over all servers of the run of a scenario.
        place: `engine` (through the proxy) or `standin`.
        step: Id of the step that was going on.
        started: Seconds since the journal began.
        finished: The same, when the answer had been sent; `None` if it never was.
        answer: `None` if none was sent.
        fault: What was done to the exchange on purpose, in words.
        problem: Why the proxy could not do its part, in words.
        refusal: Why the request was not passed on: it is not safe with this target.
    """

    number: int
    place: Place
    step: str
    started: float
    request: Request
    answer: Answer | None = None
    finished: float | None = None
    fault: str | None = None
    problem: str | None = None
    refusal: str | None = None


class Journal:
    """The exchanges of one scenario with one SDK."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.broken_requests: list[str] = []
        self.step = ""
        self._began = time.perf_counter()

    def now(self) -> float:
        """Seconds since the journal began."""
        return time.perf_counter() - self._began

    def open(self, place: Place, request: Request) -> Exchange:
        """Note a request that has arrived."""
        number = len(self.exchanges) + 1
        exchange = Exchange(number, place, self.step, self.now(), request)
        self.exchanges.append(exchange)
        return exchange

    def close(self, exchange: Exchange, answer: Answer | None) -> None:
        """Note that an answer has been sent, or that none will be."""
        exchange.answer = answer
        exchange.finished = self.now()
