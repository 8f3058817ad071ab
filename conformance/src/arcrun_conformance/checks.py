"""Checks: a named statement about a scenario's run that holds or does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .matching import differences
from .protocol import Result, SdkError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .journal import Exchange

Outcome = Literal["passed", "failed", "not-reached", "exempt"]


@dataclass(frozen=True)
class Check:
    """One check's outcome.

    Attributes:
        id: Stable within its scenario.
        outcome: `not-reached` where an earlier step failed first, `exempt` where the adapter lacks what
            it needs; neither is a pass, but `exempt` fails no scenario (the gate judges it).
        message: What was expected and what was there instead, or why it is exempt; empty if passed.
        exchanges: Numbers of the exchanges that it is about.
    """

    id: str
    outcome: Outcome
    message: str = ""
    exchanges: tuple[int, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it holds."""
        return self.outcome == "passed"


def check(identifier: str, differing: Sequence[str], exchanges: Sequence[Exchange] = ()) -> Check:
    """A check that holds if nothing differs.

    Example:
        >>> check("sealed", []).passed
        True
    """
    numbers = tuple(exchange.number for exchange in exchanges)
    if differing:
        return Check(identifier, "failed", "\n".join(differing), numbers)
    return Check(identifier, "passed", "", numbers)


def step_differences(expect: Mapping[str, Any], answer: Result | SdkError) -> list[str]:
    """How an answer differs from what a step expects.

    Example:
        >>> step_differences({"error": {"name": "not_found"}}, Result({}))
        ["expected the SDK error 'not_found', got the result {}"]
    """
    if "error" in expect:
        pattern = expect["error"]
        if isinstance(answer, SdkError):
            return differences(pattern, answer.fields, "error")
        return [f"expected the SDK error {pattern['name']!r}, got the result {answer.value!r}"]
    if isinstance(answer, SdkError):
        return [f"expected a result, got the SDK error {answer.name}: {answer.message}"]
    return differences(expect["result"], answer.value, "result")
