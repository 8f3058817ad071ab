"""Checks of what went over the wire."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from arcrun_conformance.scenarios.patterns import differences, show

from .check import Check, check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arcrun_conformance.wire.journal import Exchange

# The faults after which a client has the engine's whole response nevertheless.
_WHOLE = ("close", "delay", "drip", "trickle")
# Any SDK may ask for the engine's capabilities at any time (docs/contract.md#capabilities).
_ALWAYS_ALLOWED = {"method": "GET", "path": "/health"}


def wire_check(definition: Mapping[str, Any], exchanges: Sequence[Exchange]) -> Check:
    """Return the outcome of one of a scenario's wire checks.

    Args:
        definition: The check as written in the scenario, its placeholders filled in.
        exchanges: Everything that was recorded.
    """
    if "order" in definition:
        return _check_sequence(definition, exchanges)
    return _check_each(definition, exchanges)


def matching_exchanges(
    definition: Mapping[str, Any], exchanges: Sequence[Exchange]
) -> list[Exchange]:
    """Return the exchanges that a wire check is about."""
    where, server = definition.get("where", {}), definition.get("at", "engine")
    step = definition.get("step")
    # How many pages a list has depends on what else the account holds.
    about_pages = "cursor" in where.get("query", {})
    further = set() if about_pages else further_pages(exchanges)
    return [
        exchange
        for exchange in exchanges
        if exchange.server == server
        and exchange.number not in further
        and (step is None or exchange.step == step)
        and not differences(where, exchange.request.value())
    ]


def internal_errors(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the requests at which the engine itself failed; an SDK may repeat them, so that no result shows it."""
    return [exchange for exchange in exchanges if _is_internal_error(exchange)]


def _is_internal_error(exchange: Exchange) -> bool:
    own = exchange.own_response or (None if exchange.fault else exchange.response)
    if exchange.server != "engine" or own is None or own.status != 500:
        return False
    body = own.value()["body"]
    return isinstance(body, dict) and body.get("code") == "internal_error"


def further_pages(exchanges: Sequence[Exchange]) -> set[int]:
    """Return the numbers of the requests for a page to which the engine's previous page leads."""
    following: dict[tuple[str, str], Any] = {}
    found = set()
    for exchange in exchanges:
        request, response = exchange.request, exchange.response
        if exchange.server != "engine" or request.method != "GET":
            continue
        cursor = request.query.get("cursor")
        if cursor is not None and following.get((exchange.step, request.path)) == cursor:
            found.add(exchange.number)
        whole = exchange.fault is None or exchange.fault.startswith(_WHOLE)
        if response is not None and whole:
            body = response.value()["body"]
            lists = [body, body.get("data")] if isinstance(body, dict) else []
            cursors = (each.get("next_cursor") for each in lists if isinstance(each, dict))
            following[exchange.step, request.path] = next(filter(None, cursors), None)
    return found


def _check_each(definition: Mapping[str, Any], exchanges: Sequence[Exchange]) -> Check:
    found = matching_exchanges(definition, exchanges)
    # Without a count, one match at least is needed: a check of no request at all would always hold.
    count = definition.get("count", {"$min": 1})
    problems = differences(count, len(found), "number of requests")
    for exchange in found:
        name = f"request {exchange.number} ({exchange.request.method} {exchange.request.path})"
        problems += differences(definition.get("request", {}), exchange.request.value(), name)
        if "response" in definition:
            response = exchange.response.value() if exchange.response else None
            problems += differences(definition["response"], response, f"response to {name}")
    problems += _compare_values(definition, found)
    if "pause" in definition:
        for before, after in itertools.pairwise(found):
            pause = after.started - (before.finished or before.started)
            path = f"pause before request {after.number}"
            problems += differences(definition["pause"], round(pause, 4), path)
    return check(definition["id"], problems, found)


def _compare_values(definition: Mapping[str, Any], found: Sequence[Exchange]) -> list[str]:
    problems = []
    if "distinct" in definition:
        values = _values(definition["distinct"], found)
        if any(value in values[:index] for index, value in enumerate(values)):
            problems.append(
                f"{definition['distinct']} should differ in each request, got {show(values)}"
            )
    if "same" in definition:
        values = _values(definition["same"], found)
        if any(value != values[0] for value in values):
            problems.append(
                f"{definition['same']} should be the same in each request, got {show(values)}"
            )
    return problems


def _values(field: str, found: Sequence[Exchange]) -> list[Any]:
    values = []
    for exchange in found:
        value: Any = exchange.request.value()
        for part in field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        values.append(value)
    return values


def _check_sequence(definition: Mapping[str, Any], exchanges: Sequence[Exchange]) -> Check:
    default = definition.get("at", "engine")
    rest = list(exchanges)
    found: list[Exchange] = []
    for position, expected in enumerate(definition["order"], start=1):
        server = expected.get("at", default)
        where = {key: pattern for key, pattern in expected.items() if key != "at"}
        while rest and (rest[0].server != server or differences(where, rest[0].request.value())):
            rest.pop(0)
        if not rest:
            missing = (
                f"no request at the {server} matches position {position} of the sequence: "
                f"{show(where)}"
            )
            return check(definition["id"], [missing], found)
        found.append(rest.pop(0))
    return check(definition["id"], [], found)


def no_other_requests(
    definitions: Sequence[Mapping[str, Any]], exchanges: Sequence[Exchange]
) -> Check:
    """Return whether each request is matched by one of the scenario's wire checks.

    A check of a sequence does not count: it says in which order requests come, not which may.
    """
    expected = {
        exchange.number
        for definition in definitions
        if "order" not in definition
        for exchange in matching_exchanges(definition, exchanges)
    } | further_pages(exchanges)
    unexpected = [
        exchange
        for exchange in exchanges
        if exchange.number not in expected
        and (exchange.server == "standin" or differences(_ALWAYS_ALLOWED, exchange.request.value()))
    ]
    return check(
        "no-other-requests",
        [
            f"request {exchange.number} in step {exchange.step} is not expected by the scenario: "
            f"{exchange.request.method} {exchange.request.target} at the {exchange.server}"
            for exchange in unexpected
        ],
        unexpected,
    )
