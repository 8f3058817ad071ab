"""Faults that a scenario orders: which exchanges they hit, and what they do to them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .journal import Answer, Exchange
from .matching import differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FaultKind = Literal[
    "status", "reset", "truncate", "delay", "drip", "malformed", "redirect", "close"
]


@dataclass
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What happens: `status` and `redirect` answer in the engine's place, `reset` breaks the
            connection, `truncate` ends the body half-way, `delay` waits before the engine is
            asked, `drip` sends byte by byte, `malformed` sends what is no HTTP or no JSON; after `close`
            the answer is whole, but ends its connection, so that the next request needs a new one.
        where: Pattern of the request that it hits.
        times: How many requests it hits.
        forward: Whether the engine gets the request, so that only its answer is lost.
        answer: What is answered instead.
        seconds: Length of the delay, or of the pause between two bytes.
    """

    kind: FaultKind
    where: Mapping[str, Any]
    times: int = 1
    forward: bool = False
    answer: Answer | None = None
    seconds: float = 0.0
    hits: int = field(default=0, init=False)

    @property
    def text(self) -> str:
        """The fault in a few words, for reports."""
        passed_on = " (after the engine had answered)" if self.forward else ""
        return f"{self.kind}{passed_on}"


@dataclass(frozen=True)
class Rewrite:
    """A field of an answer's JSON that gets another value on its way to the SDK."""

    where: Mapping[str, Any]
    field: str
    value: Any


class FaultPlan:
    """The faults and rewrites in force for one server; each fault hits its number of times."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.rewrites: list[Rewrite] = []

    def add(self, faults: Iterable[Fault]) -> None:
        """Put further faults in force."""
        self.faults.extend(faults)

    def take(self, exchange: Exchange) -> Fault | None:
        """The fault that hits this exchange, if any; it is counted."""
        for fault in self.faults:
            if fault.hits < fault.times and not differences(fault.where, exchange.request.value()):
                fault.hits += 1
                return fault
        return None

    def rewrite(self, exchange: Exchange, answer: Answer) -> Answer:
        """The answer with the fields changed that the rewrites name."""
        for rewrite in self.rewrites:
            if answer.status < 300 and not differences(rewrite.where, exchange.request.value()):
                answer = _with_field(answer, rewrite.field, rewrite.value)
        return answer


def _with_field(answer: Answer, path: str, value: Any) -> Answer:
    body = json.loads(answer.body)
    *parents, last = path.split(".")
    place = body
    for part in parents:
        place = place[_key(place, part)]
    place[_key(place, last)] = value
    return Answer(answer.status, answer.headers, json.dumps(body, ensure_ascii=False).encode())


def _key(place: Any, part: str) -> str | int:
    return int(part) if isinstance(place, list) else part


def fault_of(order: Mapping[str, Any]) -> Fault:
    """A fault from its place in a scenario (schema `scenario`, definition `fault`).

    Example:
        >>> fault_of({"where": {"path": "/health"}, "do": "reset", "times": 2}).kind
        'reset'
    """
    where, times = order.get("where", {}), order.get("times", 1)
    do = order["do"]
    name: Any
    setting: Any
    name, setting = (do, None) if isinstance(do, str) else next(iter(do.items()))
    kind: FaultKind = name
    forward = order.get("forward", kind in {"delay", "drip", "truncate", "close"})
    fault = Fault(kind, where, times, forward)
    if kind in {"delay", "drip"}:
        fault.seconds = setting
    elif kind == "status":
        fault.answer = _status_answer(setting)
    elif kind == "redirect":
        headers = [("location", setting["to"])]
        fault.answer = Answer(setting.get("status", 307), headers)
    elif kind == "malformed" and setting == "json":
        fault.answer = Answer(200, [("content-type", "application/json")], b'{"success": tru')
    return fault


def _status_answer(setting: Mapping[str, Any]) -> Answer:
    body = setting.get("body", {"error": "a fault of the test", "code": "fault"})
    if isinstance(body, str):
        answer = Answer(setting["status"], [("content-type", "text/plain")], body.encode())
    else:
        answer = Answer.of_json(body, setting["status"])
    answer.headers += [(name, str(value)) for name, value in setting.get("headers", {}).items()]
    return answer
