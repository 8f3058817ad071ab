"""How the requests of a step differ from those of an SDK that passes: which one, where, and how both are written."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from arcrun_conformance.parity import unexplained

from .findings import comparable
from .signatures import Signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcrun_conformance.parity import Explanation

Exchange = dict[str, Any]
# A difference of a request that both have sent, as `parity.differences` writes it.
_OF_REQUEST = re.compile(
    r"request (?P<number>\d+), (?P<line>\S+ .* \(\w+\)), (?P<rest>(?P<part>\w+).*)", re.DOTALL
)
_LONGEST = 200


@dataclass(frozen=True)
class RequestDifference:
    """A difference.

    Attributes:
        text: What differs, for the reader of a report; requests have the numbers that they have in the cell.
        signature: What it has in common with differences that are likely to have the same cause.
    """

    text: str
    signature: Signature


def request_difference(
    cell: dict[str, Any], other: dict[str, Any], step: str, explanations: Sequence[Explanation]
) -> RequestDifference | None:
    """Return the first difference between the requests of two cells in a step; `None` if there is none."""
    found = unexplained(cell, other, step, explanations)
    if not found:
        return None
    mine, theirs = _compared(cell, step), _compared(other, step)
    match = _OF_REQUEST.fullmatch(found[0])
    if match is None:
        return _of_sequence(found[0], mine, theirs)
    sent = mine[int(match["number"]) - 1]
    at, line, rest = f"request {sent['number']}, {match['line']}", match["line"], match["rest"]
    same_line = [one for one in mine[: int(match["number"]) - 1] if _line(one) == _line(sent)]
    expected = [one for one in theirs if _line(one) == _line(sent)][len(same_line) :]
    if match["part"] == "query" and expected:
        if encoded := _of_encoding(at, sent, expected[0]):
            return encoded
        rest += _as_written(sent, expected[0])
    return RequestDifference(
        f"{at}, {rest}", Signature(("request", line, match["rest"]), f"{line}, {match['rest']}")
    )


def count_difference(
    mine: Sequence[Exchange], theirs: Sequence[Exchange]
) -> RequestDifference | None:
    """Return which call was sent less or more often than by an SDK that passes; the first of several, `None` if none was.

    Args:
        mine: What the SDK has sent, of what is compared.
        theirs: What the other one has sent.
    """
    sent, expected = (Counter(map(_line, each)) for each in (mine, theirs))
    line = next((one for one in [*expected, *sent] if sent[one] != expected[one]), None)
    if line is None:
        return None
    place, method, path = line
    call = f"{method} {path} ({place})"
    often = "less" if sent[line] < expected[line] else "more"
    said = Signature(("calls", call, often), f"{call} is sent {often} often than expected")
    last = next((one for one in reversed(mine) if _line(one) == line), None)
    if (
        often == "less"
        and last
        and last["answer"]
        and last["answer"]["status"] >= HTTPStatus.BAD_REQUEST
    ):
        status = last["answer"]["status"]
        said = Signature(("not repeated", str(status)), f"status {status} is not retried")
    return RequestDifference(
        f"{call}: sent {sent[line]} time{'s' * (sent[line] != 1)} instead of {expected[line]}", said
    )


def _compared(cell: dict[str, Any], step: str) -> list[Exchange]:
    """Return the exchanges whose requests `parity` compares."""
    return [one for one in cell["traffic"] if one["step"] == step and not one["further_page"]]


def _line(exchange: Exchange) -> tuple[str, str, str]:
    """Return what makes two requests the same call: their place, method, and decoded path."""
    request = exchange["request"]
    path = unquote(comparable(request["target"]).split("?")[0])
    return exchange["place"], request["method"], path


def _of_sequence(text: str, mine: list[Exchange], theirs: list[Exchange]) -> RequestDifference:
    """Return the difference of cells that have sent other requests, or as many in another order."""
    counted = count_difference(mine, theirs)
    other = counted.signature if counted else Signature(("request", comparable(text)), text)
    pairs = zip(mine, theirs, strict=False)
    sent, expected = next(
        (pair for pair in pairs if _line(pair[0]) != _line(pair[1])), (None, None)
    )
    if sent is None or expected is None or _line(sent)[:2] != _line(expected)[:2]:
        return RequestDifference(text, other)
    at = f"request {sent['number']}, {sent['request']['method']} ({sent['place']})"
    return _of_encoding(at, sent, expected) or RequestDifference(
        f"{text}: request {sent['number']}{_as_written(sent, expected)}", other
    )


def _as_written(sent: Exchange, expected: Exchange) -> str:
    """Return how both targets are written, where a difference of decoded values does not show it."""
    mine, theirs = sent["request"]["target"], expected["request"]["target"]
    return f", written {mine[:_LONGEST]} instead of {theirs[:_LONGEST]}" if mine != theirs else ""


def _of_encoding(at: str, sent: Exchange, expected: Exchange) -> RequestDifference | None:
    """Return the difference of targets that are the same but for how they are percent-encoded."""
    mine, theirs = (comparable(one["request"]["target"]) for one in (sent, expected))
    change = _change(mine, theirs)
    if mine == theirs or not change:
        return None
    differing = next(
        n for n, (a, b) in enumerate(zip(f"{mine} ", f"{theirs} ", strict=False)) if a != b
    )
    before, separator, query = theirs[:differing].partition("?")
    begin = len(before) + 1 + query.rfind("&") + 1 if separator else 0
    name = re.split("[=&]", theirs[begin:])[0] if separator else ""
    place, what = (f"query.{name}", f"the query parameter {name}") if name else ("path", "the path")
    written = f"{mine[begin:][:_LONGEST]} instead of {theirs[begin:][:_LONGEST]}"
    return RequestDifference(
        f"{at}, {place} is {change}: {written}",
        Signature(("encoding", place, change), f"{what} is {change}"),
    )


def _change(mine: str, theirs: str) -> str:
    once, expected = unquote(mine), unquote(theirs)
    if once == expected:
        return f"percent-encoded {'less' if len(mine) < len(theirs) else 'more'} than expected"
    if unquote(once) == expected:
        return "percent-encoded twice"
    return ""
