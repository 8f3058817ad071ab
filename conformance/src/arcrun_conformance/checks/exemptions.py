"""Exemptions: the checks that do not apply to an adapter, and what is expected of it instead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .check import Check

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from arcrun_conformance.scenarios.scenario import Scenario


def exemption(definition: Mapping[str, Any], capabilities: Collection[str]) -> Check | None:
    """Return the check `exempt` for a step or a wire check if the adapter lacks what it needs.

    Example:
        >>> definition = {"id": "own-user-agent", "adapter_needs": ["user_agent"]}
        >>> exemption(definition, {"health"}).message
        'the adapter lacks user_agent'
        >>> exemption(definition, {"health", "user_agent"})
    """
    lacking = [need for need in definition.get("adapter_needs", ()) if need not in capabilities]
    if not lacking:
        return None
    return Check(definition["id"], "exempt", f"the adapter lacks {', '.join(lacking)}")


def apply_alternatives(scenario: Scenario, capabilities: Collection[str]) -> Scenario:
    """Return the scenario with its `without` entries applied for the capabilities that are missing."""
    steps = (
        replace(step, definition=_with_alternatives(step.definition, capabilities))
        for step in scenario.steps
    )
    wire = (_with_alternatives(definition, capabilities) for definition in scenario.wire)
    return replace(scenario, steps=tuple(steps), wire=tuple(wire))


def _with_alternatives(
    definition: Mapping[str, Any], capabilities: Collection[str]
) -> Mapping[str, Any]:
    for capability, alternative in definition.get("without", {}).items():
        if capability not in capabilities:
            definition = {**definition, **alternative}
    return definition


def missing_capabilities(scenario: Scenario, capabilities: Collection[str]) -> list[str]:
    """Return the missing capabilities that change what the scenario checks, in order, each once."""
    return [name for name in scenario.capabilities_of_checks() if name not in capabilities]
