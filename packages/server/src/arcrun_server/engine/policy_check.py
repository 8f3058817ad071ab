"""Checks of what a node and a workflow say about failures (docs/contract.md#policies)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import policy
from .model import Problem
from .schedule import cron_problems
from .webhook import webhook_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .nearest import Suggestions

_RETRY_FIELDS = ("times", "backoff_seconds", "on")
_NODE_NAMES = ("id", "type", "componentId", "label", "data", *policy.NODE_FIELDS)
_GRAPH_NAMES = ("id", "name", "strict", "nodes", "edges", *policy.WORKFLOW_FIELDS)
_WORKFLOW_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
# Nodes may have further fields, as an editor's; only what is almost one of ours is taken for a mistake.
_ALMOST = 0.8
_MAX_ON = 100
_RETRY_EXAMPLE = "{times: 3, backoff_seconds: 1, on: [connection, 429]}"


def policy_field_problems(
    owner: dict[str, Any], path: str, suggestions: Suggestions
) -> Iterator[Problem]:
    """Yield what is wrong with the fields of a node, or of a graph, whose path is empty."""
    names = _NODE_NAMES if path else _GRAPH_NAMES
    prefix = f"{path}." if path else ""
    for name, value in owner.items():
        if name not in names:
            near = suggestions.nearest(str(name), names, least=_ALMOST)
            if near is not None:
                message = f"There is no field '{name}' here; did you mean '{near}'?"
                yield Problem(message, path=f"{prefix}{name}", suggestion=near)
        elif name in _CHECKS:
            yield from _CHECKS[name](value, f"{prefix}{name}", suggestions)
    retry = owner.get("retry")
    repeats = isinstance(retry, dict) and retry.get("times") != 0
    if repeats and owner.get("repeatable") is False:
        message = "What must not be repeated (`repeatable: false`) can't have a `retry`; remove one of them."
        yield Problem(message, path=f"{prefix}retry")
    if "when_full" in owner and "max_running" not in owner:
        message = "`when_full` says what becomes of one run more than `max_running`, which is missing; give both."
        yield Problem(message, path=f"{prefix}when_full")


def policy_use_problems(
    node: dict[str, Any], path: str, *, calls_workflow: bool, has_foreach: bool
) -> Iterator[Problem]:
    """Yield the fields of a node that would have no effect on it.

    Args:
        node: A node whose fields are as they should be.
        path: Its path.
        calls_workflow: Whether it calls another workflow.
        has_foreach: Whether a FOREACH edge leaves it.
    """
    if "concurrency" in node and not has_foreach:
        message = (
            f"`concurrency` is for a node that a FOREACH leaves, and none leaves '{node['id']}'."
        )
        yield Problem(message, path=f"{path}.concurrency")
    runs = calls_workflow or "componentId" in node
    for name in policy.DEFAULT_FIELDS:
        if name not in node:
            continue
        if not runs:
            message = f"`{name}` is for a node that runs a component, and '{node['id']}' runs none."
            yield Problem(message, path=f"{path}.{name}")
        elif calls_workflow and name != "on_failure":
            message = f"`{name}` is not for a node that calls another workflow; write it in that workflow."
            yield Problem(message, path=f"{path}.{name}")


def _retry_problems(retry: Any, path: str, suggestions: Suggestions) -> Iterator[Problem]:
    if not isinstance(retry, dict):
        yield Problem(f"`retry` is an object, such as {_RETRY_EXAMPLE}.", path=path)
        return
    if "times" not in retry:
        message = f"`times` is missing: how often it is repeated, as in {_RETRY_EXAMPLE}."
        yield Problem(message, path=f"{path}.times")
    for name, value in retry.items():
        where = f"{path}.{name}"
        if name == "times":
            yield from _whole_number(0, policy.MAX_TIMES)(value, where, suggestions)
        elif name == "backoff_seconds":
            if not _is_number(value) or not 0 <= value <= policy.MAX_BACKOFF_SECONDS:
                message = f"`backoff_seconds` is a number from 0 to {policy.MAX_BACKOFF_SECONDS}, not {_shown(value)}."
                yield Problem(message, path=where)
        elif name == "on":
            yield from _on_problems(value, where, suggestions)
        else:
            # To YAML 1.1, a key `on` without quotes means true.
            near = "on" if name == "true" else suggestions.nearest(str(name), _RETRY_FIELDS)
            hint = f"; did you mean '{near}'?" if near else f"; it has {', '.join(_RETRY_FIELDS)}."
            message = f"`retry` has no field '{name}'{hint}"
            yield Problem(message, path=where, suggestion=near)


def _on_problems(on: Any, path: str, suggestions: Suggestions) -> Iterator[Problem]:
    if not isinstance(on, list) or not on:
        kinds = ", ".join(policy.KINDS)
        message = f"`on` is a list of HTTP statuses and of these kinds of failures: {kinds}."
        yield Problem(message, path=path)
        return
    for number, kind in enumerate(on[:_MAX_ON]):
        where = f"{path}[{number}]"
        if isinstance(kind, str):
            yield from _one_of(policy.KINDS)(kind, where, suggestions)
        elif not _is_whole(kind) or not 100 <= kind <= 599:
            yield Problem(f"An HTTP status is from 100 to 599, not {_shown(kind)}.", path=where)
    if len(on) > _MAX_ON:
        yield Problem(f"`on` has {len(on)} entries; at most {_MAX_ON} are allowed.", path=path)


def _whole_number(least: int, most: int) -> Callable[[Any, str, Suggestions], Iterator[Problem]]:
    def check(value: Any, path: str, _suggestions: Suggestions) -> Iterator[Problem]:
        if not _is_whole(value) or not least <= value <= most:
            message = f"This is a whole number from {least} to {most:,}, not {_shown(value)}."
            yield Problem(message, path=path)

    return check


def _one_of(names: Sequence[str]) -> Callable[[Any, str, Suggestions], Iterator[Problem]]:
    def check(value: Any, path: str, suggestions: Suggestions) -> Iterator[Problem]:
        if isinstance(value, str) and value in names:
            return
        near = suggestions.nearest(value, names) if isinstance(value, str) else None
        hint = f"; did you mean '{near}'?" if near else "."
        message = f"This is one of {', '.join(names)}, not {_shown(value)}{hint}"
        yield Problem(message, path=path, suggestion=near)

    return check


def _timeout_problems(value: Any, path: str, _suggestions: Suggestions) -> Iterator[Problem]:
    if not _is_number(value) or not 0 < value <= policy.MAX_TIMEOUT_SECONDS:
        message = (
            f"`timeout_seconds` is a number above 0 and at most {policy.MAX_TIMEOUT_SECONDS:,}, "
            f"not {_shown(value)}."
        )
        yield Problem(message, path=path)


def _truth_problems(value: Any, path: str, _suggestions: Suggestions) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield Problem(f"`repeatable` is true or false, not {_shown(value)}.", path=path)


def _workflow_problems(value: Any, path: str, _suggestions: Suggestions) -> Iterator[Problem]:
    if not isinstance(value, str) or not _WORKFLOW_NAME.fullmatch(value):
        message = f"`on_failure_workflow` is the name of a workflow (A-Z a-z 0-9 _ -), not {_shown(value)}."
        yield Problem(message, path=path)


_CHECKS: dict[str, Callable[[Any, str, Suggestions], Iterator[Problem]]] = {
    "retry": _retry_problems,
    "timeout_seconds": _timeout_problems,
    "on_failure": _one_of(policy.ON_FAILURE),
    "repeatable": _truth_problems,
    "concurrency": _whole_number(1, policy.MAX_CONCURRENCY),
    "on_failure_workflow": _workflow_problems,
    "max_running": _whole_number(1, policy.MAX_RUNNING),
    "when_full": _one_of(policy.WHEN_FULL),
    "cron": cron_problems,
    "webhook": webhook_problems,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and value == value // 1


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:80]
