"""The waits that SDKs asked a replaced clock for: how long, between which requests, and what they were asked to wait."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict, dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

import yaml

from .findings import findings

Exchange = dict[str, Any]
_WAIT = re.compile(r"waited\[(?P<index>\d+)\]")
_SECONDS = re.compile(r"(?P<bound>at least |at most )?(?P<seconds>\d+(?:\.\d+)?(?:e-\d+)?) s")
_COUNTS = re.compile(r"(?P<expected>\d+) items, (?P<got>\d+):.*", re.DOTALL)
# The headers that ask for a wait, as they are written in the contract.
_ASKING = {"retry-after": "Retry-After", "retry-after-ms": "retry-after-ms"}


@dataclass(frozen=True)
class Wait:
    """A wait between two requests of a step.

    Attributes:
        before: The number of the request whose answer it follows.
        after: The number of the request that it precedes.
        text: How long it was, such as `60 s`.
        wrong: Whether the scenario expects another wait.
    """

    before: int
    after: int
    text: str
    wrong: bool


def is_wait(where: str) -> bool:
    """Return whether the place of a finding is a wait, or the list of all waits of a step."""
    return where == "waited" or _WAIT.fullmatch(where) is not None


def waited(finding: dict[str, str], passing: str = "") -> str:
    """Return how long an SDK waited, and how long another one did that passes.

    Example:
        >>> found = {"where": "waited[0]", "expected": "60 s", "got": "0.000449 s"}
        >>> waited(found, "node22-esm")
        'it waited 0.0004 s, node22-esm 60 s'
        >>> waited(found)
        'it waited 0.0004 s, and not 60 s'
    """
    expected, got = _rounded(finding["expected"]), _rounded(finding["got"])
    if counts := _COUNTS.fullmatch(f"{expected}, {got}"):
        expected, got = (f"{counts[name]} times" for name in ("expected", "got"))
    elif not _SECONDS.fullmatch(got):
        return "it waited for another time than the scenario expects"
    return f"it waited {got}, {f'{passing} {expected}' if passing else f'and not {expected}'}"


def _rounded(value: str) -> str:
    """Return seconds to a tenth of a millisecond, and any other text as it is."""
    time = _SECONDS.fullmatch(value)
    return f"{time['bound'] or ''}{round(float(time['seconds']), 4):g} s" if time else value


def clock(scenario: dict[str, Any]) -> str:
    """Return when the clock of a scenario begins; empty if it has the real one, or passed."""
    return str(_definition(scenario).get("clock", ""))


def advances(scenario: dict[str, Any]) -> dict[str, float]:
    """Return by how many seconds the clock was moved on before steps of a scenario that failed, by the step's id.

    A step of the engine suite that only moves the clock sends nothing: it counts for the step after it.
    """
    found: dict[str, float] = {}
    seconds = 0.0
    for step in _definition(scenario).get("steps", ()):
        seconds += step.get("advance", 0)
        if seconds and not step.keys() <= {"id", "advance"}:
            found[step["id"]] = seconds
            seconds = 0.0
    return found


def clocks(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the clocks of scenarios that failed were, as JSON values.

    Returns:
        `clocks`: when they began, by scenario; `advances`: by how much they were moved on, by scenario and step;
        `cells`: what SDKs asked them to wait, by `SCENARIO/SDK`.
    """
    scenarios = {each["id"]: each for each in document["scenarios"] if clock(each)}
    moved = {each["id"]: advances(each) for each in document["scenarios"]}
    cells = [cell for cell in document["cells"] if cell["scenario"] in scenarios]
    return {
        "clocks": {name: clock(scenario) for name, scenario in scenarios.items()},
        "advances": {name: steps for name, steps in moved.items() if steps},
        "cells": {
            f"{cell['scenario']}/{cell['sdk']}": [asdict(wait) for wait in waits(cell)]
            for cell in cells
        },
    }


def waits(cell: dict[str, Any]) -> list[Wait]:
    """Return the waits of a cell, of the steps whose waits and repeated requests are equally many."""
    found = []
    for step in {exchange["step"]: None for exchange in cell["traffic"]}:
        seconds, pairs = _waited(cell, step), _repeated(cell, step)
        if len(seconds) != len(pairs):
            continue  # which of the requests were waited for is not known
        wrong = _wrong(cell, step)
        for index, ((before, after), length) in enumerate(zip(pairs, seconds, strict=True)):
            text = _rounded(f"{length} s")
            found.append(Wait(before["number"], after["number"], text, index in wrong))
    return found


def _waited(cell: dict[str, Any], step: str) -> list[float]:
    """Return the seconds of each wait of a step, whose command may have been sent several times."""
    replies = (reply for reply in cell["steps"] if reply["id"] == step)
    return [seconds for reply in replies for seconds in reply.get("waited", ())]


def _wrong(cell: dict[str, Any], step: str) -> set[int]:
    """Return the numbers of the waits of a step that are not as long as expected."""
    messages = (check["message"] for check in cell["checks"] if check["id"] == step)
    places = (
        _WAIT.fullmatch(each.get("where", "")) for text in messages for each in findings(text)
    )
    return {int(place["index"]) for place in places if place}


def _definition(scenario: dict[str, Any]) -> dict[str, Any]:
    return _parsed(scenario.get("source", ""))


@cache
def _parsed(source: str) -> dict[str, Any]:
    definition = yaml.safe_load(source)
    return definition if isinstance(definition, dict) else {}


def _repeated(cell: dict[str, Any], step: str) -> list[tuple[Exchange, Exchange]]:
    """Return the requests of a step that failed and were sent again, each with its repetition."""
    own = [one for one in cell["traffic"] if one["step"] == step]
    return [
        (one, following)
        for one, following in itertools.pairwise(own)
        if _has_failed(one) and _line(one) == _line(following)
    ]


def _line(exchange: Exchange) -> tuple[str, str, str]:
    return exchange["place"], exchange["request"]["method"], exchange["request"]["target"]


def _has_failed(exchange: Exchange) -> bool:
    return exchange["answer"] is None or exchange["answer"]["status"] >= HTTPStatus.BAD_REQUEST


def _answered_before(cell: dict[str, Any], check: dict[str, Any]) -> Exchange | None:
    """Return the exchange whose answer the first wait follows that a check found wrong."""
    places = [found.get("where", "") for found in findings(check["message"])]
    where = next(filter(is_wait, places), None)
    if where is None:
        return None
    index = _WAIT.fullmatch(where)
    repeated = [before for before, _ in _repeated(cell, check["id"])]
    if index:
        return repeated[int(index["index"])] if int(index["index"]) < len(repeated) else None
    failed = (one for one in cell["traffic"] if one["step"] == check["id"] and _has_failed(one))
    return next(failed, None)


def before_wait(scenario: dict[str, Any], cell: dict[str, Any], check: dict[str, Any]) -> str:
    """Return what came before a wait that is wrong: the answer, its `Retry-After`, and the scenario's clock."""
    exchange = _answered_before(cell, check)
    if exchange is None:
        return ""
    answer = exchange["answer"]
    headers = _asking(exchange)
    said = ", ".join(f"{name}: {value}" for name, value in headers) or "no Retry-After"
    what = f"answered {answer['status']} with {said}" if answer else "not answered"
    began = clock(scenario)
    then = f"\nThe scenario's clock began at {began}" if began else ""
    return f"Before the wait, request {exchange['number']} was {what}{then}"


def _asking(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the headers of an answer that ask for a wait."""
    headers = exchange["answer"]["headers"] if exchange["answer"] else ()
    return [(_ASKING[name.lower()], value) for name, value in headers if name.lower() in _ASKING]


def asked_for(cell: dict[str, Any], check: dict[str, Any]) -> str:
    """Return what the answer before a wait asked to wait for, such as `the date in Retry-After`."""
    exchange = _answered_before(cell, check)
    headers = dict(_asking(exchange)) if exchange else {}
    if "retry-after-ms" in headers:
        return "retry-after-ms"
    if "Retry-After" not in headers:
        return ""
    kind = "seconds" if re.fullmatch(r"\s*\d+(\.\d+)?\s*", headers["Retry-After"]) else "date"
    return f"the {kind} in Retry-After"
