"""Checks: named assertions about a scenario's run, each with its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from arcrun_conformance.adapters.protocol import Result, SdkError
from arcrun_conformance.cleaning import visible
from arcrun_conformance.scenarios.patterns import differences, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arcrun_conformance.wire.journal import Exchange

Outcome = Literal["passed", "failed", "not-reached", "exempt"]


@dataclass(frozen=True)
class Check:
    """One check's outcome.

    Attributes:
        id: Unique within its scenario, and stable.
        outcome: `not-reached` if an earlier step failed first, `exempt` if the adapter lacks a
            capability that the check needs. Neither counts as passed, but `exempt` does not fail
            the scenario: the gate decides.
        message: What was expected and what was found, or why it is exempt; empty if passed.
        exchanges: Numbers of the exchanges that it is about.
    """

    id: str
    outcome: Outcome
    message: str = ""
    exchanges: tuple[int, ...] = ()

    @property
    def passed(self) -> bool:
        """Return whether the check passed."""
        return self.outcome == "passed"


def check(identifier: str, problems: Sequence[str], exchanges: Sequence[Exchange] = ()) -> Check:
    """Return a check that failed with these problems, or passed if there are none.

    Example:
        >>> check("sealed", []).passed
        True
    """
    numbers = tuple(exchange.number for exchange in exchanges)
    if problems:
        return Check(identifier, "failed", visible("\n".join(problems)), numbers)
    return Check(identifier, "passed", "", numbers)


def step_differences(expect: Mapping[str, Any], reply: Result | SdkError) -> list[str]:
    """Return how a reply differs from what a step expects.

    Example:
        >>> step_differences({"error": {"name": "not_found"}}, Result({}))
        ['expected the SDK error "not_found", got the result {}']
    """
    if "error" in expect:
        pattern = expect["error"]
        if isinstance(reply, SdkError):
            return differences(pattern, reply.fields, "error")
        return [
            f"expected the SDK error {show(pattern['name'])}, got the result {show(reply.value)}"
        ]
    if isinstance(reply, SdkError):
        return [f"expected a result, got the SDK error {reply.name}: {reply.message}"]
    return differences(expect["result"], reply.value, "result")
