"""Wire parity: the same scenario sends the same requests from every SDK, but for what is new each time."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What the runtime's HTTP client decides, not the SDK.
TRANSPORT_HEADERS = frozenset(
    {
        "accept-encoding",
        "accept-language",
        "cf-worker",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "origin",
        "priority",
        "referer",
        "sec-ch-ua",
        "sec-ch-ua-mobile",
        "sec-ch-ua-platform",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "transfer-encoding",
    }
)
# What is new in every call by design: compared is its kind, and where the same one is sent again.
_FRESH_HEADERS = {"idempotency-key": r"[!-~]{16,128}"}
_FRESH_FIELDS = {"iv": r"[A-Za-z0-9+/]{16}", "encrypted": r"[A-Za-z0-9+/]{24,}={0,2}"}
_RUN = re.compile(r"arcconf_[0-9a-f]{8}(_\d+)?", re.IGNORECASE)
_LOOPBACK = re.compile(r"127\.0\.0\.1:\d+|127\.0\.0\.1%3A\d+", re.IGNORECASE)
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
# Each SDK names itself, as CONTRACT.md §1 says; here it counts that it does.
_USER_AGENT = re.compile(r"arcrun-(?:python|js)/\d[\w.+-]*")


class UnfitReport(Exception):
    """A report that nothing can be compared by."""


@dataclass(frozen=True)
class WireDifference:
    """A way in which one SDK's requests differ from another's."""

    scenario: str
    sdk: str
    text: str

    def __str__(self) -> str:
        return f"{self.scenario}, {self.sdk}: {self.text}"


@dataclass
class Comparison:
    """What a report shows.

    Attributes:
        sdks: The SDKs of the report; the first is what the others are held against.
        scenarios: How many were compared between at least two SDKs.
        requests: How many requests were laid beside the first SDK's.
    """

    sdks: list[str]
    scenarios: int = 0
    requests: int = 0
    differences: list[WireDifference] = field(default_factory=list)


def compare_report(report: dict[str, Any]) -> Comparison:
    """Compare what the SDKs of a run of the conformance suite have sent.

    Raises:
        UnfitReport: The run was interrupted, an SDK did not start, or there are not two SDKs.
    """
    names = [sdk["name"] for sdk in report["sdks"]]
    if report["interrupted"]:
        raise UnfitReport("the run was interrupted: run it again")
    if silent := [sdk["name"] for sdk in report["sdks"] if not sdk["started"]]:
        raise UnfitReport(f"{', '.join(silent)} did not start: nothing was sent")
    if len(names) < 2:
        raise UnfitReport(f"the report has {names} only: parity takes two SDKs")
    found = Comparison(names)
    for scenario in report["scenarios"]:
        cells = [cell for cell in report["cells"] if cell["scenario"] == scenario["id"]]
        _compare_scenario(scenario["id"], {cell["sdk"]: cell for cell in cells}, found)
    if not found.scenarios:
        raise UnfitReport("no scenario passed with two SDKs: nothing was compared")
    return found


def _compare_scenario(scenario: str, cells: dict[str, Any], found: Comparison) -> None:
    passed = [sdk for sdk in found.sdks if sdk in cells and cells[sdk]["outcome"] == "passed"]
    left_out = [sdk for sdk in found.sdks if sdk not in passed]
    everywhere = not passed and {cells[sdk]["outcome"] for sdk in cells} == {"skipped"}
    for sdk in [] if everywhere else left_out:
        cell = cells.get(sdk, {"outcome": "missing", "reason": "no cell in the report"})
        told = f"not compared, {cell['outcome']}: {_why(cell)}"
        found.differences.append(WireDifference(scenario, sdk, told))
    if len(passed) < 2:
        return
    first, *others = passed
    expected = requests_of(cells[first])
    found.scenarios += 1
    for sdk in others:
        sent = requests_of(cells[sdk])
        found.requests += len(sent)
        found.differences += [
            WireDifference(scenario, sdk, f"{text} (against {first})")
            for text in differences(expected, sent)
        ]


def _why(cell: dict[str, Any]) -> str:
    """Say why a cell did not pass: the runner's reason, else the first check that failed."""
    failed = [check for check in cell.get("checks", ()) if check["outcome"] == "failed"]
    first = f"{failed[0]['id']}: {failed[0]['message']}" if failed else "see the report"
    return (cell["reason"] or first).splitlines()[0][:300]


def differences(expected: list[dict[str, Any]], sent: list[dict[str, Any]]) -> Iterator[str]:
    """Yield in what way requests are not those expected, field by field."""
    before, after = [_line(request) for request in expected], [_line(request) for request in sent]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind == "equal":
            for number in range(other_start, other_end):
                one, other = expected[start + number - other_start], sent[number]
                yield from _field_differences(f"request {number + 1}, {after[number]}", one, other)
            continue
        for line in dict.fromkeys([*before[start:end], *after[other_start:other_end]]):
            now, then = after.count(line), before.count(line)
            yield f"{line}: " + (
                f"sent {now} times instead of {then}" if now != then else "sent in another order"
            )


def _line(request: dict[str, Any]) -> str:
    return f"{request['method']} {request['path']} ({request['place']})"


def requests_of(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a cell's requests without what differs from run to run and from runtime to runtime."""
    seen: dict[str, int] = {}
    return [_normalised(exchange, seen) for exchange in cell["traffic"]]


def _field_differences(at: str, one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    for part in ("query", "header", "body"):
        before, after = dict(_flat(one[part], part)), dict(_flat(other[part], part))
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                now, then = _shown(after.get(name)), _shown(before.get(name))
                yield f"{at}, {name}: {now} instead of {then}"


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield the leaves of a JSON value, each under its path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}")
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{name}[{number}]")
    else:
        yield name, json.dumps(value, ensure_ascii=False)


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value[:200]


def _normalised(exchange: dict[str, Any], seen: dict[str, int]) -> dict[str, Any]:
    request = exchange["request"]
    target = urlsplit(_plain(request["target"]))
    pairs = [(name.lower(), _plain(value)) for name, value in request["headers"]]
    headers = _grouped(pair for pair in pairs if pair[0] not in TRANSPORT_HEADERS)
    for name, pattern in _FRESH_HEADERS.items():
        headers |= {name: _fresh(pattern, headers[name], seen)} if name in headers else {}
    agent = headers.get("user-agent")
    if isinstance(agent, str):
        headers["user-agent"] = _USER_AGENT.sub("arcrun-SDK/VERSION", agent)
    return {
        "place": exchange["place"],
        "method": request["method"],
        "path": unquote(target.path),
        "query": _grouped(parse_qsl(target.query, keep_blank_values=True)),
        "header": headers,
        "body": _body(_plain(request["body"]), str(headers.get("content-type")), seen),
    }


def _plain(text: str) -> str:
    return _LOOPBACK.sub("LOOPBACK", _RUN.sub("RUN", text))


def _fresh(pattern: str, value: Any, seen: dict[str, int]) -> Any:
    """Number a value that is new each time; one of another kind stays as it is, and shows."""
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        return value
    return f"(new value {seen.setdefault(value, len(seen) + 1)})"


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return pairs by name; the values of a repeated name are a list."""
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return {name: each[0] if len(each) == 1 else each for name, each in groups.items()}


def _body(text: str, kind: str, seen: dict[str, int]) -> Any:
    if kind.startswith("application/x-www-form-urlencoded"):
        form = _grouped(parse_qsl(text, keep_blank_values=True))
        return {name: _token(value) for name, value in form.items()}
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict):
        for name, pattern in _FRESH_FIELDS.items():
            value |= {name: _fresh(pattern, value[name], seen)} if name in value else {}
    return value


def _token(value: Any) -> Any:
    """Open a JWT: what it says is compared, but for when it was made, and its signature."""
    if not isinstance(value, str) or not _JWT.fullmatch(value):
        return value
    header, claims = (
        json.loads(_plain(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()))
        for part in value.split(".")[:2]
    )
    made = claims.pop("iat", 0)
    return {"header": header, "claims": {**claims, "exp": claims.get("exp", 0) - made}}
