"""Checks of what went over the wire."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from .checks import Check, check
from .matching import differences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .journal import Exchange

# Any SDK may ask at any time what the engine is capable of (CONTRACT.md §1).
_ALWAYS_ALLOWED = {"method": "GET", "path": "/health"}


def wire_check(order: Mapping[str, Any], exchanges: Sequence[Exchange]) -> Check:
    """The outcome of one of a scenario's wire checks; `order` has its `${places}` filled."""
    return _ordered(order, exchanges) if "order" in order else _matched(order, exchanges)


def fitting(order: Mapping[str, Any], exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The exchanges that a wire check is about."""
    where, place, step = order.get("where", {}), order.get("at", "engine"), order.get("step")
    return [
        exchange
        for exchange in exchanges
        if exchange.place == place
        and (step is None or exchange.step == step)
        and not differences(where, exchange.request.value())
    ]


def _matched(order: Mapping[str, Any], exchanges: Sequence[Exchange]) -> Check:
    found = fitting(order, exchanges)
    # Without a count one match at least is needed: a check of no request at all would always hold.
    count = order.get("count", {"$min": 1})
    differing = differences(count, len(found), "number of requests")
    for exchange in found:
        at = f"request {exchange.number} ({exchange.request.method} {exchange.request.path})"
        differing += differences(order.get("request", {}), exchange.request.value(), f"{at} ")
        if "answer" in order:
            answer = exchange.answer.value() if exchange.answer else None
            differing += differences(order["answer"], answer, f"answer to {at} ")
    if "distinct" in order:
        values = _values(order["distinct"], found)
        if any(value in values[:index] for index, value in enumerate(values)):
            differing.append(f"{order['distinct']} should differ in each request: {values!r}")
    if "same" in order:
        values = _values(order["same"], found)
        if any(value != values[0] for value in values):
            differing.append(f"{order['same']} should be the same in each request: {values!r}")
    if "pause" in order:
        for before, after in itertools.pairwise(found):
            pause = after.started - (before.finished or before.started)
            where = f"pause before request {after.number}"
            differing += differences(order["pause"], round(pause, 4), where)
    return check(order["id"], differing, found)


def _values(field: str, found: Sequence[Exchange]) -> list[Any]:
    values = []
    for exchange in found:
        value: Any = exchange.request.value()
        for part in field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        values.append(value)
    return values


def _ordered(order: Mapping[str, Any], exchanges: Sequence[Exchange]) -> Check:
    place = order.get("at", "engine")
    rest = [exchange for exchange in exchanges if exchange.place == place]
    found: list[Exchange] = []
    for position, where in enumerate(order["order"], start=1):
        while rest and differences(where, rest[0].request.value()):
            rest.pop(0)
        if not rest:
            missing = f"no request fits place {position} of the order: {dict(where)!r}"
            return check(order["id"], [missing], found)
        found.append(rest.pop(0))
    return check(order["id"], [], found)


def no_other_requests(orders: Sequence[Mapping[str, Any]], exchanges: Sequence[Exchange]) -> Check:
    """Whether each request is one that the scenario speaks of."""
    explained = {
        exchange.number
        for order in orders
        if "order" not in order
        for exchange in fitting(order, exchanges)
    }
    strangers = [
        exchange
        for exchange in exchanges
        if exchange.number not in explained
        and (exchange.place == "standin" or differences(_ALWAYS_ALLOWED, exchange.request.value()))
    ]
    return check(
        "no-other-requests",
        [
            f"request {exchange.number} in step {exchange.step!r} is none that the scenario expects: "
            f"{exchange.request.method} {exchange.request.target} at the {exchange.place}"
            for exchange in strangers
        ],
        strangers,
    )
