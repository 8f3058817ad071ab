"""Wire parity: the same scenario sends the same normalised requests from every SDK."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .documents import read
from .wire.journal import body_value

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

# What a runtime's HTTP client decides, not the SDK.
_TRANSPORT = {
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "host",
    "origin",
    "priority",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "transfer-encoding",
    "keep-alive",
}
# What is new in every request by design: only that it is there is compared.
_FRESH_HEADERS = {"idempotency-key", "x-request-id"}
_FRESH_FIELDS = {"iv", "encrypted"}
_RUN = re.compile(r"arcconf_[0-9a-f]{8}(_\d+)?", re.IGNORECASE)
_ORIGIN = re.compile(r"127\.0\.0\.1:\d+")
_JWT = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+|eyJ[\w-]+%2E[\w%-]+")


@dataclass(frozen=True)
class Explained:
    """A difference that is as it should be.

    Attributes:
        reason: Why.
        scenario: The scenario in which, else in any.
        sdk: The SDK that is different, else any.
        header: The header that differs, `*` for any further text; else all that is sent.
    """

    reason: str
    scenario: str = ""
    sdk: str = ""
    header: str = ""

    def covers(self, scenario: str, sdks: Collection[str], difference: str) -> bool:
        """Whether it speaks of this difference between two SDKs."""
        return (
            self.scenario in {"", scenario}
            and (not self.sdk or self.sdk in sdks)
            and (not self.header or fnmatchcase(difference, f"* header {self.header}: *"))
        )

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.scenario, self.sdk, self.header, self.reason)))


@dataclass(frozen=True)
class Difference:
    """A way in which an SDK's requests differ from the first SDK's."""

    scenario: str
    sdk: str
    against: str
    text: str
    reason: str = ""

    def __str__(self) -> str:
        explained = f" (explained: {self.reason})" if self.reason else ""
        return f"{self.scenario}, {self.sdk} against {self.against}: {self.text}{explained}"


def load(path: Path) -> list[Explained]:
    """Read the explained differences.

    Raises:
        DocumentError: The file can't be used.
    """
    return [Explained(**entry) for entry in read(path, "parity").value["differences"]]


def compare(report: dict[str, Any], explained: Sequence[Explained]) -> list[Difference]:
    """All differences between the requests of the SDKs of a report.

    A scenario counts where it passed: of one that failed, the report says more.

    Args:
        report: The run, as `report.describe` gives it.
        explained: Differences that have a reason.
    """
    found = []
    for scenario in report["scenarios"]:
        cells = [
            cell
            for cell in report["cells"]
            if cell["scenario"] == scenario["id"] and cell["outcome"] == "passed"
        ]
        for cell in cells[1:]:
            for text in _cell_differences(cells[0], cell):
                sdks = (cells[0]["sdk"], cell["sdk"])
                covering = (e.reason for e in explained if e.covers(scenario["id"], sdks, text))
                reason = next(covering, "")
                found.append(Difference(scenario["id"], cell["sdk"], cells[0]["sdk"], text, reason))
    return found


def idle(
    report: dict[str, Any], explained: Sequence[Explained], differences: Sequence[Difference]
) -> list[Explained]:
    """The explanations of which a report shows that there is nothing to explain any more.

    Of an SDK or a scenario that did not take part, or did not pass, it shows nothing.
    """
    passed = [cell for cell in report["cells"] if cell["outcome"] == "passed"]
    return [
        entry
        for entry in explained
        if any(
            entry.scenario in {"", cell["scenario"]} and entry.sdk in {"", cell["sdk"]}
            for cell in passed
        )
        and not any(
            entry.covers(each.scenario, (each.sdk, each.against), each.text) for each in differences
        )
    ]


def _cell_differences(first: dict[str, Any], other: dict[str, Any]) -> list[str]:
    mine, theirs = _requests(first), _requests(other)
    if [request["line"] for request in mine] != [request["line"] for request in theirs]:
        lines = [" · ".join(request["line"] for request in side) for side in (theirs, mine)]
        return [f"sends {lines[0] or 'nothing'} instead of {lines[1] or 'nothing'}"]
    found = []
    for number, (one, two) in enumerate(zip(mine, theirs, strict=True), start=1):
        at = f"request {number} ({two['line']})"
        for name in sorted(one["headers"].keys() | two["headers"].keys()):
            here, there = two["headers"].get(name), one["headers"].get(name)
            if here != there:
                found.append(f"{at} header {name}: {_show(here)} instead of {_show(there)}")
        if one["body"] != two["body"]:
            found.append(f"{at} body: {_show(two['body'])} instead of {_show(one['body'])}")
    return found


def _show(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)[:200]


def _requests(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """A cell's requests without what differs from run to run and from runtime to runtime."""
    return [_normalised(exchange) for exchange in cell["traffic"]]


def _normalised(exchange: dict[str, Any]) -> dict[str, Any]:
    request = exchange["request"]
    target = urlsplit(_plain(request["target"]))
    query = "&".join(sorted(target.query.split("&"))) if target.query else ""
    headers = {
        name.lower(): _plain(value)
        for name, value in request["headers"]
        if name.lower() not in _TRANSPORT
    }
    for name in _FRESH_HEADERS & headers.keys():
        headers[name] = "(fresh)"
    # Each SDK names itself; that it does is what scenarios check.
    headers["user-agent"] = re.sub(
        r"^arcrun-[a-z]+/[\w.]+", "arcrun-SDK/VERSION", headers.get("user-agent", "")
    )
    path = f"{target.path}?{query}" if query else target.path
    return {
        "line": f"{request['method']} {path} at the {exchange['place']}",
        "headers": headers,
        "body": _body(_plain(request["body"])),
    }


def _plain(text: str) -> str:
    return _JWT.sub("JWT", _ORIGIN.sub("ORIGIN", _RUN.sub("RUN", text)))


def _body(text: str) -> Any:
    value = body_value(text.encode())
    if isinstance(value, dict):
        return {key: "(fresh)" if key in _FRESH_FIELDS else item for key, item in value.items()}
    if isinstance(value, str) and re.fullmatch(r"[\w.%+-]+=[^&\s]*(&[\w.%+-]+=[^&\s]*)*", value):
        return sorted(value.split("&"))  # a form: the order of its fields means nothing
    return value
