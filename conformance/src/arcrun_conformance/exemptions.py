"""What an adapter can't do: which checks it is exempt from, and what is expected instead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .checks import Check

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .scenario import Scenario


def exemption(order: Mapping[str, Any], capabilities: Collection[str]) -> Check | None:
    """The check `exempt` in place of a step's or wire check's own, if the adapter lacks what it needs.

    Example:
        >>> order = {"id": "own-user-agent", "adapter_needs": ["user_agent"]}
        >>> exemption(order, {"health"}).message
        'the adapter lacks user_agent'
        >>> exemption(order, {"health", "user_agent"})
    """
    lacking = [need for need in order.get("adapter_needs", ()) if need not in capabilities]
    if not lacking:
        return None
    return Check(order["id"], "exempt", f"the adapter lacks {', '.join(lacking)}")


def suited(scenario: Scenario, capabilities: Collection[str]) -> Scenario:
    """The scenario with what it says under `without` in force for the capabilities that are lacking."""
    steps = (replace(step, order=_suited(step.order, capabilities)) for step in scenario.steps)
    wire = (_suited(order, capabilities) for order in scenario.wire)
    return replace(scenario, steps=tuple(steps), wire=tuple(wire))


def _suited(order: Mapping[str, Any], capabilities: Collection[str]) -> Mapping[str, Any]:
    for capability, instead in order.get("without", {}).items():
        if capability not in capabilities:
            order = {**order, **instead}
    return order


def lacking(scenario: Scenario, capabilities: Collection[str]) -> list[str]:
    """The capabilities whose lack changes what the scenario checks, in order, each once."""
    return [name for name in scenario.capabilities_of_checks() if name not in capabilities]
