"""Compare the requests that the SDKs of a report have sent: the same scenario, the same requests.

What is new in each request by design is compared by its kind, and by where the same value is sent again. What the
HTTP client of a runtime decides is left out. All else that differs needs an explanation.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .documents import DocumentError, read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from .documents import Document
    from .gate import Unsupported

# What the HTTP client of a runtime decides, not the SDK.
TRANSPORT_HEADERS = frozenset(
    {
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "origin",
        "priority",
        "referer",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "transfer-encoding",
    }
)
# What `fetch` adds by itself where nothing may be kept; any other value is the SDK's.
_OF_FETCH = {("cache-control", "no-cache"), ("pragma", "no-cache")}
# What is new in every request by design, and the form that it must have.
_FRESH_HEADERS = {"idempotency-key": r"[!-~]{16,128}"}
_FRESH_FIELDS = {"iv": r"[A-Za-z0-9+/]{16}", "encrypted": r"[A-Za-z0-9+/]{24,}={0,2}"}
_RUN = re.compile(r"arcconf_[0-9a-f]{8}(_\d+)?", re.IGNORECASE)
# Ports are free ones; the name `localhost` is another origin than the address (`${standin_elsewhere}`).
_LOOPBACK = re.compile(r"127\.0\.0\.1(?::|%3A)\d+", re.IGNORECASE)
_LOCALHOST = re.compile(r"localhost(?::|%3A)\d+", re.IGNORECASE)
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
# Each SDK names itself (docs/contract.md#transport); compared is that it does.
_USER_AGENT = re.compile(r"arcrun-[a-z]+/\d[\w.+-]*")


class NotComparable(Exception):
    """The requests of a report can't be compared; the message says why."""


@dataclass(frozen=True)
class Difference:
    """A way in which the requests of an SDK differ from those of another.

    Attributes:
        scenario: The scenario.
        sdk: The SDK that differs.
        text: What differs.
        against: The SDK that it was compared with; empty if it could not be compared.
        reason: The explanation; empty if there is none.
    """

    scenario: str
    sdk: str
    text: str
    against: str = ""
    reason: str = ""

    def __str__(self) -> str:
        against = f" (against {self.against})" if self.against else ""
        return f"{self.scenario}, {self.sdk}: {self.text}{against}"


@dataclass(frozen=True)
class Explanation:
    """The reason for which some differences are right.

    Attributes:
        reason: Why they are right.
        texts: What differs, one text or another; `*` stands for any text.
        scenario: The scenario in which they occur; empty for any.
        sdks: The SDKs that differ from others; empty for any.
        sometimes: Whether they occur in some runs only, so that one without them shows nothing.
    """

    reason: str
    texts: tuple[str, ...]
    scenario: str = ""
    sdks: frozenset[str] = frozenset()
    sometimes: bool = False

    def applies_to(self, scenario: str, sdks: Iterable[str]) -> bool:
        """Return whether it is about a scenario and about one of these SDKs."""
        return self.scenario in {"", scenario} and (not self.sdks or not self.sdks.isdisjoint(sdks))

    def explains(self, difference: Difference) -> bool:
        """Return whether it explains a difference, whichever of the two SDKs it is about."""
        return self.applies_to(difference.scenario, {difference.sdk, difference.against}) and any(
            _matches(text, difference.text) for text in self.texts
        )

    def __str__(self) -> str:
        about = ", ".join(filter(None, [self.scenario, *sorted(self.sdks)]))
        return f"{about + ': ' if about else ''}{' or '.join(self.texts)} ({self.reason})"


@dataclass
class Comparison:
    """The result of comparing the requests of a report.

    Attributes:
        sdks: The SDKs of the report. The others are compared with the first that passed a scenario.
        requests: How many requests were compared with a request of that SDK.
        compared: The SDKs that were compared, by scenario.
        differences: What differs.
        unused: Explanations of what does not differ any more.
    """

    sdks: list[str]
    requests: int = 0
    compared: dict[str, list[str]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    unused: list[Explanation] = field(default_factory=list)

    @property
    def unexplained(self) -> list[Difference]:
        """Return the differences without an explanation."""
        return [difference for difference in self.differences if not difference.reason]

    @property
    def go(self) -> bool:
        """Return whether every difference has an explanation, and every explanation a difference."""
        return not self.unexplained and not self.unused


def load(path: Path) -> list[Explanation]:
    """Read the explained differences, one explanation for each scenario that an entry names.

    Raises:
        DocumentError: The file can't be used.
    """
    document = read(path, "parity")
    return [
        explanation
        for number in range(len(document.value["explained"]))
        for explanation in _explanations(document, number)
    ]


def _explanations(document: Document, number: int) -> Iterator[Explanation]:
    entry = document.value["explained"][number]
    for position, text in enumerate(entry["differences"]):
        if not text.strip("* "):
            pointer = ("explained", number, "differences", position)
            problem = document.problem(pointer, f"{text!r} would explain every difference")
            raise DocumentError([problem])
    for scenario in entry.get("scenarios", [""]):
        yield Explanation(
            entry["reason"],
            tuple(entry["differences"]),
            scenario,
            frozenset(entry.get("sdks", ())),
            entry.get("sometimes", False),
        )


def compare(
    report: dict[str, Any],
    explanations: Sequence[Explanation] = (),
    unsupported: Sequence[Unsupported] = (),
    explained_sdks: Collection[str] | None = None,
) -> Comparison:
    """Compare the requests that the SDKs of a report have sent.

    Args:
        report: The run, as `conformance.json` describes it.
        explanations: The differences that are right.
        unsupported: The capabilities that SDKs are allowed to lack: why a scenario that was skipped is not compared.
        explained_sdks: The SDKs that the explanations were written for; `None` if for any. Only between two of them does
            an explanation have to explain something.

    Raises:
        NotComparable: The run was interrupted, an SDK did not start, or there are not two SDKs.
    """
    names = [sdk["name"] for sdk in report["sdks"]]
    if report["interrupted"]:
        raise NotComparable("the run was interrupted: run it again")
    if silent := [sdk["name"] for sdk in report["sdks"] if not sdk["started"]]:
        raise NotComparable(f"{', '.join(silent)} did not start and sent nothing")
    if len(names) < 2:
        raise NotComparable(f"parity needs two SDKs, and the report has {', '.join(names)} only")
    found = Comparison(names)
    for scenario in report["scenarios"]:
        cells = [cell for cell in report["cells"] if cell["scenario"] == scenario["id"]]
        _compare_scenario(scenario["id"], {cell["sdk"]: cell for cell in cells}, found)
    reasons = _reasons_of_skips(report, unsupported)
    found.differences = [
        each if each.against else replace(each, reason=reasons.get((each.scenario, each.sdk), ""))
        for each in found.differences
    ]
    if not found.compared:
        raise NotComparable("nothing was compared: no scenario passed with two SDKs")
    found.differences = [_explained(each, explanations) for each in found.differences]
    found.unused = [each for each in explanations if _is_unused(each, found, explained_sdks)]
    return found


def _reasons_of_skips(
    report: dict[str, Any], unsupported: Sequence[Unsupported]
) -> dict[tuple[str, str], str]:
    """Return why cells were skipped, by scenario and SDK: those whose SDK may lack all that it lacks."""
    sdks = {sdk["name"]: sdk for sdk in report["sdks"]}
    found = {}
    for cell in report["cells"]:
        allowed = {e.lacks: e.reason for e in unsupported if e.applies_to(sdks[cell["sdk"]])}
        lacks = cell.get("lacks", ())
        if cell["outcome"] == "skipped" and lacks and allowed.keys() >= set(lacks):
            found[cell["scenario"], cell["sdk"]] = "; ".join(allowed[name] for name in lacks)
    return found


def _compare_scenario(scenario: str, cells: dict[str, Any], found: Comparison) -> None:
    passed = [sdk for sdk in found.sdks if sdk in cells and cells[sdk]["outcome"] == "passed"]
    left_out = [sdk for sdk in found.sdks if sdk not in passed]
    skipped_by_all = not passed and {cells[sdk]["outcome"] for sdk in cells} == {"skipped"}
    for sdk in [] if skipped_by_all else left_out:
        cell = cells.get(sdk, {"outcome": "missing", "reason": "not in the report"})
        text = f"not compared, {cell['outcome']}: {_cause(cell)}"
        found.differences.append(Difference(scenario, sdk, text))
    if len(passed) < 2:
        return
    first, *others = passed
    found.compared[scenario] = passed
    for sdk in others:
        # What an SDK is exempt from, it did not do: a step, with all its requests.
        exempt = _exempt(cells[first]) | _exempt(cells[sdk])
        expected, sent = requests_of(cells[first], exempt), requests_of(cells[sdk], exempt)
        found.requests += len(sent)
        found.differences += [
            Difference(scenario, sdk, text, first) for text in differences(expected, sent)
        ]


def _exempt(cell: dict[str, Any]) -> set[str]:
    return {check["id"] for check in cell["checks"] if check["outcome"] == "exempt"}


def _cause(cell: dict[str, Any]) -> str:
    """Return why a cell did not pass: the runner's reason, or the first check that failed."""
    failed = [check for check in cell.get("checks", ()) if check["outcome"] == "failed"]
    first = f"{failed[0]['id']}: {failed[0]['message']}" if failed else "see the report"
    return (cell["reason"] or first).splitlines()[0][:300]


def unexplained(
    cell: dict[str, Any], other: dict[str, Any], step: str, explanations: Sequence[Explanation]
) -> list[str]:
    """Return how the requests of a cell in a step differ from those of another cell, without an explanation."""
    sent, expected = (
        requests_of({"traffic": [each for each in one["traffic"] if each["step"] == step]})
        for one in (cell, other)
    )
    found = [
        Difference(cell["scenario"], cell["sdk"], text, other["sdk"])
        for text in differences(expected, sent)
    ]
    return [each.text for each in found if not any(e.explains(each) for e in explanations)]


def _explained(difference: Difference, explanations: Sequence[Explanation]) -> Difference:
    reasons = (each.reason for each in explanations if each.explains(difference))
    return replace(difference, reason=difference.reason or next(reasons, ""))


def _is_unused(
    explanation: Explanation, found: Comparison, explained_sdks: Collection[str] | None
) -> bool:
    """Return whether a report shows that an explanation explains nothing.

    A report shows nothing about an SDK or a scenario that was not compared.
    """
    compared = {
        scenario: [sdk for sdk in sdks if explained_sdks is None or sdk in explained_sdks]
        for scenario, sdks in found.compared.items()
    }
    return (
        not explanation.sometimes
        and any(
            len(sdks) > 1 and explanation.applies_to(scenario, sdks)
            for scenario, sdks in compared.items()
        )
        and not any(explanation.explains(each) for each in found.differences)
    )


def _matches(pattern: str, text: str) -> bool:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    return re.fullmatch(expression, text, re.DOTALL) is not None


def differences(expected: list[dict[str, Any]], sent: list[dict[str, Any]]) -> Iterator[str]:
    """Yield how requests differ from those expected: which were sent, then field by field."""
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
            times = "1 time" if now == 1 else f"{now} times"
            yield f"{line}: " + (
                f"sent {times} instead of {then}" if now != then else "sent in another order"
            )


def _line(request: dict[str, Any]) -> str:
    return f"{request['method']} {request['path']} ({request['server']})"


def _field_differences(at: str, one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    for part in ("query", "header", "body"):
        before, after = _leaves(one[part], part), _leaves(other[part], part)
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                now, then = _shown(after.get(name)), _shown(before.get(name))
                yield f"{at}, {name}: {now} instead of {then}"


def _leaves(value: Any, part: str) -> dict[str, str]:
    """Return the leaves of a part by their path; no query and no header is none."""
    return dict(_flat(value, part)) if value or part == "body" else {}


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield the leaves of a JSON value, each with its path."""
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


def requests_of(cell: dict[str, Any], without: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return a cell's requests without what differs from run to run and from runtime to runtime.

    How many pages the engine's lists have depends on what else the account holds, so all but the first are left
    out.

    Args:
        cell: The cell, as the report describes it.
        without: Steps whose requests are left out.
    """
    seen: dict[str, int] = {}
    return [
        _normalised(exchange, seen)
        for exchange in cell["traffic"]
        if not exchange["further_page"] and exchange["step"] not in without
    ]


def _normalised(exchange: dict[str, Any], seen: dict[str, int]) -> dict[str, Any]:
    request = exchange["request"]
    target = urlsplit(_plain(request["target"]))
    pairs = [(name.lower(), _plain(value)) for name, value in request["headers"]]
    headers = _grouped(
        pair for pair in pairs if pair[0] not in TRANSPORT_HEADERS and pair not in _OF_FETCH
    )
    for name, pattern in _FRESH_HEADERS.items():
        headers |= {name: _fresh(pattern, headers[name], seen)} if name in headers else {}
    agent = headers.get("user-agent")
    if isinstance(agent, str):
        headers["user-agent"] = _USER_AGENT.sub("arcrun-SDK/VERSION", agent)
    return {
        "server": exchange["place"],
        "method": request["method"],
        "path": unquote(target.path),
        "query": _opened(_grouped(parse_qsl(target.query, keep_blank_values=True))),
        "header": _opened(headers),
        "body": _body(_plain(request["body"]), str(headers.get("content-type")), seen),
    }


def _plain(text: str) -> str:
    text = _LOOPBACK.sub("LOOPBACK", _RUN.sub("RUN", text))
    return _LOCALHOST.sub("LOCALHOST", text)


def _fresh(pattern: str, value: Any, seen: dict[str, int]) -> Any:
    """Number a value that is new each time; return one of another form as it is, so that it differs."""
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        return value
    return f"(new value {seen.setdefault(value, len(seen) + 1)})"


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return pairs by name; the values of a repeated name are a list."""
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return {name: each[0] if len(each) == 1 else each for name, each in groups.items()}


def _body(text: str, content_type: str, seen: dict[str, int]) -> Any:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return _opened(_grouped(parse_qsl(text, keep_blank_values=True)))
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict):
        for name, pattern in _FRESH_FIELDS.items():
            value |= {name: _fresh(pattern, value[name], seen)} if name in value else {}
    return _opened(value)


def _opened(value: Any) -> Any:
    """Return a value with each JWT in it decoded, wherever it stands."""
    if isinstance(value, dict):
        return {name: _opened(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_opened(item) for item in value]
    if not isinstance(value, str):
        return value
    scheme, _, token = value.rpartition(" ")
    claims = _claims(token)
    if claims is token:
        return value
    return {scheme: claims} if scheme else claims


def _claims(value: str) -> Any:
    """Decode a JWT: its claims are compared, but not when it was issued, nor its signature."""
    if not _JWT.fullmatch(value):
        return value
    try:
        header, claims = (
            json.loads(_plain(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()))
            for part in value.split(".")[:2]
        )
        issued = claims.pop("iat", 0)
        return {"header": header, "claims": {**claims, "exp": claims.get("exp", 0) - issued}}
    except (ValueError, TypeError, AttributeError):
        return value  # it has the form of a JWT and is none: compared as it is
