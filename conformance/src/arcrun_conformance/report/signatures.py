"""Signatures of findings: checks of several scenarios that differ from what is expected in the same way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import unquote

from .findings import comparable, findings

_SECRET = re.compile(r"‹([^‹›,]+)(?:, ([a-z0-9 -]+))?›")
_REQUEST = re.compile(r"request \d+ \(.*\)\.(?P<part>\w+)\b.*", re.DOTALL)
_HEADER = re.compile(r"request \d+ \(.*\)\.headers\.(?P<name>[^.\[]+)", re.DOTALL)
# The field's own name, without those of the objects and tokens that it is in.
_BODY = re.compile(
    r"(?:claims of )?request \d+ \((?P<call>.*)\)\.body(?:\..*?(?P<field>[^.\[\]]+)(?:\[\d+\])*)?"
)
# A value in a response of an engine, by its own name; a list that is read page by page says what was wrong with a page.
_REPLY = re.compile(
    r"(?P<length>length of )?reply(?: \d+)?\.(?:.*?\.)?(?P<field>[^.\[\]]+)(?:\[\d+\])*"
)
_LACKS = re.compile(r"the reply has no (?:.*\.)?(?P<field>[^.]+)")
_CURSOR = re.compile(r"the (?P<field>next_cursor) of page \d+ is (?P<got>.+), and no text")
_AMOUNTS = re.compile(r"(?P<expected>\d+)(?P<items> items)?, (?P<got>\d+)(?(items):.*)", re.DOTALL)
_LONGEST_VALUE = 60
_TIME = re.compile(r"(?:at least |at most )?(?P<seconds>\d+(?:\.\d+)?) s")
# How often a secret is percent-encoded in each of its forms (`secrets.py`).
_TIMES_ENCODED = {"": 0, "percent-encoded": 1, "percent-encoded twice": 2}
_COUNTS = {1: "once", 2: "twice"}


@dataclass(frozen=True)
class Signature:
    """In what way a value differs from what is expected.

    Attributes:
        key: The same for findings that are likely to have the same cause.
        text: The difference, for the reader of a report.
    """

    key: tuple[str, ...]
    text: str


def signature(message: str, asked: str = "") -> Signature | None:
    """Return the signature of a check's first finding; `None` if its values tell of no known kind.

    Args:
        message: What the check says.
        asked: What the answer before a wait asked to wait for.

    Example:
        >>> signature("waited[0]: expected 7, got 0.7").text
        'waits are 0.1 times as long as expected'
        >>> signature("request 4 (GET /).query.key: expected ‹token›, got ‹token, percent-encoded›").text
        'a secret in the query is percent-encoded once more than expected'
    """
    first = next(iter(findings(message)), {})
    if "expected" not in first:
        return _of_text(first.get("text", ""))
    return (
        _of_time(first, asked)
        or _of_count(first)
        or _of_secret(first)
        or _of_header(first)
        or _of_field(first)
        or _of_reply(first)
    )


def _of_time(finding: dict[str, str], asked: str) -> Signature | None:
    """Return by which factor a wait or a pause is wrong, to a tenth: a pause has what the machine adds."""
    times = [_TIME.fullmatch(finding[name]) for name in ("expected", "got")]
    if not finding["where"].startswith(("waited[", "pause before ")) or None in times:
        return None
    expected, got = (float(time["seconds"]) for time in times if time)
    if not expected:
        return None
    factor = f"{round(got / expected, 1):g}"
    if factor == "0":
        text = f"no wait for {asked}" if asked else "no wait where one is expected"
        return Signature(("time", factor, asked), text)
    return Signature(("time", factor), f"waits are {factor} times as long as expected")


def _of_count(finding: dict[str, str]) -> Signature | None:
    """Return how many times too many requests were sent: each that is repeated adds as many as the others."""
    if finding["where"] != "number of requests":
        return None
    expected, got = finding["expected"], finding["got"]
    if not (expected.isdecimal() and got.isdecimal() and int(expected)):
        return None
    factor, rest = divmod(int(got), int(expected))
    if rest or factor < 2:
        return None
    return Signature(("count", str(factor)), f"{factor} times as many requests as expected")


def _of_header(finding: dict[str, str]) -> Signature | None:
    """Return which header has which wrong value: scenarios expect it in different words."""
    place, got = _HEADER.fullmatch(finding["where"]), finding["got"]
    if place is None or _SECRET.search(got):
        return None
    name, value = place["name"], got.removeprefix("it is ")
    return Signature(("header", name, got), f"the header {name} is {value}")


def _of_field(finding: dict[str, str]) -> Signature | None:
    """Return which field of a call's body has another value than expected, if it is one alone."""
    place = _BODY.fullmatch(finding["where"])
    if place is None:
        return None
    field = place["field"] or _differing(finding["expected"], finding["got"])
    text = f"the field {field} of {place['call']} has another value than expected"
    return Signature(("field", place["call"], field), text) if field else None


def _of_reply(finding: dict[str, str]) -> Signature | None:
    """Return in what way a field of an engine's responses is wrong; a status alone tells too little of the cause."""
    place, got = _REPLY.fullmatch(finding["where"]), finding["got"]
    if place is None or place["field"] == "status":
        return None
    field = place["field"]
    if counts := _AMOUNTS.fullmatch(f"{finding['expected']}, {got}"):
        more = int(counts["got"]) - int(counts["expected"])
        if counts["items"] or place["length"] or field == "pages":
            amount = "more" if more > 0 else "fewer"
            return Signature(("entries", amount), f"lists have {amount} entries than expected")
        than = f"{abs(more)} {'more' if more > 0 else 'less'} than expected"
        return Signature(("number", field, str(more)), f"the field {field} is {than}")
    return _wrong_field(field, comparable(got).removeprefix("it is "))


def _of_text(text: str) -> Signature | None:
    """Return which field of an engine's responses is wrong where a sentence says it."""
    if lacks := _LACKS.fullmatch(text):
        return _wrong_field(lacks["field"], "missing")
    cursor = _CURSOR.fullmatch(text)
    return _wrong_field(cursor["field"], cursor["got"]) if cursor else None


def _wrong_field(field: str, value: str) -> Signature | None:
    if len(value) > _LONGEST_VALUE:
        return None
    return Signature(("reply", field, value), f"the field {field} is {value}")


def _differing(expected: str, got: str) -> str:
    """Return the name of the one field in which two JSON objects differ; empty if there are others, or they are cut."""
    try:
        one, other = (json.loads(text.removeprefix("exactly ")) for text in (expected, got))
    except ValueError:
        return ""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return ""
    names = [name for name in {**one, **other} if one.get(name, ...) != other.get(name, ...)]
    return names[0] if len(names) == 1 else ""


def _of_secret(finding: dict[str, str]) -> Signature | None:
    """Return how secrets in a part of a request are written otherwise, if nothing else differs."""
    place = _REQUEST.fullmatch(finding["where"])
    expected, got = finding["expected"].removeprefix("exactly "), finding["got"]
    forms = [sorted(_SECRET.findall(text)) for text in (expected, got)]
    names = [[name for name, _ in found] for found in forms]
    if place is None or not names[0] or names[0] != names[1]:
        return None
    if unquote(_SECRET.sub(r"‹\1›", expected)) != unquote(_SECRET.sub(r"‹\1›", got)):
        return None
    changes = {_change(one, other) for (_, one), (_, other) in zip(*forms, strict=True)}
    changes.discard("")  # a secret beside it that is written as expected
    (change,) = changes if len(changes) == 1 else ("",)
    part = place["part"]
    text = f"a secret in the {part} is {change}"
    return Signature(("secret", part, change), text) if change else None


def _change(expected: str, got: str) -> str:
    """Return how a form of a secret differs from another; empty if it does not."""
    if expected == got:
        return ""
    if not {expected, got} <= _TIMES_ENCODED.keys():
        return f"written {_form(got)}, and not {_form(expected)}"
    more = _TIMES_ENCODED[got] - _TIMES_ENCODED[expected]
    return f"percent-encoded {_COUNTS[abs(more)]} {'more' if more > 0 else 'less'} than expected"


def _form(kind: str) -> str:
    return f"in {kind}" if kind else "as it is"
