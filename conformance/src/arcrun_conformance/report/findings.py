"""What the message of a failed check says, in parts: where, what was expected, and what was found.

Messages are lines such as `result.name: expected "a", got "b"` (`scenarios/patterns.py`).
"""

from __future__ import annotations

import json
import re

_LINE = re.compile(r"(?:(?P<where>.*?): )?expected (?P<rest>.+)", re.DOTALL)
_GOT = re.compile(", (?:got|took) ")
_MISSING = ", but it is missing"
# Places whose values are seconds, and what the reader has to know about a place.
_TIMED = re.compile(r"waited\[\d+\]|pause before request \d+")
_PARSED = re.compile(r"request \d+ \(.*\)\.query\b.*", re.DOTALL)
_NOTES = (
    (
        re.compile(r"waited\b.*", re.DOTALL),
        "what the SDK asked to wait for; the scenario's clock moved on by as much, so no time passed on the wire",
    ),
    (
        re.compile("pause before .*"),
        "from the end of the request before it, of those that the check is about",
    ),
    (_PARSED, "after decoding the query once"),
)
_ENDS_WITH_NUMBER = re.compile(r"\d$")
# What changes from run to run, or with the number of requests that an SDK has sent before.
_RUN = re.compile(r"arcconf_[0-9a-f]{8}(_\d+)?", re.IGNORECASE)
_PORT = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):\d+")
_NUMBER = re.compile(r"\brequest \d+")
_SECONDS = re.compile(r"\d+\.\d+ s\b")


def findings(message: str) -> list[dict[str, str]]:
    """Return the findings of a message; of a line in other words only its `text`.

    Seconds have their unit, and what is not plain from the place has a `note`. Details that repeat a line before
    them are left out.

    Example:
        >>> findings('result.name: expected "a", got "b"')
        [{'where': 'result.name', 'expected': '"a"', 'got': '"b"'}]
        >>> findings("the secret token appears on the adapter's stderr")
        [{'text': "the secret token appears on the adapter's stderr"}]
    """
    return [_finding(line) for line in said_lines(message)]


def said_lines(message: str) -> list[str]:
    """Return the lines of a message but for details that repeat a line before them."""
    lines = [line for line in message.splitlines() if line.strip()]
    return [line for number, line in enumerate(lines) if not _is_said(line, lines[:number])]


def _is_said(line: str, before: list[str]) -> bool:
    """Return whether a detail of an error, as `  cursor: it must …`, is in a line before it, too."""
    _, separator, detail = line.partition(": ")
    return line.startswith("  ") and bool(separator) and any(detail in one for one in before)


def comparable(text: str) -> str:
    """Return a text without what differs between two runs.

    Example:
        >>> comparable("request 3 (PUT /credentials/arcconf_0a1b2c3d_0001_x)")
        'request (PUT /credentials/RUN_x)'
    """
    text = _PORT.sub("PORT", _RUN.sub("RUN", text))
    return _SECONDS.sub("some seconds", _NUMBER.sub("request", text))


def _finding(line: str) -> dict[str, str]:
    match = _LINE.fullmatch(line)
    if match is None:
        return {"text": line}
    where, rest = match["where"] or "", match["rest"]
    if rest.endswith(_MISSING):
        return {"where": where, "expected": rest.removesuffix(_MISSING), "got": "it is missing"}
    expected, got = _split(rest)
    if not got:
        return {"text": line}
    if _TIMED.fullmatch(where):
        expected, got = _with_unit(expected), _with_unit(got)
    return {"where": where, "expected": expected, "got": got} | _note(where)


def _note(where: str) -> dict[str, str]:
    return next(({"note": note} for place, note in _NOTES if place.fullmatch(where)), {})


def _with_unit(value: str) -> str:
    return f"{value} s" if _ENDS_WITH_NUMBER.search(value) else value


def _split(rest: str) -> tuple[str, str]:
    """Split before the value that was found: what was expected may contain the same words, too."""
    parts = [(rest[: match.start()], rest[match.end() :]) for match in _GOT.finditer(rest)]
    values = [(expected, got) for expected, got in parts if _is_value(got)]
    return next(iter([*values, *parts]), (rest, ""))


def _is_value(text: str) -> bool:
    """Tell whether a text is a JSON value, perhaps cut, with what may follow it."""
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return text.endswith("…")
    return end == len(text) or text[end] == ":"
