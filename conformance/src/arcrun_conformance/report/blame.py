"""Which side a failed check speaks against: what the SDK sent or returned, or what the engine answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from arcrun_conformance.parity import Explanation, load
from arcrun_conformance.resources import data_directory

from .findings import findings
from .requests import count_difference, request_difference
from .waits import is_wait, waited

if TYPE_CHECKING:
    from .signatures import Signature

Side = Literal["SDK", "engine", "adapter", "runner", "undecided"]

_ADAPTER = {
    "not-available": "its runtime is not installed",
    "not-started": "its command can't be started",
    "crash": "it exited without a reply",
    "timeout": "it sent no reply in time",
    "failure": "it reported a failure of its own",
}
# Checks of every scenario that are about the engine, and those about what the SDK sends.
_OF_ENGINE = {
    "target-reachable": "the engine could not be reached",
    "no-internal-errors": "it failed at a request that no fault was planned for",
}
_OF_SDK = {
    "well-formed-http": "it sent something that is not HTTP",
    "names-carry-the-run": "it created something under another name",
    "no-other-requests": "it sent a request that the scenario does not expect",
    "live-safe": "it sent a request that may not be sent to an engine that others use",
}
_NUMBER_OF_REQUESTS = "number of requests"
# Faults in whose place no byte of the engine's response comes.
_OF_SUITE = ("status", "redirect", "malformed", "raw", "hangup")


@dataclass(frozen=True)
class Blame:
    """The side, and the observation that speaks against it.

    Attributes:
        side: `undecided` where the run does not tell.
        why: A sentence for the reader of a report.
        passing: An SDK that passes the same check, to compare with; empty if there is none.
        signature: The same for requests that differ in the same way from those of an SDK that passes.
    """

    side: Side
    why: str
    passing: str = ""
    signature: Signature | None = None


def blame(document: dict[str, Any], cell: dict[str, Any], check: dict[str, Any]) -> Blame:
    """Return which side a failed check of a cell speaks against."""
    kind = check["id"]
    if kind == "runner-crash":
        return Blame("runner", "the runner crashed: that is a defect of arcrun-conformance")
    if kind.startswith("adapter-"):
        why = _ADAPTER.get(kind.removeprefix("adapter-"), "its reply does not keep the protocol")
        return Blame("adapter", f"the adapter is at fault: {why}")
    if document.get("suite") == "engine":
        return Blame("engine", "it answered something else than the scenario expects")
    if not kind:
        return Blame("undecided", "nothing was checked")
    if kind in _OF_ENGINE:
        return Blame("engine", _OF_ENGINE[kind])
    passing = _passing(document, cell, kind)
    found = _of_messages(kind, check["message"])
    if found is None and kind not in {step["id"] for step in cell["steps"]}:
        found = _of_wire(cell, check, passing)
    found = found or _of_step(document, cell, check, passing)
    return replace(found, passing=passing["sdk"] if passing else "")


def _of_messages(kind: str, message: str) -> Blame | None:
    """Return what the words of a message tell; `None` if they tell nothing."""
    if kind in _OF_SDK:
        return Blame("SDK", _OF_SDK[kind])
    lines = message.splitlines()
    if kind.startswith("secret-"):
        if all("in the response to" in line for line in lines):
            return Blame("engine", "it repeated a secret in a response")
        return Blame("SDK", "it let a secret out where it may not appear")
    if lines and all(line.startswith("response to ") for line in lines):
        return Blame("engine", "it answered something else than the scenario expects")
    return None


def _of_wire(cell: dict[str, Any], check: dict[str, Any], passing: dict[str, Any] | None) -> Blame:
    """Return what a check of requests tells; of their number, which of them an SDK that passes sends otherwise."""
    first = next(iter(findings(check["message"])), {})
    checked = _checked(passing, check["id"]) if passing else []
    if passing and checked and first.get("where") == _NUMBER_OF_REQUESTS:
        mine = _numbered(cell, check["traffic"])
        if different := count_difference(mine, _numbered(passing, checked)):
            why = f"it sent another number of requests than {passing['sdk']}, which passes: "
            return Blame("SDK", why + different.text, signature=different.signature)
    return Blame("SDK", deviation(check["message"]))


def _checked(cell: dict[str, Any], kind: str) -> list[int]:
    """Return the numbers of the requests that a check of a cell was about."""
    return next((check["traffic"] for check in cell["checks"] if check["id"] == kind), [])


def _numbered(cell: dict[str, Any], numbers: list[int]) -> list[dict[str, Any]]:
    return [one for one in cell["traffic"] if one["number"] in numbers]


def deviation(message: str, passing: str = "") -> str:
    """Return in what the SDK deviates from what the scenario expects, and an SDK that passes does.

    Example:
        >>> deviation("pause before request 2: expected at least 0.95, got 0.1")
        'it sent request 2 too early'
    """
    first = next(iter(findings(message)), {})
    where, bound = first.get("where", ""), first.get("expected", "")
    if is_wait(where):
        return waited(first, passing)
    if where.startswith("pause before "):
        when = {"at least": "too early", "at most": "too late"}.get(" ".join(bound.split()[:2]))
        return f"it sent {where.removeprefix('pause before ')} {when or 'at another time'}"
    if where == _NUMBER_OF_REQUESTS:
        return "it sent another number of requests than the scenario expects"
    return "it sent something else than the scenario expects"


def _is_about_waits(message: str) -> bool:
    waits = [is_wait(found.get("where", "")) for found in findings(message)]
    return bool(waits) and all(waits)


def _passing(document: dict[str, Any], cell: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """Return the cell of an SDK that passes the check; rather one that passes the whole scenario."""
    others: list[dict[str, Any]] = [
        other
        for other in document["cells"]
        if other["scenario"] == cell["scenario"]
        # A check that is only made when something is wrong has no counterpart that passed.
        and (other["outcome"] == "passed" or _passes(other, kind))
    ]
    return min(others, key=lambda other: other["outcome"] != "passed", default=None)


def _passes(cell: dict[str, Any], kind: str) -> bool:
    return any(check["id"] == kind and check["outcome"] == "passed" for check in cell["checks"])


def _of_step(
    document: dict[str, Any],
    cell: dict[str, Any],
    check: dict[str, Any],
    passing: dict[str, Any] | None,
) -> Blame:
    step = check["id"]
    only_waits = _is_about_waits(check["message"])
    if passing is None:
        if only_waits:  # no engine makes a client wait: that is the client's own doing
            return Blame("SDK", deviation(check["message"]))
        return _without_comparison(document, cell, step)
    mine, theirs = _exchanges(cell, step), _exchanges(passing, step)
    name = passing["sdk"]
    if different := request_difference(cell, passing, step, _explanations()):
        why = f"it sent something else than {name}, which passes: {different.text}"
        return Blame("SDK", why, signature=different.signature)
    answered_alike = [_answered(one) for one in mine] == [_answered(one) for one in theirs]
    alike = f"in this step, it sent the same as {name}, which passes"
    if only_waits:
        alike += ", and was answered alike" if answered_alike else ""
        return Blame("SDK", f"{deviation(check['message'], name)}; {alike}")
    if not answered_alike:
        return _of_answers(cell, passing, step)
    alike += ", and was answered alike"
    return Blame("SDK", f"it returned another result than the scenario expects; {alike}")


def _of_answers(cell: dict[str, Any], passing: dict[str, Any], step: str) -> Blame:
    """Return what it tells that the same requests of two cells in a step were answered otherwise."""
    if any(map(_is_by_suite, [*_exchanges(cell, step), *_exchanges(passing, step)])):
        return _of_fault(cell, passing, step)
    why = f"it answered {passing['sdk']}, which sent the same and passes, otherwise"
    return Blame("engine", why)


def _of_fault(cell: dict[str, Any], passing: dict[str, Any], step: str) -> Blame:
    """Return what speaks against an SDK that met another planned fault in this step than one that passes."""
    sent = [one["traffic"][: _end_of(one, step)] for one in (cell, passing)]
    different = count_difference(*sent)
    why = f"it met the scenario's faults at other requests than {passing['sdk']}, which passes"
    if different is None:
        return Blame("SDK", why)
    return Blame("SDK", f"{why}: {different.text}", signature=different.signature)


def _end_of(cell: dict[str, Any], step: str) -> int:
    """Return how many exchanges there were up to the end of a step."""
    return max((n for n, one in enumerate(cell["traffic"], 1) if one["step"] == step), default=0)


def _without_comparison(document: dict[str, Any], cell: dict[str, Any], step: str) -> Blame:
    exchanges = _exchanges(cell, step)
    answers = [one["answer"] for one in exchanges if not one["fault"]]
    if exchanges and all(map(_is_by_suite, exchanges)):
        return Blame("SDK", "the suite itself answered all that it sent, so the engine had no part")
    if any(answer and answer["status"] >= 500 for answer in answers):
        return Blame("engine", "it answered with an error of its own (5xx)")
    failing = [
        other["sdk"]
        for other in document["cells"]
        if other["scenario"] == cell["scenario"]
        and any(c["id"] == step and c["outcome"] == "failed" for c in other["checks"])
    ]
    if len(failing) > 1:
        return Blame(
            "engine", f"none of {len(failing)} SDKs passes this, so look at its answers first"
        )
    return Blame(
        "undecided", "no other SDK passes this in the same run, so there is nothing to compare with"
    )


def _is_by_suite(exchange: dict[str, Any]) -> bool:
    return (exchange["fault"] or "").startswith(_OF_SUITE)


def _exchanges(cell: dict[str, Any], step: str) -> list[dict[str, Any]]:
    return [one for one in cell["traffic"] if one["step"] == step]


@cache
def _explanations() -> list[Explanation]:
    """Return the differences between SDKs that are right: they speak against neither."""
    return load(data_directory() / "parity.yaml")


def _answered(exchange: dict[str, Any]) -> tuple[int, Any] | None:
    answer = exchange["answer"]
    return (answer["status"], _shape(answer["body"])) if answer else None


def _shape(body: str) -> Any:
    """Return the names and types of a JSON body: times, ids and ciphertexts differ in every run."""
    try:
        return _types(json.loads(body))
    except (ValueError, RecursionError):
        return bool(body)


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _types(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_types(item) for item in value]
    return type(value).__name__
